"""The driver of a choice: hands out the parts of a pool, and keeps the best objects of all that were read."""

from collections.abc import Callable, Sequence

import numpy as np
from typing_extensions import override

from alray.errors import StudyFailed
from alray.pools.pool import Texts
from alray.pools.slices import Counts
from alray.studies.choosing.choice import Choice, notes_on, require_candidates, require_distinct
from alray.studies.choosing.comparing import choose_by_comparing, require_labelled
from alray.studies.choosing.observer import ChoosingObserver
from alray.studies.choosing.part_worker import PartDone, PartJob
from alray.studies.choosing.ranked import Ranked, best_together
from alray.studies.choosing.work import Choosing
from alray.studies.driver import Driver
from alray.studies.executor import Executor
from alray.studies.job_queue import JobQueue


class ChoosingDriver(Driver[PartJob, PartDone, ChoosingObserver]):
    """Reads the parts of a pool in any order and number at a time; the result does not depend on that."""

    stop_notice = "stopping; nothing is chosen, and the same command begins again"

    def __init__(self, work: Choosing, observers: Sequence[ChoosingObserver] = ()) -> None:
        self._work = work
        self._queue = JobQueue[PartJob](work.execution.attempts)
        self._queue.add(PartJob(part) for part in work.pool.files.parts)
        super().__init__(self._queue, None, observers)
        self._kept: Ranked | None = None
        self._counts = Counts()

    def choose(self, start_executor: Callable[[], Executor[PartJob, PartDone]]) -> Choice:
        """Read everything, and return what is chosen.

        Raises:
            AlrayError: The pool cannot be used, or holds no object that may be chosen.
            Interrupted: After Ctrl-C.
        """
        require_labelled(self._work)
        self.drive(start_executor)
        require_candidates(self._work, self._counts)
        if self._kept is None:
            raise RuntimeError("there are candidates, and none was kept")
        return self._choice(self._kept)

    def _choice(self, kept: Ranked) -> Choice:
        work = self._work
        require_distinct(work, kept.ids)
        chosen, scores = np.arange(min(work.number, len(kept))), kept.scores
        if work.rule.compares:
            # In the order of the pool, as a strategy has its candidates where all are in memory.
            kept = kept.by_row()
            query = choose_by_comparing(work, kept, len(chosen))
            chosen, found = query.indices, query.scores
        else:
            found = scores[chosen]
        rows = kept.rows[chosen]
        files: Texts = np.array([work.pool.files.file_of(row) for row in rows.tolist()], object)
        notes = notes_on(work, self._counts, len(kept))
        return Choice(kept.ids[chosen], found, rows, files, self._counts, notes)

    @override
    def _begin(self) -> None:
        self._notify(lambda observer: observer.begin(self._work))

    @override
    def _start(self, executor: Executor[PartJob, PartDone], job: PartJob, host: str) -> None:
        # What is worse than all that is kept is not sent back: features of a short list are megabytes.
        limit = np.inf if self._kept is None else self._kept.worst(self._work.rule.keep)
        super()._start(executor, PartJob(job.part, limit), host)

    @override
    def _start_from(self, job: PartJob) -> None:
        return None

    @override
    def _take_result(self, result: PartDone) -> None:
        if result.refused is not None:
            raise result.refused
        self._end(result.job)
        self._counts.add(result.counts)
        found = [each for each in (self._kept, result.ranked) if each is not None]
        if found:
            self._kept = best_together(found, self._work.rule.keep)
        self._notify(lambda observer: observer.read(result))

    @override
    def _give_up(self, failed: str) -> None:
        reason, _ = self._queue.failures[failed]
        raise StudyFailed(
            f"{self._work.pool.files.path}: {failed} of {len(self._work.pool.files.parts):,} could not be read: "
            f"{reason}; without it the choice would be another, so nothing is chosen"
        )
