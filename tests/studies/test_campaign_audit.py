"""The audit part: drawn with a known probability, for each object alone, so that accuracy is measured without bias."""

import numpy as np
import pytest
from scipy.stats import kstest

from alray.statistics.proportion import wilson
from alray.studies.campaign.audit import audits_wanted, places

NAMES = [f"post-{number}" for number in range(600)]
SEEDS = 150


@pytest.fixture(scope="module")
def orders():
    """Return (seeds, objects): the order in which each seed asks about the audit part."""
    return np.array([np.argsort(places(seed, NAMES)) for seed in range(SEEDS)])


def test_places_are_uniform_and_of_the_name_alone():
    found = places(0, NAMES)
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.array_equal(places(0, NAMES[::-1]), found[::-1])
    assert np.array_equal(places(0, ["new", *NAMES])[1:], found)
    assert abs(np.corrcoef(found, places(1, NAMES))[0, 1]) < 0.12


@pytest.mark.parametrize(("n", "accuracy"), [(20, 0.7), (30, 0.85), (60, 0.6)])
def test_the_first_of_them_measure_a_pools_accuracy(orders, n, accuracy):
    """On one pool whose hard objects come first: unbiased, and the interval holds it in 95 %, within four errors."""
    right = (np.arange(len(NAMES)) >= (1 - accuracy) * len(NAMES)).astype(float)
    estimates, held = [], []
    for order in orders:
        chosen = order[:n]
        found = wilson(right[chosen].sum(), float(n))
        estimates.append(found.share)
        held.append(found.low <= right.mean() <= found.high)
    error = np.std(estimates) / np.sqrt(SEEDS)
    assert abs(np.mean(estimates) - right.mean()) < 3 * error
    assert abs(np.mean(held) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / SEEDS)


def test_small_batches_have_their_share_in_the_end():
    asked = audited = 0
    for _ in range(30):
        wanted = audits_wanted(0.1, asked, audited, 3)
        asked, audited = asked + 3, audited + wanted
        assert abs(audited - 0.1 * asked) <= 0.5
    assert audited == 9
    assert audits_wanted(0.5, 0, 0, 1) in {0, 1}
    assert audits_wanted(0.1, 100, 40, 10) == 0
    assert audits_wanted(0.0, 100, 0, 10) == 0
