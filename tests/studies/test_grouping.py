"""Groups are disjoint, equal in size and together the sample; the published sliding window is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alray.studies.correlation import grouping
from alray.studies.correlation.grouping import check_cover


def sample_of(count: int) -> np.ndarray:
    return np.random.default_rng(1).permutation(5 * count)[:count]


def test_groups_by_score_hold_neighbours_in_ascending_order():
    sample = sample_of(60)
    scores = np.random.default_rng(0).normal(size=60)
    groups = grouping.by_score(sample, scores, 10, np.random.default_rng(0))
    of_object = dict(zip(sample, scores, strict=True))
    in_order = [of_object[item] for item in groups.ravel()]
    assert in_order == sorted(scores)


def test_equal_scores_are_ordered_at_random_and_repeatably():
    sample, scores = np.arange(40), np.zeros(40)
    first, again, other = (
        grouping.by_score(sample, scores, 4, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first.ravel(), sample)


def test_within_class_groups_have_equal_histograms_and_rising_scores_in_each_class():
    rng = np.random.default_rng(0)
    sample = sample_of(1000)
    labels = rng.choice(4, size=1000, p=[0.6, 0.25, 0.1, 0.05])
    scores = rng.normal(size=1000) + 3 * labels
    groups = grouping.within_class(sample, scores, labels, 50, np.random.default_rng(0))
    label_of = dict(zip(sample, labels, strict=True))
    score_of = dict(zip(sample, scores, strict=True))
    counts = np.array([np.bincount([label_of[o] for o in g], minlength=4) for g in groups])
    assert np.ptp(counts, axis=0).max() <= 2
    for label in range(4):
        means = [np.mean([score_of[o] for o in g if label_of[o] == label]) for g in groups]
        assert all(np.diff(means) > 0)


def test_a_class_smaller_than_the_number_of_groups_is_spread_over_them():
    sample, labels = np.arange(400), np.repeat([0, 1], [395, 5])
    numbers = []
    for seed in range(30):
        groups = grouping.within_class(
            sample, np.arange(400.0), labels, 10, np.random.default_rng(seed)
        )
        numbers += [
            int(np.flatnonzero((groups == item).any(axis=1))[0]) for item in range(395, 400)
        ]
    assert min(numbers) < 4
    assert max(numbers) > 35


@pytest.mark.parametrize(
    ("groups", "objects", "message"),
    [
        (np.arange(100)[:, None] + np.arange(100), 199, "disjoint.*197 objects are in several"),
        (
            np.arange(8).reshape(2, 4),
            12,
            "0 objects are in several groups, 4 of the sample in none",
        ),
        (np.arange(8).reshape(2, 4), 4, "4 come from elsewhere"),
    ],
    ids=["the published sliding window", "objects left out", "foreign objects"],
)
def test_groups_that_do_not_cover_the_sample_once_are_refused(groups, objects, message):
    with pytest.raises(ValueError, match=message):
        check_cover(groups, np.arange(objects))


@given(st.integers(2, 7), st.integers(2, 9), st.integers(0, 1000))
def test_every_grouping_covers_any_sample(size, count, seed):
    rng = np.random.default_rng(seed)
    sample = rng.permutation(500)[: size * count]
    labels, scores = rng.integers(3, size=len(sample)), rng.normal(size=len(sample))
    for groups in (
        grouping.by_score(sample, scores, size, rng),
        grouping.within_class(sample, scores, labels, size, rng),
        grouping.at_random(sample, size, rng),
    ):
        assert groups.shape == (count, size)
        assert sorted(groups.ravel()) == sorted(sample)
