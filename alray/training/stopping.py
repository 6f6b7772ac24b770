"""Which labels stop a fit early, and which it then learns from."""

from dataclasses import dataclass

import numpy as np

from alray.errors import SpecError
from alray.pools.pool import Indices
from alray.settings.common import TrainingSpec

FEWEST = 2
"""Labels that `from_labels` needs: one to learn from and one to stop by."""


@dataclass(frozen=True)
class StoppingParts:
    """The labelled objects of one fit.

    Attributes:
        learned: (n,) objects to learn from, in the order in which they were labelled.
        held_out: (m,) objects whose NLL stops the fit; None where nothing does.
    """

    learned: Indices
    held_out: Indices | None


def stopping_parts(
    training: TrainingSpec, labelled: Indices, validation: Indices, rng: np.random.Generator
) -> StoppingParts:
    """Return the parts of a fit that may stop early.

    `from_labels` holds out `stopping_share` of the labels at random, rounded, one at least.

    Args:
        training: The fit's settings.
        labelled: (labels,) all labelled objects; `from_labels` needs two.
        validation: The pool's validation part, for `held_out`.
        rng: Draws the labels to hold out.
    """
    if training.stopping == "held_out":
        return StoppingParts(labelled, validation)
    if training.stopping == "fixed_epochs":
        return StoppingParts(labelled, None)
    held = held_out_count(training, len(labelled))
    order = rng.permutation(len(labelled))
    return StoppingParts(labelled[np.sort(order[held:])], labelled[np.sort(order[:held])])


def held_out_count(training: TrainingSpec, labels: int) -> int:
    """Return how many of so many labels a fit that may stop early does not learn from."""
    if training.stopping != "from_labels":
        return 0
    return min(max(1, round(training.stopping_share * labels)), labels - 1)


def check_stopping(training: TrainingSpec, initial: int) -> None:
    """Refuse to hold out a part of a single label.

    Raises:
        SpecError: Names both settings, and what works.
    """
    if training.stopping == "from_labels" and initial < FEWEST:
        raise SpecError(
            f"training.stopping: from_labels needs a label to learn from and one to stop by, and initial is {initial}; "
            f"use an initial of {FEWEST} or more, or --set training.stopping=fixed_epochs"
        )
