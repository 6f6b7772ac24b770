"""The class of which each actor is an instance: it runs one job after the other, or several at a time on a GPU."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import ray

from alray.custom.code import NO_CODE, CustomCode
from alray.pools.shared import SharedPool
from alray.ray_executor.pool_files import opened_here
from alray.settings.common import ExecutionSpec
from alray.studies.events import describe
from alray.studies.sweep.run_group import Reports, RunGroup, Starts

NO_KEEPERS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Started:
    """The reply of an actor that is up: its node's id, and in a line why it cannot run anything, "" where it can."""

    node: str
    error: str = ""


class RunActor:
    """A sweep's workers in an actor."""

    def __init__(
        self,
        pool: SharedPool,
        checksum: int,
        execution: ExecutionSpec,
        code: CustomCode = NO_CODE,
        keepers: Mapping[str, Any] = NO_KEEPERS,
    ) -> None:
        """Take what a worker needs; `keepers` are those of the pool's files on other nodes than this program's."""
        self._given = (checksum, execution)
        self._pool = pool
        self._code = code
        self._keepers = keepers

    def ready(self) -> Started:
        """Make the workers; an error is returned together with the node on which it happened."""
        node = ray.get_runtime_context().get_node_id()
        try:
            pool = opened_here(self._pool, self._keepers.get(node))
            self._group = RunGroup(pool, *self._given, platform.node(), self._code)
        except Exception as error:  # noqa: BLE001 -- it is returned
            return Started(node, describe(error))
        return Started(node)

    def advance(self, starts: Starts, rows: Sequence[int]) -> Reports:
        """Run the jobs of these workers for about a second; some start now."""
        return self._group.advance(starts, rows)

    def final_report(self, rows: Sequence[int]) -> Reports:
        """Return what was not reported yet, with states."""
        return self._group.final_report(rows)
