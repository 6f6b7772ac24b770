"""The executor that runs one job after the other in this process: real tracebacks, no start-up."""

import traceback
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, runtime_checkable

import torch
from typing_extensions import override

from alray.studies.events import Failure, Notice, describe
from alray.studies.executor import Executor, Job_contra, JobT, Result_co, ResultT
from alray.studies.retries import HERE, NOWHERE


@runtime_checkable
class Worker(Protocol[Job_contra, Result_co]):
    """Runs one job at a time: the same code in this process and on a cluster."""

    def start(self, job: Job_contra, start_from: bytes | None) -> None:
        """Take a job."""

    def advance(self) -> Result_co:
        """Run the job for about a second, or to its end, and report."""

    def final_report(self) -> Result_co | None:
        """Return what a job that is given up now has not reported yet, None where that is of no use."""

    def close(self) -> None:
        """Check what has to hold after the last job.

        Raises:
            RuntimeError: It does not hold.
        """


class InlineExecutor(Executor[JobT, ResultT], Generic[JobT, ResultT]):
    """Runs jobs by one worker in this process; it may set PyTorch's number of threads, which is set back at the end."""

    def __init__(self, make_worker: Callable[[], Worker[JobT, ResultT]]) -> None:
        self._threads = torch.get_num_threads()
        self._worker = make_worker()
        self._job: tuple[JobT, bytes | None] | None = None
        self._started = False

    @override
    def __exit__(self, *error: object) -> None:
        torch.set_num_threads(self._threads)
        if not any(error):
            self._worker.close()

    @override
    def hosts(self) -> frozenset[str]:
        return frozenset([HERE])

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        pass

    @override
    def idle(self) -> Sequence[str]:
        return [] if self._job else [HERE]

    @override
    def submit(
        self, job: JobT, start_from: bytes | None, host: str, avoid: frozenset[str] = NOWHERE
    ) -> None:
        self._job, self._started = (job, start_from), False

    @override
    def wait(self, seconds: float) -> Sequence[ResultT | Failure | Notice]:
        if self._job is None:
            return []
        job, start_from = self._job
        try:
            if not self._started:
                self._worker.start(job, start_from)
                self._started = True
            result = self._worker.advance()
        except Exception as error:  # noqa: BLE001 -- the study goes on; the error is on record
            self._job = None
            return [_failure(job.name, error)]
        if result.done:
            self._job = None
        return [result]

    @override
    def interrupt(self) -> Sequence[ResultT | Failure | Notice]:
        current, self._job = self._job, None
        if current is None or not self._started:
            return []
        try:
            report = self._worker.final_report()
        except Exception as error:  # noqa: BLE001 -- as in `wait`
            return [_failure(current[0].name, error)]
        return [] if report is None else [report]


def _failure(job: str, error: Exception) -> Failure:
    return Failure(job, describe(error), HERE, traceback.format_exc(), died=False)
