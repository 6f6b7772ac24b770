"""The runs of a process, several on a GPU: each goes its own way, and all take their training steps at once."""

import math
import traceback
from collections import defaultdict
from collections.abc import Iterable, Mapping

import torch

from alray.custom.code import NO_CODE, CustomCode
from alray.networks.tensors import ArrayTensors
from alray.pools.shared import SharedPool
from alray.settings.common import ExecutionSpec
from alray.studies.devices import is_gpu_failure, is_gpu_memory, precision, take_device
from alray.studies.events import Failure, describe
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.worker import Gpu, RunWorker
from alray.training.fit import Epochs
from alray.training.gpu.stack import Epoch, Stack, place_of
from alray.training.gpu.stacks import Stacks

Starts = Mapping[int, tuple[Job, bytes | None]]
"""By worker a new job, and the content of the checkpoint that it starts from, if any."""

Reports = Mapping[int, Progress | Failure]
"""By worker what its job has to report."""

Found = dict[int, Progress | Exception]


class RunGroup:
    """As many workers as runs share a process; each runs one job at a time."""

    def __init__(
        self,
        pool: SharedPool,
        checksum: int,
        execution: ExecutionSpec,
        host: str,
        code: CustomCode = NO_CODE,
        device: torch.device | None = None,
    ) -> None:
        """Make the workers; arguments are as `RunWorker`'s, and the device is the execution's if not given."""
        self._execution, self._host = execution, host
        runs = execution.runs_of_worker
        gpus: list[Gpu | None] = [None] * runs
        if execution.gpus_per_run:
            arrays, stacks = ArrayTensors(device or take_device(execution)), Stacks(runs)
            gpus = [Gpu(arrays, stacks.for_row(row)) for row in range(runs)]
        self._workers = [RunWorker(pool, checksum, execution, host, code, gpu) for gpu in gpus]
        self._jobs: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._workers)

    def advance(self, starts: Starts, rows: Iterable[int]) -> Reports:
        """Run the jobs of workers for about a second, and return what each reports, or that it has failed.

        Args:
            starts: New jobs by worker, each with the content of the checkpoint that it starts from, if any.
            rows: All workers that have a job.
        """
        found: Found = {}
        for row, (job, start_from) in starts.items():
            self._jobs[row] = job.name
            try:
                self._workers[row].start(job, start_from)
            except Exception as error:  # noqa: BLE001 -- the others go on; the error is on record
                found[row] = error
        works = {row: self._workers[row].advancing() for row in rows if row not in found}
        losses: dict[int, float] = {}
        with precision(self._execution):
            while works:
                epochs = _next_epochs(works, losses, found)
                losses = _take(works, epochs, found)
        return self._reports(found)

    def final_report(self, rows: Iterable[int]) -> Reports:
        """Return what the jobs of workers have not reported yet, with a state."""
        found: Found = {}
        for row in rows:
            try:
                found[row] = self._workers[row].final_report()
            except Exception as error:  # noqa: BLE001 -- the others still report
                found[row] = error
        return self._reports(found)

    def _reports(self, found: Found) -> Reports:
        return {
            row: each if isinstance(each, Progress) else self._failure(self._jobs[row], each)
            for row, each in found.items()
        }

    def _failure(self, job: str, error: Exception) -> Failure:
        lines = "".join(traceback.format_exception(error))
        # Without its GPU a process can compute nothing more, so it counts as lost.
        died, out_of_memory = is_gpu_failure(error), is_gpu_memory(error)
        return Failure(job, describe(error), self._host, lines, died, out_of_memory)


def _next_epochs(
    works: dict[int, Epochs[Progress]],
    losses: Mapping[int, float],
    found: Found,
) -> dict[int, Epoch | None]:
    """Let all go on to their next epoch; those that end are taken out, and what they return or raise is kept."""
    epochs: dict[int, Epoch | None] = {}
    for row, work in list(works.items()):
        try:
            epochs[row] = work.send(losses[row]) if row in losses else next(work)
        except StopIteration as end:
            found[row] = end.value
            del works[row]
        except Exception as error:  # noqa: BLE001 -- the others go on; the caller puts it on record
            found[row] = error
            del works[row]
    return epochs


def _take(
    works: dict[int, Epochs[Progress]],
    epochs: Mapping[int, Epoch | None],
    found: Found,
) -> dict[int, float]:
    """Take these epochs, those of one stack at once, and return their losses."""
    losses = dict.fromkeys(epochs, math.nan)
    by_stack: defaultdict[Stack, dict[int, Epoch]] = defaultdict(dict)
    for row, epoch in epochs.items():
        if epoch is not None:
            by_stack[place_of(epoch.learner).stack][row] = epoch
    for stack, of_stack in by_stack.items():
        try:
            losses |= dict(zip(of_stack, stack.run(list(of_stack.values())), strict=True))
        except Exception as error:  # noqa: BLE001 -- as above: it is the error of all of them
            for row in of_stack:
                found[row] = error
                del works[row]
    return losses
