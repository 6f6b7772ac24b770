"""What the fit and the choice of a batch go by."""

from dataclasses import dataclass

from alray.pools.open_pool import OpenPool
from alray.settings.campaign import CampaignSpec
from alray.studies.campaign.fitting import Learnt
from alray.studies.campaign.parts import Parts


@dataclass(frozen=True, eq=False)
class AtHand:
    """What is known when a batch is to be chosen.

    Attributes:
        spec: The campaign's settings.
        pool: The pool as it is now.
        parts: Which of its objects are which.
        learnt: What there is to learn from.
        classes: All classes.
    """

    spec: CampaignSpec
    pool: OpenPool
    parts: Parts
    learnt: Learnt
    classes: tuple[str, ...]
