"""An executor whose runs cost nothing, so that what is left is the driver's own work; and what the runs report."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from typing_extensions import override

from alray.networks.tensors import PoolTensors
from alray.studies.retries import NOWHERE
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import RoundResult

WRITING = "files of one of these"
"""What is written after a look at all that has been reported: the files of passive phases, checkpoints and ends."""


@dataclass(frozen=True)
class Sample:
    """What a real run reports.

    Attributes:
        round_zero: The passive phase's result.
        result: A round's result.
        state: A checkpoint's content.
    """

    round_zero: RoundResult
    result: RoundResult
    state: bytes


def sample_of(plan: Plan) -> Sample:
    """Play a passive phase and a round of the plan's first run."""
    experiment = Experiment(plan.runs[0], PoolTensors(plan.prepared), time.perf_counter)
    round_zero, result = experiment.passive(), experiment.next_round()
    # A strategy that scores keeps a number for each queried object.
    scores = np.random.default_rng(0).random(len(result.indices))
    return Sample(round_zero, replace(result, scores=scores), experiment.state().to_bytes())


class Costs:
    """Seconds that the driver spent, by what it did: of the clock, and of the processor."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.wall: defaultdict[str, float] = defaultdict(float)
        self.processor: defaultdict[str, float] = defaultdict(float)
        self._begin = (0.0, 0.0)

    def begin(self) -> None:
        """Something begins."""
        self._begin = (time.perf_counter(), time.process_time())

    def end(self, kind: str, times: int = 1) -> None:
        """It was this, so many times; what comes next begins."""
        wall, processor = self._begin
        self.begin()
        self.times[kind] += times
        self.wall[kind] += self._begin[0] - wall
        self.processor[kind] += self._begin[1] - processor


class Watched(list[Event]):
    """Events of which it is measured how long the driver takes over each."""

    def __init__(self, events: list[Event], costs: Costs) -> None:
        super().__init__(events)
        self._costs = costs

    @override
    def __iter__(self) -> Iterator[Event]:
        self._costs.begin()
        for event in super().__iter__():
            yield event
            self._costs.end(_kind(event))


def _kind(event: Event) -> str:
    if not isinstance(event, Progress):
        raise TypeError(f"nothing goes wrong in a simulation: {event}")
    if event.done:
        return "end of a run" if event.round > 0 else "end of a passive phase"
    return "round" if event.state is None else "checkpoint"


class SimulatedRuns(Executor):
    """Workers that have a round ready whenever they are asked.

    Args:
        sample: What each reports.
        workers: Jobs at a time.
        together: Events that the driver hears of at a time.
        checkpoint_rounds: Rounds from one checkpoint of a run to the next.
    """

    def __init__(
        self, sample: Sample, *, workers: int, together: int, checkpoint_rounds: int
    ) -> None:
        self.costs = Costs()
        self._sample = sample
        self._workers, self._together = workers, together
        self._checkpoint_rounds = checkpoint_rounds
        self._running: deque[tuple[Job, int]] = deque()
        self._submitted = self._saved = 0

    @override
    def __enter__(self) -> "SimulatedRuns":
        self.costs.begin()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self._running.clear()

    @override
    def hosts(self) -> frozenset[str]:
        self.costs.end(WRITING, self._saved)
        self._saved = 0
        return frozenset(["simulated"])

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        self.costs.end("turn of the loop")

    @override
    def idle(self) -> Sequence[str]:
        return ["simulated"] * (self._workers - len(self._running))

    @override
    def submit(self, job: Job, host: str) -> None:
        # Without its state, which on Ray is the actor's from here on.
        self._running.append((replace(job, state=None), -1 if job.state is None else 0))
        self._submitted += 1

    @override
    def wait(self, seconds: float) -> list[Event]:
        self.costs.end("start of a run", self._submitted)
        self._submitted = 0
        taken = [self._running.popleft() for _ in range(min(self._together, len(self._running)))]
        return Watched([self._play(job, done + 1) for job, done in taken], self.costs)

    def _play(self, job: Job, number: int) -> Progress:
        done = number >= job.until
        if not done:
            self._running.append((job, number))
        due = done or (number > 0 and number % self._checkpoint_rounds == 0)
        self._saved += due
        results = [self._sample.round_zero] if number <= 1 else []
        if number > 0:
            record = {**self._sample.result.record, "round": number}
            results.append(replace(self._sample.result, record=record))
        state = self._sample.state if due else None
        return Progress(job.name, results, number, state, done, "simulated")

    @override
    def interrupt(self) -> list[Event]:
        self._running.clear()
        return []
