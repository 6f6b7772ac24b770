"""Files of features on the nodes of a cluster: each node has them once, on its own disk.

They are those of this program on its own node, and where several nodes are one machine. To another node an actor copies
them, block by block through the object store, from the actor on this program's node. A file is gone with the actor.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import ray
from ray.exceptions import RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from alray.errors import AlrayError, ClusterError
from alray.pools.feature_storage.mapped_folder import mapped_folder, require_room
from alray.pools.feature_storage.writers import MappedRows
from alray.pools.pool import FeatureFile, SharedArrays
from alray.pools.shared import SharedPool
from alray.studies.events import describe

BLOCK_BYTES = 1 << 24
"""Features in the object store at a time, twice: a block is copied while the next one is on its way."""


class FileKeeper:
    """Keeps the files of a pool's features on a node; an actor.

    Args:
        files: This program's.
        source: The keeper to copy them from where they cannot be opened; None on this program's node.
    """

    def __init__(self, files: Sequence[FeatureFile], source: Any = None) -> None:
        self._given = files
        self._source = source
        self._open: list[tuple[FeatureFile, npt.NDArray[np.generic]]] = []

    def require_room(self) -> None:
        """Refuse a disk without room for copies, where they are needed.

        Raises:
            PoolError: Names the folder and the bytes.
            OSError: This node should have the files and cannot open them.
        """
        try:
            for file in self._given:
                file.opened()
        except OSError:
            if self._source is None:
                raise
            require_room(mapped_folder(), sum(file.nbytes for file in self._given))

    def files(self) -> list[FeatureFile]:
        """Return the files, or copies of them, that every process of this node can open.

        Raises:
            PoolError: The disk has no room for a copy.
            OSError: This node should have them and cannot open them.
        """
        if not self._open:
            self._open = [self._file(number) for number in range(len(self._given))]
        return [file for file, _ in self._open]

    def _file(self, number: int) -> tuple[FeatureFile, npt.NDArray[np.generic]]:
        try:
            return self._given[number].opened()
        except OSError:
            if self._source is None:
                raise
        return self._copy(number)

    def _copy(self, number: int) -> tuple[FeatureFile, npt.NDArray[np.generic]]:
        rows, dimension, dtype = ray.get(self._source.form.remote(number))
        writer = MappedRows(rows, dimension, np.dtype(dtype))
        step = max(1, BLOCK_BYTES // (dimension * np.dtype(dtype).itemsize))
        starts = iter(range(0, rows, step))
        coming = next(starts, None)
        block = None if coming is None else self._source.block.remote(number, coming, step)
        while block is not None:
            coming = next(starts, None)
            following = None if coming is None else self._source.block.remote(number, coming, step)
            writer.append(ray.get(block))
            block = following
        features, file = writer.finish()
        if file is None:
            raise RuntimeError("a copy of features has no file")
        return file, features

    def form(self, number: int) -> tuple[int, int, str]:
        """Return the rows, columns and type of a file's features."""
        self.files()
        features = self._open[number][1]
        return (*features.shape, str(features.dtype))

    def block(self, number: int, start: int, rows: int) -> npt.NDArray[np.generic]:
        """Return some of a file's rows."""
        self.files()
        return np.array(self._open[number][1][start : start + rows])


class PoolFiles:
    """The keepers of a pool's files, by the ids of their nodes; none where the features are in memory."""

    def __init__(self, files: Sequence[FeatureFile]) -> None:
        self._files = files
        self._own = ""
        self._source: Any = None
        self.keepers: dict[str, Any] = {}

    def keep_on(self, nodes: Iterable[str]) -> None:
        """Have the files made on nodes that have them not; it does not wait for that."""
        if not self._files:
            return
        self._own = self._own or ray.get_runtime_context().get_node_id()
        others = [node for node in nodes if node != self._own and node not in self.keepers]
        if others and self._source is None:
            self._source = _keeper(self._own).remote(self._files)
        for node in others:
            self.keepers[node] = _keeper(node).remote(self._files, self._source)

    def require_room(self, nodes: Sequence[Mapping[str, Any]]) -> None:
        """Refuse nodes whose disks have no room for the files; copies are made later, while others run.

        Args:
            nodes: Ray's entries of the nodes that are up.

        Raises:
            ClusterError: Names the node, the folder and the bytes.
        """
        names = {node["NodeID"]: node["NodeManagerHostname"] for node in nodes}
        keepers = {**self.keepers, **({} if self._source is None else {self._own: self._source})}
        checks = {node: keeper.require_room.remote() for node, keeper in keepers.items()}
        for node, check in checks.items():
            try:
                ray.get(check)
            except RayTaskError as error:
                raise ClusterError(
                    f"node {names.get(node, node)}: {_text(error.cause)}; or use pool.storage: memory"
                ) from None

    def close(self) -> None:
        """Let the keepers end, and with them their copies."""
        self.keepers.clear()
        self._source = None


def require_a_node(address: str | None, pool: SharedArrays) -> None:
    """Refuse a program outside the cluster, from which nodes could not copy files.

    Raises:
        ClusterError: It joins as a client.
    """
    if pool.files() and (address or "").startswith("ray://"):
        raise ClusterError(
            f"pool.storage: mapped needs a program on a node of the cluster, and {address} joins as a client; run it "
            "on a node, with --address HOST:6379, or use pool.storage: memory"
        )


def opened_here(pool: SharedPool, keeper: Any) -> SharedPool:
    """Return a pool that was sent to this node, with the files of its keeper open; None on this program's node."""
    files = pool.files()
    here = files if keeper is None or not files else ray.get(keeper.files.remote())
    found = {file.path: copy for file, copy in zip(files, here, strict=True)}
    return pool.opened(lambda file: found[file.path])


def _keeper(node: str) -> Any:
    """Return the class of actors that run on this node."""
    options: dict[str, Any] = {
        "num_cpus": 0,
        "max_restarts": -1,
        "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
    }
    return ray.remote(**options)(FileKeeper)


def _text(error: BaseException) -> str:
    return str(error) if isinstance(error, AlrayError) else describe(error)
