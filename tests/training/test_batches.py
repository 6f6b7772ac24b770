"""How the labelled objects are cut into batches."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alray.settings.common import TrainingSpec
from alray.training.batches import batches


def cut(n, rule, b=10, seed=0):
    spec = TrainingSpec(batch_size=b, batch_rule=rule)
    return list(batches(n, spec, np.random.default_rng(seed)))


@pytest.mark.parametrize(
    ("rule", "n", "expected"),
    [
        ("even", 1, [1]),
        ("even", 7, [7]),
        ("even", 19, [19]),
        ("even", 35, [12, 12, 11]),
        ("even", 101, [11] + [10] * 9),
        ("published", 7, [7]),
        ("published", 35, [12, 12, 11]),
        ("published", 101, [11] * 9 + [2]),
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


def near_a_square(b):
    """Return numbers of objects near b^2, where the published rule leaves a tiny last batch, and others."""
    near = st.integers(-2 * b, 2 * b).map(lambda rest: max(1, b * b + rest))
    return st.tuples(st.just(b), near | st.integers(1, 3000))


@given(st.integers(1, 70).flatmap(near_a_square))
@example((64, 34_843))
def test_even_batches_are_as_many_as_the_nominal_size_allows_and_as_large_as_each_other(case):
    b, n = case
    sizes = [len(batch) for batch in cut(n, "even", b)]
    assert len(sizes) == max(1, n // b)
    assert max(sizes) - min(sizes) <= 1
    assert min(n, b) <= min(sizes)
    assert max(sizes) < 2 * b or n < b


def test_the_published_rule_leaves_a_tiny_batch_and_even_batches_do_not():
    published, even = (
        min(len(batch) for batch in cut(34_843, rule, b=64)) for rule in ("published", "even")
    )
    assert (published, even) == (3, 64)


def test_the_former_name_of_the_published_rule_is_understood():
    assert TrainingSpec(batch_rule="adaptive") == TrainingSpec(batch_rule="published")
    assert TrainingSpec(batch_rule="adaptive").batch_rule == "published"


@given(n=st.integers(1, 3000), b=st.integers(1, 200))
def test_published_batches_are_the_formula(n, b):
    wanted = n if n < b else b + math.ceil((n % b) / (n // b))
    found = [len(batch) for batch in cut(n, "published", b)]
    assert set(found[:-1]) <= {wanted}
    assert found[-1] <= wanted
    assert len(found) == math.ceil(n / wanted)


@given(
    n=st.integers(1, 200),
    b=st.integers(1, 40),
    rule=st.sampled_from(["even", "published", "fixed"]),
)
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
