"""A worker, which runs a job round by round, and the executor that does so in this process."""

import time
import traceback
from collections.abc import Sequence

import torch
from typing_extensions import override

from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.settings.common import ExecutionSpec
from alray.studies.events import Failed, describe
from alray.studies.retries import HERE, NOWHERE
from alray.studies.sweep.executor import Event, Executor, Job, Progress
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.records import RoundResult
from alray.studies.sweep.state import RunState

CHUNK_SECONDS = 1.0
"""A worker reports after the first round that ends later than this: long enough to make messages cheap, short enough
for a lively display and a quick answer to Ctrl-C."""


class Worker:
    """Plays one job at a time on a pool: the same code in this process and in a Ray actor."""

    def __init__(
        self, pool: PreparedPool, checksum: int, execution: ExecutionSpec, host: str
    ) -> None:
        torch.set_num_threads(execution.cpus_per_run)
        device = torch.device("cuda" if execution.gpus_per_run else "cpu")
        self._pool = PoolTensors(pool, device)
        self._checksum = checksum
        self._checkpoint_seconds = execution.checkpoint_seconds
        self._host = host
        self._job: Job | None = None
        self._experiment: Experiment | None = None
        self._unreported: list[RoundResult] = []
        self._last_checkpoint = 0.0

    @property
    def current(self) -> str | None:
        """Name of the job in progress."""
        return self._job.name if self._job else None

    def start(self, job: Job) -> None:
        """Take a job."""
        self._job = self._experiment = None
        state = None if job.state is None else RunState.from_bytes(job.state)
        self._experiment = Experiment(job.run, self._pool, time.perf_counter, state)
        self._job = job
        # A run that starts from the shared passive phase reports its round 0 too.
        fresh = state is not None and state.round == 0
        self._unreported = [self._experiment.round_zero()] if fresh else []
        self._last_checkpoint = time.monotonic()

    def advance(self, seconds: float = CHUNK_SECONDS) -> Progress:
        """Play rounds for about `seconds`, at least one unless the job is done, and report them.

        Results stay with the worker until a call returns, and rounds are absolute: what is played next depends on
        nothing but the state. After an error the job is dropped: half a round has no state to report.
        """
        job, experiment = self._in_progress()
        self._job = self._experiment = None
        begin = time.monotonic()
        while experiment.round < job.until:
            result = experiment.passive() if experiment.round < 0 else experiment.next_round()
            self._unreported.append(result)
            if time.monotonic() - begin >= seconds:
                break
        self._job, self._experiment = job, experiment
        due = time.monotonic() - self._last_checkpoint >= self._checkpoint_seconds
        return self.report(with_state=due or experiment.round >= job.until)

    def report(self, *, with_state: bool) -> Progress:
        """Return the results that were not reported yet; a state is given away only if the pool is as it was."""
        job, experiment = self._in_progress()
        state = None
        if with_state:
            self._pool.pool.verify(self._checksum)
            state = experiment.state().to_bytes()
            self._last_checkpoint = time.monotonic()
        results, self._unreported = self._unreported, []
        done = experiment.round >= job.until
        return Progress(job.name, results, experiment.round, state, done, self._host)

    def _in_progress(self) -> tuple[Job, Experiment]:
        if self._job is None or self._experiment is None:
            raise RuntimeError("the worker has no job")
        return self._job, self._experiment


class InlineExecutor(Executor):
    """Plays one job after the other in this process; real tracebacks, no start-up."""

    def __init__(self, pool: PreparedPool, execution: ExecutionSpec) -> None:
        self._pool = pool
        self._execution = execution
        self._worker: Worker | None = None
        self._job: Job | None = None
        self._threads = torch.get_num_threads()

    @override
    def __enter__(self) -> "InlineExecutor":
        checksum = self._pool.checksum()
        self._worker = Worker(self._pool, checksum, self._execution, HERE)
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self._worker = None
        torch.set_num_threads(self._threads)

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
    def submit(self, job: Job, host: str) -> None:
        self._job = job

    @override
    def wait(self, seconds: float) -> list[Event]:
        job, worker = self._job, self._worker
        if job is None or worker is None:
            return []
        try:
            if worker.current != job.name:
                worker.start(job)
            progress = worker.advance()
        except Exception as error:  # noqa: BLE001 -- the study goes on; the error is on record
            self._job = None
            return [Failed(job.name, describe(error), traceback.format_exc(), HERE)]
        if progress.done:
            self._job = None
        return [progress]

    @override
    def interrupt(self) -> list[Event]:
        job, worker = self._job, self._worker
        self._job = None
        if job is None or worker is None or worker.current != job.name:
            return []
        try:
            return [worker.report(with_state=True)]
        except Exception as error:  # noqa: BLE001 -- as in `wait`
            return [Failed(job.name, describe(error), traceback.format_exc(), HERE)]
