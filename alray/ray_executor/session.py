"""A connection to Ray with the pool in its object store: what actors and tasks share."""

import functools
import logging
import math
import os
import sys
from typing import Any

import ray
from ray.exceptions import RayError

from alray.errors import AlrayError, ClusterError, Interrupted
from alray.pools.pool import SharedArrays
from alray.ray_executor.address import cluster_address, require_answer, start_remedy
from alray.ray_executor.autoscaling import CapacityRequest, autoscales
from alray.ray_executor.liveness import view_of_ray
from alray.ray_executor.log_filter import filtered_stderr
from alray.ray_executor.nodes import Nodes, slots
from alray.ray_executor.pool_files import PoolFiles, require_a_node
from alray.ray_executor.preflight import STORE_FACTOR, Preflight, gib, require_object_store
from alray.ray_executor.security import require_token, token_warning
from alray.ray_executor.watchdog import Watchdog
from alray.ray_executor.worker_path import job_config
from alray.settings.common import ExecutionSpec
from alray.studies.events import describe
from alray.studies.interrupts import hangup_blocked
from alray.studies.retries import NOWHERE


class RaySession:
    """Joins or starts Ray, and keeps one copy of the pool on each node, with the checksum that it had at first.

    Attributes:
        pool: What workers take: the reference of the pool in the object store.
        files: Features that lie on the nodes' disks instead.
    """

    def __init__(self, pool: SharedArrays, execution: ExecutionSpec, runs: int = 1) -> None:
        """Get ready for workers of so many runs each."""
        self._pool = pool
        self._runs = runs
        self._execution = execution
        self._address = cluster_address(execution)
        self._connected_here = False
        self._preflight: Preflight | None = None
        self._request: CapacityRequest | None = None
        self._watchdog: Watchdog | None = None
        self._notices: list[str] = []
        self.pool: Any = None
        self.files = PoolFiles(pool.files())
        self.checksum = 0

    def open(self) -> None:
        """Connect, check that the nodes and the pool fit, and put it into the object store."""
        require_a_node(self._address, self._pool)
        self._connect()
        try:
            if self._connected_here:
                self._watch()
            self._check_nodes()
            # The one copy of the pool that a node holds: every worker maps NumPy arrays, it would copy tensors.
            self.checksum = self._pool.checksum()
            self.pool = ray.put(self._pool)
            nodes = alive_nodes()
            self.files.keep_on({node["NodeID"] for node in nodes} - self._unchecked())
            self.files.require_room(nodes)
        except BaseException:
            self._disconnect()
            raise

    def close(self) -> None:
        """Release the pool, and Ray if it was started or joined here.

        Raises:
            ClusterError: An error led here, and the cluster has ended: that is what it means.
        """
        self.pool = None
        self.files.close()
        error = sys.exc_info()[1]
        end = None
        if isinstance(error, Exception) and not isinstance(error, AlrayError):
            end = cluster_view().end()
        if self._request is not None and not cluster_view().end():
            self._request.take_back()
        self._disconnect()
        if end:
            raise ClusterError(end) from error

    def take_notices(self) -> list[str]:
        """Return the notices about the cluster that were not taken yet."""
        notices = self._notices.copy()
        self._notices.clear()
        return notices

    def worker_options(self) -> dict[str, Any]:
        """Return what one worker takes of a node, as options of `ray.remote`; its runs take turns on its CPUs."""
        options: dict[str, Any] = {
            "num_cpus": self._execution.cpus_per_run,
            # Ray knows parts of a GPU to the ten-thousandth.
            "num_gpus": math.floor(self._execution.gpus_per_run * self._runs * 1e4 + 1e-6) / 1e4,
        }
        if self._execution.memory_per_run:
            options["memory"] = int(self._execution.memory_per_run * self._runs * 2**30)
        return options

    def update(self, nodes: Nodes) -> None:
        """Bring the list of nodes up to date, with those that are not checked yet."""
        nodes.update(alive_nodes(), self.worker_options(), self._unchecked())

    def _unchecked(self) -> frozenset[str]:
        return NOWHERE if self._preflight is None else self._preflight.unchecked()

    def window(self) -> int:
        """Return how many runs are possible at a time, on nodes that fit; a cluster that grows is noticed.

        Raises:
            ClusterError: No node can hold a run, or the cluster is gone.
        """
        nodes = alive_nodes()
        if cluster_view().unreachable:
            return 0
        if self._preflight is not None:
            self._preflight.check_new()
        unchecked, options = self._unchecked(), self.worker_options()
        capacity = {
            node["NodeID"]: self._runs * slots(node["Resources"], options) for node in nodes
        }
        fit = sum(count for node, count in capacity.items() if node not in unchecked)
        self.files.keep_on(capacity.keys() - unchecked)
        if self._request is not None:
            self._notices += filter(None, [self._request.update(sum(capacity.values()))])
        elif not any(capacity.values()):
            raise ClusterError(self._too_small(nodes))
        return min(fit, self._execution.parallel or fit)

    def _too_small(self, nodes: list[dict[str, Any]]) -> str:
        wanted = self._execution
        have = ", ".join(sorted({_resources(node["Resources"]) for node in nodes}))
        memory = f" and {wanted.memory_per_run:g} GiB" if wanted.memory_per_run else ""
        return (
            f"no node can hold a run of {wanted.cpus_per_run} CPUs and {wanted.gpus_per_run:g} GPUs{memory}: the nodes "
            f"have {have}; lower --cpus-per-run, --gpus-per-run or --memory-per-run"
        )

    def _connect(self) -> None:
        if ray.is_initialized():
            return
        address = self._address
        require_answer(address)
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Without it, `uv run` would make Ray rebuild the environment in every worker.
        os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if not (address or "").startswith("ray://"):  # whose server has no such class
            options["job_config"] = job_config()
        cluster_view.cache_clear()
        try:
            if address is None:
                # Enough for the pool and what runs report.
                store = int(STORE_FACTOR * self._pool.nbytes) + 256 * 2**20
                with hangup_blocked():
                    ray.init(
                        address="local",
                        include_dashboard=False,
                        object_store_memory=store,
                        **options,
                    )
            else:
                with filtered_stderr():
                    ray.init(address=address, **options)
        except SystemExit as error:  # Ray's answer to SIGTERM
            raise Interrupted("stopped while Ray was starting") from error
        except (RayError, RuntimeError, ValueError, OSError) as error:
            what = f"join the Ray cluster at {address!r}" if address else "start a local Ray"
            raise ClusterError(
                f"cannot {what}: {describe(error).split('. ')[0]}; {start_remedy(error)}"
            ) from error
        self._connected_here = True

    def _check_nodes(self) -> None:
        """Check that the nodes are as the study needs them, and that a joined cluster asks for a token."""
        if self._address is None:
            for node in alive_nodes():
                require_object_store(node, self._pool.nbytes)
            return
        if not self._execution.insecure:
            require_token(ray.get_runtime_context().gcs_address)
            self._notices += filter(None, [token_warning()])
        self._preflight = Preflight(self._pool.nbytes, alive_nodes, self._notices.append)
        self._preflight.check_all()
        if autoscales():
            self._request = CapacityRequest(self.worker_options(), self._execution.parallel)

    def _watch(self) -> None:
        self._watchdog = Watchdog(cluster_view().endpoints)
        self._watchdog.start()

    def _disconnect(self) -> None:
        if self._connected_here:
            ray.shutdown()
            cluster_view.cache_clear()
            self._connected_here = False
        if self._watchdog is not None:
            self._watchdog.stop()


cluster_view = functools.cache(view_of_ray)
"""Returns the view of the one cluster that this process has joined."""


def alive_nodes() -> list[dict[str, Any]]:
    """Return Ray's entry of each node that is up.

    Raises:
        ClusterError: The cluster is gone.
    """
    return cluster_view().nodes()


def _resources(resources: dict[str, float]) -> str:
    """Write what a node has, as far as runs ask for it."""
    memory = f" and {gib(resources['memory'])}" if "memory" in resources else ""
    return f"{resources.get('CPU', 0.0):g} and {resources.get('GPU', 0.0):g}{memory}"
