"""The driver of a correlation study: joins plan, executor and store. It is the only writer, and it names no cluster."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from alray.errors import Interrupted
from alray.studies.correlation.base_model import Base
from alray.studies.correlation.executor import Performed, TaskEvent, TaskExecutor
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan, Grouping
from alray.studies.correlation.protocol import complete_bases, task_names
from alray.studies.correlation.store import CorrelationStore
from alray.studies.correlation.tasks import FineTune, Task
from alray.studies.events import Failed, Lost, Notice
from alray.studies.interrupts import stop_requested
from alray.studies.retries import NOWHERE, Failure, Retries

WAIT_SECONDS = 0.2
"""How long the driver waits for news before it looks at Ctrl-C and the display again."""


class CorrelationDriver:
    """Performs the tasks of a plan that are not on record yet.

    Attributes:
        failures: Per task that failed for good: its error in a line, and the same in full.
    """

    def __init__(
        self, plan: CorrelationPlan, store: CorrelationStore, observer: CorrelationObserver
    ) -> None:
        self._plan = plan
        self._store = store
        self._observer = observer
        self._done = store.done()
        self._waiting: deque[Task] = deque()
        self._under_way: dict[str, Task] = {}
        self._retries = Retries(plan.spec.execution.attempts)
        self._hosts = NOWHERE
        self._base_rows: dict[int, Mapping[str, Any]] = {}
        self._to_share: dict[int, bytes] = {}
        self._tasks: dict[int, list[FineTune]] = {}
        self.failures: dict[str, tuple[str, str]] = {}
        for start in plan.base_tasks():
            content = store.read_base(start.base)
            base = None if content is None else _whole(content)
            if content is None or base is None:
                self._waiting.append(start)
            else:
                self._take_base(start.base, base, content)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self._waiting and not self._under_way

    def drive(self, start_executor: Callable[[], TaskExecutor]) -> None:
        """Perform everything; an executor is started only if something is left to do.

        Raises:
            Interrupted: After Ctrl-C; what has ended by then is on disk.
        """
        try:
            recorded = sum(len(t) for tasks in self._tasks.values() for t in tasks)
            left = sum(len(task) for task in self._waiting if isinstance(task, FineTune))
            self._observer.begin(self._plan, recorded - left)
            for number, row in self._base_rows.items():
                self._observer.base_ready(number, row["accuracy"])
            if self._waiting:
                with start_executor() as executor, stop_requested() as stop:
                    self._loop(executor, stop)
                    executor.verify()
        finally:
            self._observer.end()

    def complete_bases(self) -> list[int]:
        """Return the bases whose every task is on record."""
        return complete_bases(self._plan.spec, self._tasks, self._done)

    def task_names(self, base: int) -> list[str]:
        """Return the names of a base's fine-tuning tasks."""
        return task_names(self._plan.spec, base)

    def _loop(self, executor: TaskExecutor, stop: Callable[[], bool]) -> None:
        while self._waiting or self._under_way:
            if stop():
                self._observer.notice("stopping; tasks under way will be done again next time")
                raise Interrupted("stopped")
            for base in list(self._to_share):
                executor.share(base, self._to_share.pop(base))
            hosts = self._hosts = executor.hosts()
            for _ in range(min(executor.free(), len(self._waiting))):
                task = self._waiting.popleft()
                self._under_way[task.name] = task
                executor.submit(task, self._retries.avoided(task.name, hosts))
                self._observer.started(task)
            events = executor.wait(WAIT_SECONDS)
            with self._store.batch():
                for event in events:
                    self._take(event)
            self._observer.tick()

    def _take(self, event: TaskEvent) -> None:
        match event:
            case Performed():
                self._take_result(event)
            case Failed():
                failure = Failure(event.host, event.error, event.traceback, died=False)
                self._take_failure(event.job, failure)
            case Lost():
                failure = Failure(event.host, event.reason, out_of_memory=event.out_of_memory)
                self._take_failure(event.job, failure)
            case Notice():
                self._observer.notice(event.text)

    def _take_result(self, event: Performed) -> None:
        del self._under_way[event.task.name]
        if isinstance(event.result, bytes):
            self._store.write_base(event.task.base, event.result)
            self._take_base(event.task.base, Base.from_bytes(event.result), event.result)
            self._observer.base_ready(
                event.task.base, self._base_rows[event.task.base]["accuracy"]
            )
        else:
            self._store.write_outcomes(event.task.name, event.result)
            self._done |= {event.task.name}
        self._observer.performed(event.task, event.seconds, event.host)

    def _take_failure(self, name: str, failure: Failure) -> None:
        task = self._under_way.pop(name)
        again = self._retries.add(name, failure, self._hosts)
        if failure.died:
            self._observer.lost(name, failure, again=again)
        elif again:
            self._observer.moved(name, failure)
        if again:
            self._waiting.appendleft(task)
            return
        self.failures[name] = self._retries.error(name)
        self._observer.failed(name, self.failures[name][0])

    def _take_base(self, number: int, base: Base, content: bytes) -> None:
        """Cut a base's sample into groups, write them down, and queue what is not done yet."""
        plan = self._plan
        groupings = plan.groupings(number, base.sample, base.scores)
        self._store.write_groups(number, group_rows(plan, number, base, groupings))
        labels = int(plan.spec.initial or 0)
        metrics = base.metrics
        self._base_rows[number] = {
            "base": number,
            "labels": labels,
            "accuracy": metrics.accuracy,
            "nll": metrics.nll,
            "macro_f1": metrics.macro_f1,
        }
        self._store.write_bases([row for _, row in sorted(self._base_rows.items())])
        self._tasks[number] = list(plan.tasks(number, groupings))
        self._waiting.extend(task for task in self._tasks[number] if task.name not in self._done)
        self._to_share[number] = content


def _whole(content: bytes) -> Base | None:
    """Return the base that a file holds; None where it is a copied half of one, whatever is wrong with it."""
    try:
        return Base.from_bytes(content)
    except Exception:  # noqa: BLE001 -- as above: the base is made again
        return None


def group_rows(
    plan: CorrelationPlan, number: int, base: Base, groupings: list[Grouping]
) -> pd.DataFrame:
    """Return a row per grouping and object of a base's sample."""
    place = pd.Series(np.arange(len(base.sample)), index=base.sample)
    frames = []
    for grouping in groupings:
        objects = grouping.objects.ravel()
        at = place[objects].to_numpy()
        frame = pd.DataFrame(
            {
                "base": number,
                "grouping": grouping.grouping,
                "sorted_by": grouping.sorted_by,
                "group": np.repeat(np.arange(len(grouping.objects)), grouping.objects.shape[1]),
                "id": plan.pool.ids[objects].astype(str),
                "label": np.asarray(plan.pool.classes, dtype=object)[
                    plan.prepared.labels[objects]
                ],
                **{name: values[at] for name, values in base.scores.items()},
            }
        )
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
