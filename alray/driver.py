"""The driver of a study: joins schedule, executor and store. It is the only writer, and it names no cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alray import analysis, records
from alray.errors import Interrupted
from alray.executor import Event, Executor, Failed, Job, Lost, Notice, Progress
from alray.interrupts import stop_wish
from alray.loop import RoundResult
from alray.plan import Plan
from alray.schedule import Assignment, RunStatus, Schedule
from alray.seeding import generator
from alray.spec import RunSpec
from alray.state import RunState, read_metadata
from alray.store import Store

WAIT_SECONDS = 0.2
"""How long the driver waits for news before it looks at Ctrl-C and the display again."""


class Observer:
    """Told what happens; does nothing. A display overrides what it shows."""

    def begin(self, plan: Plan, statuses: Mapping[str, RunStatus]) -> None:
        """The study starts; some runs may be finished already."""

    def started(self, assignment: Assignment) -> None:
        """A job was handed to a worker."""

    def progressed(self, name: str, status: RunStatus | None, record: Mapping[str, Any]) -> None:
        """A round has ended; `status` is None for a passive phase."""

    def ended(self, name: str, status: RunStatus | None) -> None:
        """A run has finished, or a passive phase (`status` None)."""

    def failed(self, status: RunStatus) -> None:
        """A run has failed for good."""

    def lost(self, name: str, reason: str) -> None:
        """A worker has died; its job starts again."""

    def notice(self, text: str) -> None:
        """Something that people should know."""

    def tick(self) -> None:
        """Some time has passed."""

    def end(self) -> None:
        """Nothing more is coming."""


@dataclass
class _Rows:
    """Records of a run in progress."""

    rounds: list[dict[str, Any]] = field(default_factory=list)
    queries: list[dict[str, Any]] = field(default_factory=list)


class Driver:
    """Plays the runs of a plan that are not finished yet, and keeps what they yield."""

    def __init__(self, plan: Plan, store: Store, observer: Observer) -> None:
        self._plan = plan
        self._store = store
        self._observer = observer
        self._rows: dict[str, _Rows] = {}
        self._earlier = _earlier_statuses(store)
        finished = frozenset(run.run_id for run in plan.runs if is_finished(store, run))
        checkpoints = _usable_checkpoints(store, plan, finished)
        self.schedule = Schedule(
            plan.runs,
            attempts=plan.study.execution.attempts,
            finished=finished,
            checkpoints=frozenset(checkpoints),
        )
        for run_id, status in self.schedule.runs.items():
            row = self._earlier.pop(run_id, None)
            if status.status != "finished":
                status.rounds_done = checkpoints.get(run_id, -1)
            elif row is not None and row["status"] == "finished":
                status.seconds, status.host = row["seconds"], row["host"]
                status.attempts = row["attempts"]
            else:  # killed between the run's last records and its row
                status.seconds = _seconds(store, run_id)

    def drive(self, start_executor: Callable[[], Executor]) -> None:
        """Play everything; an executor is started only if something is left to play.

        Raises:
            Interrupted: After Ctrl-C, everything known being on disk.
        """
        try:
            self._observer.begin(self._plan, self.schedule.runs)
            self._write_statuses()
            if not self.schedule.over:
                with start_executor() as executor, stop_wish() as stop:
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
        self._store.write_summary(analysis.summarise(rounds, runs, rng))

    def _loop(self, executor: Executor, stop: Callable[[], bool]) -> None:
        while not self.schedule.over:
            if stop():
                self._observer.notice("stopping after the rounds in progress")
                for event in executor.interrupt():
                    self._take(event)
                self._write_statuses()
                raise Interrupted("stopped")
            executor.scale(self.schedule.upcoming)
            for _ in range(executor.idle()):
                self._start_next(executor)
            for event in executor.wait(WAIT_SECONDS):
                self._take(event)
            self._observer.tick()

    def _start_next(self, executor: Executor) -> None:
        assignment = self.schedule.next()
        if assignment is None:
            return
        state = None
        if assignment.start_from is not None:
            state = self._store.read_checkpoint(assignment.start_from)
            self._recall(assignment, state)
        executor.submit(Job(assignment.name, assignment.run, assignment.until, state))
        self._observer.started(assignment)

    def _recall(self, assignment: Assignment, state: bytes) -> None:
        """Take up a run's records as they were at its checkpoint; later ones will be played again, to the bit."""
        rows = self._rows[assignment.name] = _Rows()
        status = self.schedule.runs[assignment.name]
        status.rounds_done = -1
        if assignment.start_from != assignment.name:
            return
        kept = self._store.read_run(assignment.name)
        last = int(read_metadata(state)["round"])
        if kept is not None:
            rounds, queries = (table.to_pylist() for table in kept)
            rows.rounds = [row for row in rounds if row["round"] <= last]
            rows.queries = [row for row in queries if row["round"] <= last]
            status.rounds_done = last

    def _take(self, event: Event) -> None:
        match event:
            case Progress():
                self._take_progress(event)
            case Failed():
                for status in self.schedule.failed(event.job, event.error, event.traceback):
                    self._observer.failed(status)
                self._write_statuses()
            case Lost():
                self._observer.lost(event.job, event.reason)
                for status in self.schedule.lost(event.job, event.reason):
                    self._observer.failed(status)
                self._write_statuses()
            case Notice():
                self._observer.notice(event.text)

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
            self.schedule.done(event.job)
            self._observer.ended(event.job, status)
            if status is not None:
                self._store.remove_checkpoint(event.job)
                self._rows.pop(event.job)
                self._write_statuses()

    def _keep(self, status: RunStatus, results: Sequence[RoundResult]) -> None:
        name = str(self._plan.study.name)
        rows = self._rows[status.run.run_id]
        rows.rounds += records.round_rows(name, status.run, results)
        rows.queries += records.query_rows(name, status.run, results, self._plan.pool)
        status.seconds = _sum_seconds(rows.rounds)

    def _save(self, event: Progress, status: RunStatus | None) -> None:
        """Write the records, then the checkpoint that builds on them; a finished run needs no checkpoint."""
        if status is not None:
            rows = self._rows[event.job]
            self._store.write_run(
                event.job,
                records.table(rows.rounds, records.ROUND_COLUMNS),
                records.table(rows.queries, records.QUERY_COLUMNS),
            )
        if event.state is not None and (status is None or not event.done):
            self._store.write_checkpoint(event.job, event.state)
            self.schedule.checkpointed(event.job)

    def _write_statuses(self) -> None:
        rows = [*self._earlier.values()]
        rows += [status_row(str(self._plan.study.name), s) for s in self.schedule.runs.values()]
        self._store.write_runs(records.table(rows, records.STATUS_COLUMNS))

    def _remove_passive_phases(self) -> None:
        for run in self._plan.runs:
            self._store.remove_checkpoint(run.passive_id)


def is_finished(store: Store, run: RunSpec) -> bool:
    """Whether all rounds of a run are on record."""
    return store.count_rounds(run.run_id) == run.rounds + 1


def _usable_checkpoints(store: Store, plan: Plan, finished: frozenset[str]) -> dict[str, int]:
    """Return the checkpoints that the plan's runs can go on from, with their rounds; remove useless ones.

    A kill may leave one behind that its run no longer needs, and a copied folder may hold half a file, or a run's
    checkpoint without the records that led to it.
    """
    runs = {run.run_id for run in plan.runs}
    passives = {run.passive_id for run in plan.runs}
    usable: dict[str, int] = {}
    for name in store.checkpoints() & (runs | passives):
        last = None if name in finished else _checkpoint_round(store, name)
        if last is None or (name in runs and store.count_rounds(name) <= last):
            store.remove_checkpoint(name)
        else:
            usable[name] = last
    return usable


def _checkpoint_round(store: Store, name: str) -> int | None:
    """Return the round that a checkpoint was taken after, or None if it does not hold a state."""
    content = store.read_checkpoint(name)
    try:
        return RunState.from_bytes(content).round
    except Exception:  # noqa: BLE001 -- whatever is wrong with the content, the file is of no use
        return None


def _seconds(store: Store, run_id: str) -> float:
    kept = store.read_run(run_id)
    return 0.0 if kept is None else _sum_seconds(kept[0].to_pylist())


def _sum_seconds(rounds: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(row[column] for row in rounds for column in records.TIMING_COLUMNS))


def status_row(study: str, status: RunStatus) -> dict[str, Any]:
    """Return a run's row of `runs`."""
    settled = status.status if status.status in ("finished", "failed") else "unfinished"
    return {
        **records.run_values(study, status.run),
        "status": settled,
        "error": status.error,
        "traceback": status.traceback,
        "attempts": status.attempts,
        "rounds_done": status.rounds_done,
        "seconds": status.seconds,
        "host": status.host,
    }


def _earlier_statuses(store: Store) -> dict[str, dict[str, Any]]:
    """Return the rows of runs that earlier commands of this study have left, by run id."""
    if not store.has_runs():
        return {}
    rows = store.read_runs().to_dict("records")
    return {str(row["run_id"]): {str(key): value for key, value in row.items()} for row in rows}
