"""A connection to Ray with the pool in its object store: what actors and tasks share."""

import logging
import math
import os
import re
import socket
from typing import Any

import ray
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayError,
    WorkerCrashedError,
)

from alray.errors import ClusterError
from alray.executor import describe
from alray.pool import PreparedPool
from alray.spec import ExecutionSpec

LOSSES = (
    RayActorError,
    ActorDiedError,
    ActorUnavailableError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    WorkerCrashedError,
)
STORE_ROOM = 1.5
"""The object store must hold this many times the pool: a full one would spill to disk without a word."""

ANSWER_SECONDS = 10.0
"""How long to wait for a cluster's address to answer at all; Ray itself would try for minutes."""


class RaySession:
    """Joins or starts Ray, and keeps one copy of the pool on each node.

    Attributes:
        pool: Reference of the pool in the object store.
        checksum: Of the pool as it was put there.
    """

    def __init__(self, pool: PreparedPool, execution: ExecutionSpec) -> None:
        self._pool = pool
        self._execution = execution
        self._connected_here = False
        self.pool: Any = None
        self.checksum = 0

    def open(self) -> None:
        """Connect, check that the pool fits, and put it into the object store."""
        self._connect()
        try:
            check_object_stores(self._pool.nbytes)
            # The one copy of the pool that a node holds: every worker maps NumPy arrays, it would copy tensors.
            self.checksum = self._pool.checksum()
            self.pool = ray.put(self._pool)
        except BaseException:
            self._disconnect()
            raise

    def close(self) -> None:
        """Let go of the pool, and of Ray if it was started or joined here."""
        self.pool = None
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connected_here:
            ray.shutdown()
            self._connected_here = False

    def _connect(self) -> None:
        if ray.is_initialized():
            return
        address = self._execution.address
        require_answer(address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Without it, `uv run` would make Ray rebuild the environment in every worker.
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        try:
            if address is None:
                ray.init(
                    address="local",
                    include_dashboard=False,
                    object_store_memory=_local_store(self._pool.nbytes),
                    **options,
                )
            else:
                ray.init(address=address, **options)
        except (RayError, RuntimeError, ValueError, OSError) as error:
            what = f"join the Ray cluster at {address!r}" if address else "start a local Ray"
            raise ClusterError(
                f"cannot {what}: {describe(error)}; --executor inline needs no Ray"
            ) from error
        self._connected_here = True

    def window(self) -> int:
        """Return how many runs may play at a time; a cluster that grows is noticed."""
        cpus, gpus = self._execution.cpus_per_run, self._execution.gpus_per_run
        nodes = [
            (node["Resources"].get("CPU", 0.0), node["Resources"].get("GPU", 0.0))
            for node in alive_nodes()
        ]
        fit = sum(
            int(min(node_cpus / cpus, node_gpus / gpus if gpus else math.inf))
            for node_cpus, node_gpus in nodes
        )
        if fit == 0:
            have = ", ".join(sorted({f"{cpu:g} and {gpu:g}" for cpu, gpu in nodes}))
            raise ClusterError(
                f"no node can hold a run of {cpus} CPUs and {gpus:g} GPUs: the nodes have {have}; "
                "lower --cpus-per-run or --gpus-per-run"
            )
        return min(fit, self._execution.parallel or fit)


def check_object_stores(pool_bytes: int) -> None:
    """Refuse a cluster on which the pool does not fit: Ray would move it to disk without saying so.

    Raises:
        ClusterError: Names the node and both sizes.
    """
    needed = STORE_ROOM * pool_bytes
    for node in alive_nodes():
        room = node["Resources"].get("object_store_memory", 0.0)
        if room < needed:
            raise ClusterError(
                f"node {node['NodeManagerHostname']}: its object store has {_size(room)}, the pool needs "
                f"{_size(needed)} ({STORE_ROOM:g} times its size); start Ray with a larger --object-store-memory (in a "
                f"container also --shm-size), or set pool.dtype: float16"
            )


def _local_store(pool_bytes: int) -> int:
    """Return the size of a local object store: enough for the pool and what runs report."""
    return int(STORE_ROOM * pool_bytes) + 256 * 2**20


def _size(count: float) -> str:
    return f"{count / 2**30:.2f} GiB"


def alive_nodes() -> list[dict[str, Any]]:
    """Return what Ray says about each node that is up."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node for node in nodes if node["Alive"]]


def require_answer(address: str | None) -> None:
    """Refuse an address behind which nothing listens.

    Raises:
        ClusterError: Nothing answers within `ANSWER_SECONDS`.
    """
    place = re.fullmatch(r"(?:ray://)?\[?([^/\s]+?)\]?:(\d+)", address or "")
    if place is None:  # `auto` and the like: Ray knows
        return
    try:
        socket.create_connection((place[1], int(place[2])), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address!r}: {error}; --executor inline needs no Ray"
        ) from error


def reason(error: BaseException) -> str:
    """Return the line of Ray's report that says why: how a process ended, or a traceback's last line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    ends = [line for line in lines if line.startswith("The actor is dead")]
    line = (ends or lines or [type(error).__name__])[-1]
    return line.partition(" Some common causes")[0]
