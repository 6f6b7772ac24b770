"""Who is ahead of whom: equal arms are seldom called ahead, and better ones are."""

import numpy as np

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.wins import wins
from tests.helpers.intervals import generator, sizes, within
from tests.helpers.simulated_curves import LABELS, world


def leads(rng, growth, seeds=6):
    """Return by how much each of four arms is ahead of each other, as a share of the label counts.

    Two of them learn faster by `growth`; each has curves of its own.
    """
    curves = [values for _ in range(2) for values in world(rng, seeds, growth, jitter=0.0005)]
    arms = [
        ArmCurves(str(number), "", tuple(range(seeds)), LABELS, {"accuracy": values})
        for number, values in enumerate(curves)
    ]
    found = wins(arms, "accuracy", rng)
    return (found["wins"] - found["losses"]) / len(LABELS)


@sizes(25)
def test_equal_arms_are_seldom_ahead(worlds):
    """A tenth of the label counts, in 5 % of studies at most: the t intervals alone do so in half of them."""
    rng = generator()
    share = np.mean([(leads(rng, 0.0) >= 0.1).any() for _ in range(worlds)])
    assert within(share, 0.0, 0.05, worlds)


def test_better_arms_are_ahead_of_worse_ones():
    of_pairs = leads(generator(1), 0.6, seeds=20)
    assert sorted(of_pairs >= 0.1) == [False] * 8 + [True] * 4
