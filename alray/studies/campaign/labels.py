"""What answers say of objects: classes, or probabilities of classes where assessors differ."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from alray.assessors.aggregation import aggregate
from alray.assessors.answers import Answers
from alray.settings.campaign import Aggregation

Posterior = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Labels:
    """What is known of objects.

    Attributes:
        ids: (n,) in the order in which they were first answered.
        posterior: (n, classes) probability of each class.
        skills: Assessor: estimated share of right answers, classes alike.
    """

    ids: list[str]
    posterior: Posterior
    skills: dict[str, float]


def labels_of(given: pd.DataFrame, classes: tuple[str, ...], by: Aggregation) -> Labels:
    """Return what answers, a row each with `task`, `worker` and `label`, say together."""
    ids, workers = pd.unique(given["task"]), sorted(set(given["worker"]))
    codes = {name: number for number, name in enumerate(classes)}
    answers = Answers(
        np.zeros(len(given), dtype=np.int64),
        pd.Index(ids).get_indexer(pd.Index(given["task"])).astype(np.int64),
        pd.Index(workers).get_indexer(pd.Index(given["worker"])).astype(np.int64),
        np.array([codes[label] for label in given["label"]], dtype=np.int64),
    )
    if not len(answers):
        return Labels([], np.empty((0, len(classes))), {})
    found = aggregate(answers, len(workers), len(classes), by)
    skills = dict(zip(workers, found.skills.tolist(), strict=True))
    return Labels([str(each) for each in ids], found.posterior, skills)
