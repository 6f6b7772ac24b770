"""Pools in mapped files on Ray: workers map this program's file, and other machines get a copy."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import ray

from alray import api
from alray.errors import ClusterError
from alray.ray_executor import pool_files
from alray.ray_executor.pool_files import FileKeeper, PoolFiles, opened_here, require_a_node
from tests.helpers.studies import assert_same_records, settings

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]


def mapped(pool, **changes):
    return settings(pool, **changes) | {"pool": {"source": str(pool), "storage": "mapped"}}


def keeper(*given) -> Any:
    return ray.remote(num_cpus=0)(FileKeeper).remote(*given)


@pytest.fixture(scope="module")
def shared(pool):
    """Return the pool of a sweep, its features in files."""
    return api.plan_sweep(mapped(pool)).shared


@pytest.fixture
def elsewhere(shared):
    """Return its files as they are seen on another machine."""
    return [replace(file, path="/proc/1/fd/999999") for file in shared.files()]


def test_records_are_those_of_a_pool_in_memory(pool, undisturbed, tmp_path):
    found = api.sweep(mapped(pool, execution={"executor": "ray"}), results=tmp_path)
    assert_same_records(undisturbed, found)


def test_a_node_without_the_files_gets_copies_of_them(shared, elsewhere, monkeypatch):
    source = keeper(shared.files())
    there = keeper(elsewhere, source)
    ray.get(there.require_room.remote())
    monkeypatch.setattr(pool_files, "BLOCK_BYTES", 100)
    here = FileKeeper(elsewhere, source)  # several blocks, the last one smaller
    for copies in (ray.get(there.files.remote()), here.files()):
        for copy, file in zip(copies, shared.files(), strict=True):
            assert copy.inode != file.inode
            assert np.array_equal(copy.opened()[1], file.opened()[1])
    copied = opened_here(ray.get(ray.put(shared)), there)
    copied.verify(shared.checksum())
    assert [file.path for file in copied.files()] == [
        f.path for f in ray.get(there.files.remote())
    ]
    with pytest.raises(FileNotFoundError):
        FileKeeper(elsewhere).require_room()


def test_a_node_without_room_is_named(shared, elsewhere):
    files = PoolFiles([])
    large = [replace(file, size=2**60) for file in elsewhere]
    # A source that is never asked: there is no room for what it would give.
    files.keepers["far"] = keeper(large, "source")
    words = r"bytes are free on its disk, .* need 2,305,843,009,213,693,952 there .*; or use pool"
    with pytest.raises(ClusterError, match=rf"^node host: /.*: [\d,]+ {words}"):
        files.require_room([{"NodeID": "far", "NodeManagerHostname": "host"}])


def test_other_nodes_have_keepers_and_this_one_needs_none(shared):
    files = PoolFiles(shared.files())
    own = ray.get_runtime_context().get_node_id()
    files.keep_on([own])
    assert files.keepers == {}
    PoolFiles([]).keep_on(["far"])


def test_a_program_that_is_on_no_node_is_refused(pool, shared):
    require_a_node("ray://head:10001", api.plan_sweep(settings(pool)).shared)
    require_a_node("head:6379", shared)
    with pytest.raises(ClusterError, match="ray://head:10001 joins as a client; run it on a node"):
        require_a_node("ray://head:10001", shared)
