"""The driver of a correlation study: keeps bases, groups and outcomes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from typing_extensions import override

from alray.errors import StudyFailed
from alray.studies.correlation.base_model import Base
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import CorrelationPlan, Grouping
from alray.studies.correlation.protocol import complete_bases
from alray.studies.correlation.store import CorrelationStore
from alray.studies.correlation.tasks import FineTune, Task, TrainBase
from alray.studies.correlation.worker import Performed
from alray.studies.driver import Driver
from alray.studies.folder import ERRORS
from alray.studies.job_queue import JobQueue


class CorrelationDriver(Driver[Task, Performed, CorrelationObserver]):
    """Performs the tasks of a plan that are not on record yet, in its locked folder."""

    stop_notice = "stopping; tasks under way will be done again next time"

    def __init__(
        self,
        plan: CorrelationPlan,
        store: CorrelationStore,
        observers: Sequence[CorrelationObserver] = (),
    ) -> None:
        self._plan = plan
        self._store = store
        self._task_schedule = JobQueue[Task](plan.spec.execution.attempts)
        super().__init__(self._task_schedule, store, observers)
        self._done = store.done()
        self._bases: dict[int, bytes] = {}
        self._base_rows: dict[int, Mapping[str, Any]] = {}
        self._tasks: dict[int, list[FineTune]] = {}
        for number in range(plan.spec.bases):
            content = store.read_base(number)
            base = None if content is None else _read_base(content)
            if content is None or base is None:
                self._task_schedule.add([TrainBase(f"base-{number}", number)])
            else:
                self._take_base(number, base, content)

    @property
    def failures(self) -> Mapping[str, tuple[str, str]]:
        """Per task that failed for good: its error in a line, and the same in full."""
        return self._task_schedule.failures

    def require_a_complete_base(self) -> None:
        """Refuse to conclude a study without a base whose every task is on record.

        Raises:
            StudyFailed: There is none.
        """
        if complete_bases(self._plan.spec, self._tasks, self._done):
            return
        name, (error, _) = next(iter(self.failures.items()))
        raise StudyFailed(
            f"no base has all its fine-tunes: {len(self.failures)} tasks failed, the first ({name}) with {error}; "
            f"all are in {self._store.root}/{ERRORS}"
        )

    @override
    def _begin(self) -> None:
        recorded = sum(len(t) for tasks in self._tasks.values() for t in tasks)
        left = sum(len(t) for t in self._task_schedule.waiting if isinstance(t, FineTune))
        self._notify(lambda observer: observer.begin(self._plan, recorded - left))
        for number in self._base_rows:
            self._notify_base(number)

    @override
    def _start_from(self, job: Task) -> bytes | None:
        return self._bases.get(job.base)

    @override
    def _take_result(self, result: Performed) -> None:
        task = result.task
        self._end(task.name)
        if isinstance(result.result, bytes):
            self._store.write_base(task.base, result.result)
            self._take_base(task.base, Base.from_bytes(result.result), result.result)
            self._notify_base(task.base)
        else:
            self._store.write_outcomes(task.name, result.result)
            self._done |= {task.name}
        self._notify(lambda observer: observer.performed(task, result.seconds, result.host))

    @override
    def _give_up(self, failed: str) -> None:
        error, _ = self.failures[failed]
        self._notify(lambda observer: observer.failed(failed, error))

    def _notify_base(self, number: int) -> None:
        accuracy = float(self._base_rows[number]["accuracy"])
        self._notify(lambda observer: observer.base_ready(number, accuracy))

    def _take_base(self, number: int, base: Base, content: bytes) -> None:
        """Cut a base's sample into groups, write them down, and schedule what is not done yet."""
        plan = self._plan
        groupings = plan.groupings(number, base.sample, base.scores)
        self._store.write_groups(number, group_rows(plan, number, base, groupings))
        metrics = base.metrics
        self._base_rows[number] = {
            "base": number,
            "labels": int(plan.spec.initial or 0),
            "accuracy": metrics.accuracy,
            "nll": metrics.nll,
            "macro_f1": metrics.macro_f1,
        }
        self._store.write_bases([row for _, row in sorted(self._base_rows.items())])
        self._tasks[number] = list(plan.tasks(number, groupings))
        self._task_schedule.add(t for t in self._tasks[number] if t.name not in self._done)
        self._bases[number] = content


def _read_base(content: bytes) -> Base | None:
    """Return the base that a file holds; None where it cannot be read, as half a copy cannot."""
    try:
        return Base.from_bytes(content)
    except Exception:  # noqa: BLE001 -- content that cannot be read, for any reason: the base is made again
        return None


def group_rows(
    plan: CorrelationPlan, number: int, base: Base, groupings: list[Grouping]
) -> pd.DataFrame:
    """Return a row per grouping and object of a base's sample."""
    position = pd.Series(np.arange(len(base.sample)), index=base.sample)
    classes = np.asarray(plan.pool.classes, dtype=object)
    frames = []
    for grouping in groupings:
        objects = grouping.objects.ravel()
        at = position[objects].to_numpy()
        frame = pd.DataFrame(
            {
                "base": number,
                "grouping": grouping.grouping,
                "sorted_by": grouping.sorted_by,
                "group": np.repeat(np.arange(len(grouping.objects)), grouping.objects.shape[1]),
                "id": plan.pool.ids[objects].astype(str),
                "label": classes[plan.prepared.labels[objects]],
                **{name: values[at] for name, values in base.scores.items()},
            }
        )
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
