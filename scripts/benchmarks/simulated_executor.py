"""An executor whose runs cost nothing, so that only the driver's own work is left.

The inline executor cannot do this: it has one worker, which computes.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from typing_extensions import override

from alray.networks.tensors import PoolTensors
from alray.studies.events import Failure, Notice
from alray.studies.executor import Executor
from alray.studies.retries import NOWHERE
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.plan import Plan

WRITING = "files of one of these"
"""Files of passive phases, checkpoints and ends: written once all reports have been taken."""

Event = Progress | Failure | Notice


class Costs:
    """Seconds that the driver spent, by kind of work: of the clock, and of the processor."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.wall: defaultdict[str, float] = defaultdict(float)
        self.processor: defaultdict[str, float] = defaultdict(float)
        self._begin = (0.0, 0.0)

    def begin(self) -> None:
        """Let a piece of work begin now."""
        self._begin = (time.perf_counter(), time.process_time())

    def end(self, kind: str, times: int = 1) -> None:
        """Count the work since it began as this kind, done `times` times; the next piece begins now."""
        wall, processor = self._begin
        self.begin()
        self.times[kind] += times
        self.wall[kind] += self._begin[0] - wall
        self.processor[kind] += self._begin[1] - processor

    def frame(self) -> pd.DataFrame:
        """Return a row per kind of work: times, wall and processor seconds."""
        columns = {"times": self.times, "wall_s": self.wall, "processor_s": self.processor}
        frame = pd.DataFrame(columns).rename_axis("work").reset_index()
        return frame[frame["times"] > 0]


class TimedEvents(list[Event]):
    """Events; the time until the driver asks for the next one is counted as the cost of each."""

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
        raise TypeError(f"a simulated run cannot fail: {event}")
    if event.done:
        return "end of a run" if event.round > 0 else "end of a passive phase"
    return "round" if event.state is None else "checkpoint"


class SimulatedExecutor(Executor[Job, Progress]):
    """Workers that have a round ready whenever they are asked: the results of a plan's first run, again and again.

    Args:
        plan: The plan.
        workers: Jobs at a time.
        together: Events reported to the driver at a time.
        checkpoint_rounds: Rounds from one checkpoint of a run to the next.
    """

    def __init__(self, plan: Plan, workers: int, *, together: int, checkpoint_rounds: int) -> None:
        experiment = Experiment(plan.runs[0], PoolTensors(plan.prepared), time.perf_counter)
        self._round_zero, result = experiment.passive(), experiment.next_round()
        # A strategy that scores keeps a number for each queried object.
        scores = np.random.default_rng(0).random(len(result.indices))
        self._result = replace(result, scores=scores)
        self.costs, self.state = Costs(), experiment.state().to_bytes()
        self._workers, self._together = workers, together
        self._checkpoint_rounds = checkpoint_rounds
        self._running: deque[tuple[Job, int]] = deque()
        self._submitted = self._saved = 0

    @override
    def __enter__(self) -> "SimulatedExecutor":
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
    def submit(
        self, job: Job, start_from: bytes | None, host: str, avoid: frozenset[str] = NOWHERE
    ) -> None:
        self._running.append((job, -1 if start_from is None else 0))
        self._submitted += 1

    @override
    def wait(self, seconds: float) -> list[Event]:
        self.costs.end("start of a run", self._submitted)
        self._submitted = 0
        taken = [self._running.popleft() for _ in range(min(self._together, len(self._running)))]
        return TimedEvents([self._progress(job, done + 1) for job, done in taken], self.costs)

    def _progress(self, job: Job, number: int) -> Progress:
        done = number >= job.until
        if not done:
            self._running.append((job, number))
        due = done or (number > 0 and number % self._checkpoint_rounds == 0)
        self._saved += due
        results = [self._round_zero] if number <= 1 else []
        if number > 0:
            record = {**self._result.record, "round": number}
            results.append(replace(self._result, record=record))
        state = self.state if due else None
        return Progress(job.name, results, number, state, done, "simulated")

    @override
    def interrupt(self) -> list[Event]:
        self._running.clear()
        return []
