"""What all answers say together, by the name of a way to aggregate them."""

from importlib.util import find_spec

import numpy as np
import pandas as pd

from alray.assessors.answers import Answers
from alray.assessors.beliefs import Beliefs
from alray.assessors.dawid_skene import Aggregated, Posterior, dawid_skene, majority, read_by
from alray.assessors.one_coin import one_coin
from alray.errors import SpecError
from alray.pools.pool import Indices
from alray.settings.crowd import BY_CROWD_KIT, BY_STEPS, Aggregate


def aggregate(
    answers: Answers,
    assessors: int,
    classes: int,
    by: Aggregate,
    start: Aggregated | None = None,
    beliefs: Beliefs | None = None,
) -> Aggregated:
    """Return the posterior of each object that has an answer, and estimates of the assessors' confusions.

    Args:
        answers: All answers.
        assessors: How many assessors there are.
        classes: How many classes.
        by: `majority`: the most frequent answer, several alike where they tie; `none`: the shares of the answers, by
            which a network that learns each answer for itself has the same loss, up to a constant; the others are
            models of assessors.
        start: What fewer answers said, where there were any.
        beliefs: What the network predicted, for `joint`.
    """
    if by == "dawid_skene":
        return dawid_skene(answers, assessors, classes, start=start)
    if by in BY_STEPS:
        return one_coin(answers, assessors, classes, start=start, beliefs=beliefs)
    if by == "none":
        objects, posterior = majority(answers, classes)
    elif by == "majority":
        objects, shares = majority(answers, classes)
        most = shares == shares.max(1, keepdims=True) if len(shares) else shares
        posterior = most / np.maximum(most.sum(1, keepdims=True), 1)
    else:
        objects, posterior = _by_crowd_kit(answers, classes, by)
    return read_by(answers, objects, posterior, assessors)


def require_crowd_kit(by: Aggregate) -> None:
    """Refuse a way to aggregate whose library is not installed.

    Raises:
        SpecError: Names it, and how to install the library.
    """
    if by in BY_CROWD_KIT and find_spec("crowdkit") is None:
        raise SpecError(
            f'crowd.aggregate: {by} needs crowd-kit, which is not installed: pip install "alray[crowd]", or use '
            "dawid_skene, one_coin or majority"
        )


def _by_crowd_kit(answers: Answers, classes: int, by: Aggregate) -> tuple[Indices, Posterior]:
    """Return objects, rising, and (objects, classes) posteriors as crowd-kit finds them."""
    from crowdkit.aggregation import GLAD, MACE  # noqa: PLC0415 -- it need not be installed

    given = answers.given
    if not len(given):
        return majority(answers, classes)
    frame = pd.DataFrame(
        {"task": given.objects, "worker": given.assessors, "label": given.classes}
    )
    model = GLAD(silent=True) if by == "glad" else MACE(random_state=0)
    found = model.fit_predict_proba(frame).sort_index().reindex(columns=range(classes))
    return found.index.to_numpy(np.int64), found.fillna(0.0).to_numpy(np.float64)
