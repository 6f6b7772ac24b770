"""What all who choose from one pool share: the pool in parts, the network, the strategy, and where draws come from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from alray.custom.code import NO_CODE, CustomCode, custom_model
from alray.custom.finding import require_same_code
from alray.pools.pool import Modality, SharedArrays
from alray.pools.reading_parts import CandidatePool, Excluded
from alray.settings.common import ExecutionSpec
from alray.strategies import custom_name
from alray.studies.choosing.rule import FIRST, SHORTLIST, ChoiceSeed, Rule, rule_of
from alray.studies.choosing.trained import TrainedNetwork


@dataclass(frozen=True, eq=False)
class LabelledObjects:
    """Objects whose labels are known, for strategies that compare candidates with them.

    Attributes:
        modalities: Their features as they are read, in the order of the network's.
        labels: (n,) int64 positions in the classes.
    """

    modalities: tuple[Modality, ...]
    labels: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChoiceOptions:
    """What a choice goes by besides pool, network and strategy.

    Attributes:
        exclude: Ids that may not be chosen, or a function of (n,) ids that returns (n,) True for these.
        labelled: The labelled objects, for strategies that compare candidates with them.
        shortlist: Objects that are kept for a strategy that compares objects: those with the smallest margins.
        seed: Where draws come from.
        execution: Where it runs, on how many threads and which device.
    """

    exclude: Collection[str] | Excluded = ()
    labelled: LabelledObjects | None = None
    shortlist: int = SHORTLIST
    seed: ChoiceSeed = FIRST
    execution: ExecutionSpec = field(default_factory=ExecutionSpec)


@dataclass(frozen=True, eq=False)
class Choosing(SharedArrays):
    """All that decides a choice, and how it is executed.

    Attributes:
        pool: The pool in parts, and which of its objects may be chosen.
        trained: The network.
        strategy: Its text.
        number: Objects to choose.
        options: What else it goes by; who is excluded, the pool knows.
        code: The user's code.
    """

    pool: CandidatePool
    trained: TrainedNetwork
    strategy: str
    number: int
    options: ChoiceOptions
    code: CustomCode = NO_CODE

    @property
    def execution(self) -> ExecutionSpec:
        """Where it runs."""
        return self.options.execution

    @property
    def seed(self) -> ChoiceSeed:
        """Where draws come from."""
        return self.options.seed

    @property
    def labelled(self) -> LabelledObjects | None:
        """The labelled objects, where they were given."""
        return self.options.labelled

    @cached_property
    def rule(self) -> Rule:
        """How the strategy chooses."""
        return rule_of(self.strategy, self.number, self.options.shortlist)

    @override
    def arrays(self) -> Sequence[npt.NDArray[np.generic]]:
        return self.trained.arrays()

    def require_same_code(self) -> None:
        """Refuse to go on with a strategy or network of the user's that is not the driver's.

        Raises:
            SpecError: Names the file.
        """
        for name in (custom_model(self.trained.model.name), custom_name(self.strategy)):
            if name is not None:
                require_same_code(self.code, name)
