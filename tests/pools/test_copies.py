"""Exact copies stay on one side of the split."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.pools.reading import read_pool
from alray.pools.split import assign_parts
from alray.settings.common import PoolSpec, SplitSpec


def write(path, rows, groups=None):
    """Write one row per (features, label)."""
    columns = {
        "id": [f"object-{number}" for number in range(len(rows))],
        "label": [label for _, label in rows],
        "image": pa.array([vector for vector, _ in rows], pa.list_(pa.float32(), 2)),
    }
    if groups is not None:
        columns["author"] = groups
    pq.write_table(pa.table(columns), path)
    return str(path)


def copies(n):
    """Return n pairs of equal objects, the labels of a pair not always equal."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(n, 2)).tolist()
    labels = rng.choice(["a", "b"], size=2 * n).tolist()
    return list(zip([*vectors, *vectors], labels, strict=True))


def test_copies_are_one_group(tmp_path):
    """The second half of the file repeats the first."""
    pool = read_pool(PoolSpec(source=write(tmp_path / "pool.parquet", copies(30))))
    assert pool.groups is not None
    assert pool.groups[:30].tolist() == pool.groups[30:].tolist()
    assert len(np.unique(pool.groups)) == 30


def test_no_copy_crosses_the_split(tmp_path):
    """A copy lies in the part of its original, also if their labels differ."""
    pool = read_pool(PoolSpec(source=write(tmp_path / "pool.parquet", copies(200))))
    part = assign_parts(pool, SplitSpec(), np.random.default_rng(1))
    assert part[:200].tolist() == part[200:].tolist()


def test_copies_may_be_left_apart(tmp_path):
    """A setting gives the plain split back."""
    source = write(tmp_path / "pool.parquet", copies(30))
    assert read_pool(PoolSpec(source=source, copies="apart")).groups is None


def test_without_copies_there_are_no_groups(tmp_path):
    """A pool of different objects is split object by object."""
    source = write(tmp_path / "pool.parquet", copies(30)[:30])
    assert read_pool(PoolSpec(source=source)).groups is None


@pytest.mark.parametrize("copies_setting", ["together", "apart"])
def test_groups_that_share_a_copy_become_one(tmp_path, copies_setting):
    """x and y share a copy, z has none: with copies together x and y are one group."""
    rows = [([0.0, 1.0], "a"), ([2.0, 3.0], "a"), ([0.0, 1.0], "b"), ([4.0, 5.0], "b")]
    source = write(tmp_path / "pool.parquet", rows, groups=["x", "x", "y", "z"])
    pool = read_pool(PoolSpec(source=source, group_by="author", copies=copies_setting))
    assert pool.groups is not None
    first, second, third, fourth = pool.groups.tolist()
    assert first == second
    assert (third == first) is (copies_setting == "together")
    assert fourth not in (first, third)
