"""How often what to do next is to choose an arm that is no better, at first and after the seeds that are proposed."""

import re

import numpy as np
import pytest

from alray.analysis.sweep.next_steps import advising
from alray.analysis.sweep.summary import summarise
from studies.made_studies import frames_of

LABELS = 300.0 + 60 * np.arange(21)
ARMS = ("random", "a", "b", "c", "d")
STUDIES, SEEDS, MOST = 400, 8, 110


def equal_arms(rng):
    """Return arm: curves of seeds that share a level and have noise of their own, which lasts for some rounds."""
    level = 0.8 - 3.2 * LABELS**-0.4 + rng.normal(0, 0.012, (MOST, 1))
    curves = {}
    for arm in ARMS:
        noise = rng.normal(0, 0.006, (MOST, len(LABELS)))
        for at in range(1, len(LABELS)):
            noise[:, at] += 0.7 * noise[:, at - 1]
        curves[arm] = level + noise
    return curves


def decision(curves, seeds, rng):
    rounds, runs = frames_of(LABELS, {arm: values[:seeds] for arm, values in curves.items()})
    first, *_ = advising.next_steps(summarise(rounds, runs, rng), rounds, runs)
    return first


@pytest.mark.slow
def test_an_arm_is_chosen_no_more_often_than_the_test_errs(monkeypatch):
    """5 % at first; two looks at the same seeds err more often than one, by what results/README.md says."""
    monkeypatch.setattr(advising, "of_labels", lambda *_: ())
    rng = np.random.default_rng(2)
    at_first = in_the_end = 0
    for _ in range(STUDIES):
        curves = equal_arms(rng)
        step = decision(curves, SEEDS, rng)
        at_first += step.sentence.startswith("Let ")
        while step.kind == "more seeds":
            proposed = re.search(r"about (\d+) seeds instead", step.sentence)
            assert proposed is not None
            step = decision(curves, min(int(proposed[1]), MOST), rng)
        in_the_end += step.sentence.startswith("Let ")
    assert at_first / STUDIES < 0.08
    assert in_the_end / STUDIES < 0.10
