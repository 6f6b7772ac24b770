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


@pytest.mark.parametrize(
    ("rule", "n", "expected"),
    [
        ("adaptive", 7, [7]),
        ("adaptive", 35, [12, 12, 11]),
        ("adaptive", 101, [11] * 9 + [2]),
        ("fixed", 1, [1]),
        ("fixed", 10, [10]),
        ("fixed", 23, [10, 10, 3]),
        ("upsample", 1, [10]),
        ("upsample", 10, [10]),
        ("upsample", 20, [10, 10]),
        ("upsample", 23, [10, 10, 10]),
    ],
)
def test_sizes_of_batches(rule, n, expected):
    assert [len(batch) for batch in cut(n, rule)] == expected


@given(n=st.integers(1, 3000), b=st.integers(1, 200))
def test_adaptive_batches_are_the_formula(n, b):
    wanted = n if n < b else b + math.ceil((n % b) / (n // b))
    found = [len(batch) for batch in cut(n, "adaptive", b)]
    assert set(found[:-1]) <= {wanted}
    assert found[-1] <= wanted
    assert len(found) == math.ceil(n / wanted)


@given(n=st.integers(1, 200), b=st.integers(1, 40), rule=st.sampled_from(["adaptive", "fixed"]))
def test_an_epoch_sees_each_object_once(n, b, rule):
    assert np.array_equal(np.sort(np.concatenate(cut(n, rule, b))), np.arange(n))


def test_upsampling_sees_each_object_and_fills_up_with_some_again():
    seen = np.concatenate(cut(23, "upsample"))
    assert set(seen[23:]) < set(range(23))
    assert sorted(seen[:23]) == list(range(23))


def test_the_generator_orders_the_epoch():
    one, same, other = (np.concatenate(cut(50, "fixed", seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
