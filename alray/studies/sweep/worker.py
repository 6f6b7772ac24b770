"""A worker of a sweep: runs one job at a time, round by round."""

import time
from dataclasses import dataclass

import torch

from alray.custom.code import NO_CODE, CustomCode
from alray.custom.finding import prepare_worker, require_same_code
from alray.custom.packages import require_same_packages
from alray.networks.products import use_products
from alray.networks.tensors import ArrayTensors, PoolTensors
from alray.pools.shared import SharedPool
from alray.settings.common import ExecutionSpec
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.records import RoundResult
from alray.studies.sweep.state import RunState
from alray.training.fit import Epochs, complete
from alray.training.gpu.stacks import Stacks

CHUNK_SECONDS = 1.0
"""A worker reports after the first round that ends later than this: long enough to make messages cheap, short enough
for a lively display and a quick answer to Ctrl-C."""


@dataclass(frozen=True)
class Gpu:
    """What a worker shares with others of its process: the pool's arrays on the GPU, and stacks, with its row there."""

    arrays: ArrayTensors
    stacks: Stacks


class RunWorker:
    """Runs one job at a time on a pool: the same code in this process and in a Ray actor."""

    def __init__(
        self,
        pool: SharedPool,
        checksum: int,
        execution: ExecutionSpec,
        host: str,
        code: CustomCode = NO_CODE,
        gpu: Gpu | None = None,
    ) -> None:
        """Make a worker for a pool of this checksum.

        Args:
            pool: The pool.
            checksum: The pool's.
            execution: How it works.
            host: Its node's name.
            code: The driver's, where this is another process.
            gpu: What it shares with other workers of this process, where it computes on a GPU.
        """
        prepare_worker(code)
        self._code = code
        torch.set_num_threads(execution.cpus_per_run)
        use_products(execution.products)
        self._arrays = ArrayTensors(torch.device("cpu")) if gpu is None else gpu.arrays
        self._stacks = None if gpu is None else gpu.stacks
        self._execution = execution
        self._pool = pool
        self._checksum = checksum
        self._host = host
        self._current: tuple[Job, Experiment] | None = None
        self._unreported: list[RoundResult] = []
        self._last_checkpoint = 0.0

    def start(self, job: Job, start_from: bytes | None) -> None:
        """Take a job; `start_from` is the content of the checkpoint that it starts from, if any."""
        self._current = None
        require_same_packages(self._code)
        for each in job.custom_names():
            require_same_code(self._code, each)
        state = None if start_from is None else RunState.from_bytes(start_from)
        pool = PoolTensors(self._pool.view(job.run), self._arrays)
        experiment = Experiment(job.run, pool, time.perf_counter, state, self._stacks)
        self._current = job, experiment
        # A run that starts from the shared passive phase reports its round 0 too.
        fresh = state is not None and state.round == 0
        self._unreported = [experiment.round_zero()] if fresh else []
        self._last_checkpoint = time.monotonic()

    def advance(self, seconds: float = CHUNK_SECONDS) -> Progress:
        """Run rounds for about `seconds`, at least one unless the job is done, and report them."""
        return complete(self.advancing(seconds))

    def advancing(self, seconds: float = CHUNK_SECONDS) -> Epochs[Progress]:
        """Do the same; yield the epochs that a stack takes.

        Results stay with the worker until a call returns, and rounds are absolute: which comes next depends on
        nothing but the state. After an error the job is dropped: half a round has no state to report.
        """
        job, experiment = self._in_progress()
        self._current = None
        begin = time.monotonic()
        while experiment.round < job.until:
            passive = experiment.round < 0
            result = yield from (
                experiment.passive_epochs() if passive else experiment.next_epochs()
            )
            self._unreported.append(result)
            if experiment.learner.place is None:
                yield None  # it took its steps itself
            if time.monotonic() - begin >= seconds:
                break
        self._current = job, experiment
        due = time.monotonic() - self._last_checkpoint >= self._execution.checkpoint_seconds
        return self.report(with_state=due or experiment.round >= job.until)

    def report(self, *, with_state: bool) -> Progress:
        """Return the results that were not reported yet; a state is given away only if the pool is as it was."""
        job, experiment = self._in_progress()
        state = None
        if with_state:
            self._pool.verify(self._checksum)
            state = experiment.state().to_bytes()
            self._last_checkpoint = time.monotonic()
        results, self._unreported = self._unreported, []
        done = experiment.round >= job.until
        return Progress(job.name, results, experiment.round, state, done, self._host)

    def final_report(self) -> Progress:
        """Return the results that were not reported yet, with a state."""
        return self.report(with_state=True)

    def close(self) -> None:
        """Do nothing: the pool is checked before each state is given away."""

    def _in_progress(self) -> tuple[Job, Experiment]:
        if self._current is None:
            raise RuntimeError("the worker has no job")
        return self._current
