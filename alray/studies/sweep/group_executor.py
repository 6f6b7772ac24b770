"""The executor that runs a sweep's jobs on a GPU in this process, several at a time."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from typing_extensions import override

from alray.pools.shared import SharedPool
from alray.settings.common import ExecutionSpec
from alray.studies.events import Failure, Notice
from alray.studies.executor import Executor
from alray.studies.inline import InlineExecutor
from alray.studies.retries import HERE, NOWHERE
from alray.studies.sweep.jobs import Job, Progress, ends
from alray.studies.sweep.run_group import RunGroup
from alray.studies.sweep.worker import RunWorker


class GroupExecutor(Executor[Job, Progress]):
    """Runs jobs by a group of workers in this process, at most so many at a time.

    It may set PyTorch's number of threads, which is set back at the end.
    """

    def __init__(self, make_group: Callable[[], RunGroup], parallel: int | None = None) -> None:
        self._threads = torch.get_num_threads()
        self._group = make_group()
        self._most = min(parallel or len(self._group), len(self._group))
        self._rows: set[int] = set()
        self._starting: dict[int, tuple[Job, bytes | None]] = {}

    @override
    def __exit__(self, *_: object) -> None:
        torch.set_num_threads(self._threads)

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        pass

    @override
    def hosts(self) -> frozenset[str]:
        return frozenset([HERE])

    @override
    def idle(self) -> Sequence[str]:
        return [HERE] * (self._most - len(self._rows))

    @override
    def submit(
        self, job: Job, start_from: bytes | None, host: str, avoid: frozenset[str] = NOWHERE
    ) -> None:
        row = next(row for row in range(self._most) if row not in self._rows)
        self._rows.add(row)
        self._starting[row] = job, start_from

    @override
    def wait(self, seconds: float) -> Sequence[Progress | Failure | Notice]:
        starts, self._starting = self._starting, {}
        reports = self._group.advance(starts, self._rows)
        self._rows -= {row for row, event in reports.items() if ends(event)}
        return list(reports.values())

    @override
    def interrupt(self) -> Sequence[Progress | Failure | Notice]:
        begun = self._rows - self._starting.keys()
        self._rows, self._starting = set(), {}
        return list(self._group.final_report(begun).values())


def executor_here(pool: SharedPool, execution: ExecutionSpec) -> Executor[Job, Progress]:
    """Return the executor that runs a sweep's jobs in this process: several at a time on a GPU, one on the CPU."""
    if execution.gpus_per_run:
        make_group = partial(RunGroup, pool, pool.checksum(), execution, HERE)
        return GroupExecutor(make_group, execution.parallel)
    return InlineExecutor(lambda: RunWorker(pool, pool.checksum(), execution, HERE))
