"""Confident learning (Northcutt et al. 2021, arXiv 1911.00068), by the library cleanlab."""

from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from alray.errors import SpecError
from alray.pools.pool import Indices
from alray.studies.suspects.fits import Probabilities


class Judgement(NamedTuple):
    """What is found of each label.

    Attributes:
        suspect: (objects,) the label is likely wrong.
        self_confidence: (objects,) probability of the label, in [0, 1]: labels are ranked by it.
        margin: (objects,) (that probability - the greatest other one + 1) / 2, in [0, 1].
    """

    suspect: npt.NDArray[np.bool_]
    self_confidence: npt.NDArray[np.float64]
    margin: npt.NDArray[np.float64]


def require_cleanlab() -> None:
    """Refuse to go on without the library.

    Raises:
        SpecError: It is not installed; says how to install it.
    """
    if find_spec("cleanlab") is None:
        raise SpecError(
            'suspects are found by cleanlab, which is not installed: pip install "alray[cleanlab]"'
        )


def judge(labels: Indices, probabilities: Probabilities) -> Judgement:
    """Return which labels are suspect: as many as confident learning counts, those with the least self-confidence.

    Confident learning counts an object as wrongly labelled where its probability of another class is above the mean
    that objects with this label have, and corrects the count by the classes' sizes. A label that the network would give
    too is never suspect.

    Args:
        labels: (objects,) classes.
        probabilities: By a network that did not learn these labels.
    """
    from cleanlab.filter import find_label_issues  # noqa: PLC0415 -- seconds, and it need not be installed
    from cleanlab.rank import get_label_quality_scores  # noqa: PLC0415 -- as above

    suspect = find_label_issues(labels, probabilities, filter_by="low_self_confidence", n_jobs=1)
    scores = {
        method: get_label_quality_scores(labels, probabilities, method=method)
        for method in ("self_confidence", "normalized_margin")
    }
    return Judgement(
        np.asarray(suspect, bool) & (probabilities.argmax(1) != labels),
        np.asarray(scores["self_confidence"], np.float64),
        np.asarray(scores["normalized_margin"], np.float64),
    )
