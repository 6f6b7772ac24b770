"""What tests of intervals share: draws that repeat, SciPy's t interval, and how often a truth is covered."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

WORLDS = 2000
"""Simulated worlds of a slow test of coverage."""


def generator(seed=0):
    return np.random.Generator(np.random.Philox(key=seed))


def ends(interval):
    return [interval.low, interval.estimate, interval.high]


def t_interval(values, level=0.95):
    """Return SciPy's t interval of the mean over the first axis: lower end, mean, upper end."""
    found = scipy_stats.ttest_1samp(values, 0).confidence_interval(level)
    return [found.low, np.mean(values, axis=0), found.high]


def sizes(quick):
    """Run a test in a few worlds and, as a slow test, in all."""
    return pytest.mark.parametrize("worlds", [quick, pytest.param(WORLDS, marks=pytest.mark.slow)])


def within(share, low, high, worlds):
    """Allow three standard errors of a share of so many worlds; none at the full number."""
    slack = 0.0 if worlds == WORLDS else 3 * math.sqrt(0.05 * 0.95 / worlds)
    print(f"coverage {share:.4f} of {worlds} worlds")  # noqa: T201 -- a figure to report
    return low - slack <= share <= high + slack
