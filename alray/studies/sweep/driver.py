"""The driver of a study: joins schedule, executor and store. It is the only writer, and it names no cluster."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alray.analysis.sweep import summary
from alray.errors import ClusterError, Interrupted
from alray.seeding import generator
from alray.studies import tables
from alray.studies.events import Failed, Lost, Notice
from alray.studies.interrupts import stop_requested
from alray.studies.retries import NOWHERE, Failure
from alray.studies.sweep import records
from alray.studies.sweep.executor import Event, Executor, Job, Progress
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import RoundResult
from alray.studies.sweep.resume import (
    earlier_statuses,
    is_finished,
    recorded_seconds,
    sum_seconds,
    usable_checkpoints,
)
from alray.studies.sweep.schedule import Assignment, RunStatus, Schedule
from alray.studies.sweep.store import Store
from alray.training.checkpoint import read_metadata

WAIT_SECONDS = 0.2
"""How long the driver waits for news before it looks at Ctrl-C and the display again."""

STATUSES_SECONDS = 1.0
"""How long what has become of runs may wait to be written: their table is written as a whole."""


@dataclass
class _Rows:
    """Records of a run in progress, and the columns that name it in each of them."""

    name: Mapping[str, Any]
    rounds: list[dict[str, Any]] = field(default_factory=list)
    queries: list[dict[str, Any]] = field(default_factory=list)


class Driver:
    """Plays the runs of a plan that are not finished yet, and keeps what they yield."""

    def __init__(self, plan: Plan, store: Store, observer: Observer) -> None:
        self._plan = plan
        self._store = store
        self._observer = observer
        self._rows: dict[str, _Rows] = {}
        self._under_way: dict[str, Assignment] = {}
        self._hosts = NOWHERE
        self._statuses_written = 0.0
        self._statuses_due = False
        self._earlier = earlier_statuses(store)
        finished = frozenset(run.run_id for run in plan.runs if is_finished(store, run))
        checkpoints = usable_checkpoints(store, plan, finished)
        self.schedule = Schedule(
            plan.queue,
            attempts=plan.study.execution.attempts,
            finished=finished,
            checkpoints=frozenset(checkpoints),
        )
        self._names = {
            run.run_id: records.run_values(str(plan.study.name), run) for run in plan.runs
        }
        for run_id, status in self.schedule.runs.items():
            row = self._earlier.pop(run_id, None)
            if status.status != "finished":
                status.rounds_done = status.kept = checkpoints.get(run_id, -1)
            elif row is not None and row["status"] == "finished":
                status.seconds, status.host = row["seconds"], row["host"]
                status.attempts = row["attempts"]
            else:  # killed between the run's last records and its row
                status.seconds = recorded_seconds(store, run_id)

    def drive(self, start_executor: Callable[[], Executor]) -> None:
        """Play everything; an executor is started only if something is left to play.

        Raises:
            Interrupted: After Ctrl-C, everything known being on disk.
        """
        try:
            self._observer.begin(self._plan, self.schedule.runs)
            self._write_statuses()
            if not self.schedule.over:
                with start_executor() as executor, stop_requested() as stop:
                    self._loop(executor, stop)
        finally:
            self._observer.end()
        if all(status.status == "finished" for status in self.schedule.runs.values()):
            self._remove_passive_phases()

    def summarise(self) -> None:
        """Write a row per arm over all finished runs of the folder."""
        runs = self._store.read_runs()
        finished = runs.loc[runs["status"] == "finished", "run_id"]
        rounds = self._store.read_rounds(records.NO_ROUNDS, finished)
        rng = generator(self._plan.study.seed, 0, "bootstrap")
        self._store.write_summary(summary.summarise(rounds, runs, rng))

    def _loop(self, executor: Executor, stop: Callable[[], bool]) -> None:
        try:
            while not self.schedule.over:
                if stop():
                    self._stop(executor)
                self._start_jobs(executor)
                self._take_all(executor.wait(WAIT_SECONDS))
                if time.monotonic() - self._statuses_written >= STATUSES_SECONDS:
                    self._write_due_statuses()
                self._observer.tick()
        except ClusterError:
            self._write_due_statuses()
            raise
        self._write_due_statuses()

    def _stop(self, executor: Executor) -> None:
        self._observer.notice("stopping after the rounds in progress")
        self._take_all(executor.interrupt())
        self._write_statuses()
        raise Interrupted("stopped")

    def _start_jobs(self, executor: Executor) -> None:
        hosts = self._hosts = executor.hosts()
        executor.scale(self.schedule.upcoming, self.schedule.avoided(hosts))
        for host in executor.idle():
            assignment = self.schedule.next(host, hosts)
            if assignment is not None:
                self._start(executor, assignment)

    def _start(self, executor: Executor, assignment: Assignment) -> None:
        state = None
        if assignment.start_from is not None:
            state = self._store.read_checkpoint(assignment.start_from)
            self._recall(assignment, state)
        job = Job(assignment.name, assignment.run, assignment.until, state)
        self._under_way[job.name] = assignment
        executor.submit(job, assignment.host)
        self._observer.started(assignment)

    def _recall(self, assignment: Assignment, state: bytes) -> None:
        """Take up a run's records as they were at its checkpoint; later ones will be played again, to the bit."""
        rows = self._rows[assignment.name] = _Rows(self._names[assignment.name])
        status = self.schedule.runs[assignment.name]
        status.rounds_done, status.seconds = -1, 0.0
        if assignment.start_from != assignment.name:
            return
        kept = self._store.read_run(assignment.name)
        last = int(read_metadata(state)["round"])
        if kept is not None:
            rounds, queries = (table.to_pylist() for table in kept)
            rows.rounds = [row for row in rounds if row["round"] <= last]
            rows.queries = [row for row in queries if row["round"] <= last]
            status.rounds_done, status.seconds = last, sum_seconds(rows.rounds)

    def _take_all(self, events: Sequence[Event]) -> None:
        with self._store.batch():
            for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Progress():
                self._take_progress(event)
            case Failed():
                failure = Failure(event.host, event.error, event.traceback, died=False)
                self._take_failure(event.job, failure)
            case Lost():
                failure = Failure(event.host, event.reason, out_of_memory=event.out_of_memory)
                self._take_failure(event.job, failure)
            case Notice():
                self._observer.notice(event.text)

    def _take_failure(self, name: str, failure: Failure) -> None:
        assignment = self._under_way.pop(name)
        status = self.schedule.runs.get(name)
        if status is not None:
            status.host = failure.host or assignment.host
        victims = self.schedule.failure(name, failure, self._hosts)
        if failure.died:
            kept = -1 if status is None else status.kept
            self._observer.lost(assignment, failure, None if victims else kept)
        elif not victims:
            self._observer.moved(assignment, failure)
        for victim in victims:
            self._observer.failed(victim)
        self._statuses_due = True

    def _take_progress(self, event: Progress) -> None:
        status = self.schedule.runs.get(event.job)
        if status is not None:
            self._keep(status, event.results)
            status.host, status.rounds_done = event.host, event.round
        for result in event.results:
            self._observer.progressed(event.job, status, result.record)
        if event.state is not None:
            self._save(event, status)
        if event.done:
            self._under_way.pop(event.job)
            self.schedule.done(event.job)
            self._observer.ended(event.job, status)
            if status is not None:
                self._store.remove_checkpoint(event.job)
                self._rows.pop(event.job)
                self._statuses_due = True

    def _keep(self, status: RunStatus, results: Sequence[RoundResult]) -> None:
        rows = self._rows[status.run_id]
        rounds = records.round_rows(rows.name, results)
        rows.rounds += rounds
        rows.queries += records.query_rows(rows.name, results, self._plan.pool)
        status.seconds += sum_seconds(rounds)

    def _save(self, event: Progress, status: RunStatus | None) -> None:
        """Write the records, then the checkpoint that builds on them; a finished run needs no checkpoint."""
        if status is not None:
            rows = self._rows[event.job]
            self._store.write_run(
                event.job,
                tables.table(rows.rounds, records.ROUND_COLUMNS),
                tables.table(rows.queries, records.QUERY_COLUMNS),
            )
        if event.state is not None and (status is None or not event.done):
            self._store.write_checkpoint(event.job, event.state)
            self.schedule.checkpointed(event.job)
            if status is not None:
                status.kept = event.round

    def _write_due_statuses(self) -> None:
        if self._statuses_due:
            self._write_statuses()

    def _write_statuses(self) -> None:
        rows = [*self._earlier.values()]
        rows += [
            {**names, **status_values(self.schedule.runs[run_id])}
            for run_id, names in self._names.items()
        ]
        self._store.write_runs(tables.table(rows, records.STATUS_COLUMNS))
        self._statuses_written, self._statuses_due = time.monotonic(), False

    def _remove_passive_phases(self) -> None:
        for run in self._plan.runs:
            self._store.remove_checkpoint(run.passive_id)


def status_values(status: RunStatus) -> dict[str, Any]:
    """Return the columns of a run's row of `runs` that say how it stands."""
    settled = status.status if status.status in ("finished", "failed") else "unfinished"
    return {
        "status": settled,
        "error": status.error,
        "traceback": status.traceback,
        "attempts": status.attempts,
        "rounds_done": status.rounds_done,
        "seconds": status.seconds,
        "host": status.host,
    }
