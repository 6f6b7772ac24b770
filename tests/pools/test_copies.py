"""Exact copies stay on one side of the split."""

import numpy as np
import pytest

from alray.pools.split import assign_parts
from alray.settings.common import SplitSpec
from tests.helpers.pools_fixtures import parquet, read, vectors


def with_copies(folder, count):
    """Write a pool whose second half repeats the `count` objects of the first, with other labels."""
    rng = np.random.default_rng(0)
    originals = rng.normal(size=(count, 2)).tolist()
    return parquet(
        folder,
        id=range(2 * count),
        label=rng.choice(["a", "b"], size=2 * count).tolist(),
        image=vectors([*originals, *originals]),
        text=None,
    )


def test_copies_are_one_group_and_do_not_cross_the_split(tmp_path):
    pool = read(with_copies(tmp_path, 200))
    assert pool.groups[:200].tolist() == pool.groups[200:].tolist()
    assert len(np.unique(pool.groups)) == 200
    part = assign_parts(pool, SplitSpec(), np.random.default_rng(1))
    assert part[:200].tolist() == part[200:].tolist()


def test_without_copies_or_with_copies_apart_there_are_no_groups(tmp_path):
    assert read(with_copies(tmp_path, 30), copies="apart").groups is None
    assert read(parquet(tmp_path)).groups is None


@pytest.mark.parametrize("copies", ["together", "apart"])
def test_groups_that_share_a_copy_become_one(tmp_path, copies):
    """x and y share a copy, z has none: with copies together x and y are one group."""
    rows = [[0.0, 1.0], [2.0, 3.0], [0.0, 1.0], [4.0, 5.0]]
    source = parquet(
        tmp_path,
        id=range(4),
        label=list("aabb"),
        image=vectors(rows),
        text=None,
        author=list("xxyz"),
    )
    first, second, third, fourth = read(source, group_by="author", copies=copies).groups.tolist()
    assert first == second
    assert (third == first) is (copies == "together")
    assert fourth not in (first, third)
