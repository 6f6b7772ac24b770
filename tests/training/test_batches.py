"""How the labelled objects are cut into batches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alray.settings.common import TrainingSpec
from alray.training.batches import batches


def cut(n, rule, b=10, seed=0):
    spec = TrainingSpec(batch_size=b, batch_rule=rule)
    return list(batches(n, spec, np.random.default_rng(seed)))


def sizes(n, rule, b=10):
    return [len(batch) for batch in cut(n, rule, b)]


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, [1]),
        (7, [7]),
        (10, [10]),
        (11, [11]),
        (19, [19]),
        (20, [10, 10]),
        (23, [12, 11]),
        (35, [12, 12, 11]),
        (99, [11] * 9),
        (100, [10] * 10),
        (101, [11] * 9 + [2]),
    ],
)
def test_adaptive_batches(n, expected):
    assert sizes(n, "adaptive") == expected


@given(n=st.integers(1, 3000), b=st.integers(1, 200))
def test_adaptive_batches_are_the_formula(n, b):
    wanted = n if n < b else b + math.ceil((n % b) / (n // b))
    found = sizes(n, "adaptive", b)
    assert set(found[:-1]) <= {wanted}
    assert found[-1] <= wanted
    assert len(found) == math.ceil(n / wanted)


@pytest.mark.parametrize(
    ("rule", "n", "expected"),
    [
        ("fixed", 1, [1]),
        ("fixed", 10, [10]),
        ("fixed", 23, [10, 10, 3]),
        ("upsample", 1, [10]),
        ("upsample", 10, [10]),
        ("upsample", 20, [10, 10]),
        ("upsample", 23, [10, 10, 10]),
    ],
)
def test_other_batches(rule, n, expected):
    assert sizes(n, rule) == expected


@given(n=st.integers(1, 200), b=st.integers(1, 40), rule=st.sampled_from(["adaptive", "fixed"]))
def test_an_epoch_sees_each_object_once(n, b, rule):
    assert np.array_equal(np.sort(np.concatenate(cut(n, rule, b))), np.arange(n))


def test_upsampling_sees_each_object_and_fills_up_with_some_again():
    seen = np.concatenate(cut(23, "upsample"))
    assert set(seen) == set(range(23))
    assert sorted(seen[:23]) == list(range(23))


def test_the_generator_orders_the_epoch():
    one, same, other = (np.concatenate(cut(50, "fixed", seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
