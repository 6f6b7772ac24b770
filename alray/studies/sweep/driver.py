"""The driver of a sweep: keeps the records and checkpoints of runs, and a table of where each run stands."""

import logging
import platform
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from typing_extensions import override

from alray.seeding import generator
from alray.settings.run import RunSpec
from alray.studies.driver import Driver
from alray.studies.events import Failure
from alray.studies.machine import own_software
from alray.studies.retries import HERE
from alray.studies.sweep import records
from alray.studies.sweep.extension import explain, find_extensions, take_over
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.recorded_rows import rows_that_stay
from alray.studies.sweep.run_rows import RunRows
from alray.studies.sweep.schedule import RunSchedule
from alray.studies.sweep.state import RunState
from alray.studies.sweep.status import RunStatus
from alray.studies.sweep.store import SweepStore
from alray.training.checkpoint import read_metadata

_logger = logging.getLogger(__name__)

STATUSES_SECONDS = 1.0
"""How long changes of where runs stand may wait to be written: their table is written as a whole."""


class SweepDriver(Driver[Job, Progress, Observer]):
    """Runs what is not finished yet of a plan, in its locked folder."""

    stop_notice = "stopping after the rounds in progress"

    def __init__(
        self,
        plan: Plan,
        store: SweepStore,
        observers: Sequence[Observer] = (),
        *,
        statuses_seconds: float = STATUSES_SECONDS,
    ) -> None:
        self._plan = plan
        self._store = store
        self._statuses_seconds = statuses_seconds
        self._statuses_written = 0.0
        self._statuses_due = False
        # Rows of the rounds and of the queries of each run in progress.
        self._rows: dict[str, RunRows] = {}
        extensions = find_extensions(store, plan.runs, store.counts())
        self._others = rows_that_stay(store, plan, extensions)
        for line in explain(extensions):
            _logger.info(line)
        self._superseded = take_over(store, extensions)
        finished = frozenset(
            run.run_id for run in plan.runs if store.count_rounds(run.run_id) == run.rounds + 1
        )
        checkpoints = _usable_checkpoints(store, plan, finished)
        self._runs_schedule = RunSchedule(
            plan.queue,
            attempts=plan.study.execution.attempts,
            finished=finished,
            checkpoints=frozenset(checkpoints),
        )
        super().__init__(self._runs_schedule, store, observers)
        self._names = {
            run.run_id: records.run_values(str(plan.study.name), run) for run in plan.runs
        }
        self._runs = self._runs_schedule.runs
        for run in self._runs.values():
            run.parameters = plan.parameters.get(run.run.variant)
            self._recall_status(run, self._others.pop(run.run_id, None), checkpoints)

    def _recall_status(
        self, run: RunStatus, row: dict[str, Any] | None, checkpoints: dict[str, int]
    ) -> None:
        """Set how far a run is, by its row of `runs`, its records and its checkpoint."""
        if row is not None:
            # Files from before these were recorded have no such columns.
            known = (row.get(name) for name in ("machine", "software"))
            run.machine, run.software = (each if isinstance(each, str) else "" for each in known)
        if not run.finished:
            run.rounds_done = run.kept = checkpoints.get(run.run_id, -1)
            return
        run.rounds_done = run.run.rounds
        if row is not None and row["status"] == "finished":
            run.attempts, run.seconds, run.host = row["attempts"], row["seconds"], row["host"]
        else:  # a kill came between the run's last records and its row
            recorded = self._store.read_run(run.run_id)
            run.seconds = _sum_seconds(recorded[0].to_pylist()) if recorded is not None else 0.0

    def conclude(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Write a row per arm over all finished runs of the folder; return the folder's rounds, runs and these rows."""
        from alray.analysis.sweep.summary import summarise  # noqa: PLC0415 -- SciPy, which no run waits for

        runs = self._store.read_runs()
        rounds = self._store.read_rounds(runs["run_id"])
        finished = runs.loc[runs["status"] == "finished", "run_id"]
        rng = generator(self._plan.study.seed, 0, "bootstrap")
        of_finished = rounds[rounds["run_id"].isin(finished)].reset_index(drop=True)
        self._store.write_summary(summarise(of_finished, runs, rng))
        self._store.write_errors(_errors_of(runs))
        return rounds, runs, self._store.read_summary()

    @override
    def drive(self, start_executor: Any) -> None:
        super().drive(start_executor)
        if all(run.finished for run in self._runs.values()):
            for each in self._plan.runs:
                self._store.remove_checkpoint(each.passive_id)

    @override
    def _begin(self) -> None:
        self._notify(lambda observer: observer.begin(self._plan, self._runs))
        self._save(due=True)

    @override
    def _start_from(self, job: Job) -> bytes | None:
        if job.start_from is None:
            return None
        state = self._store.read_checkpoint(job.start_from)
        self._recall(job, state)
        return state

    def _recall(self, job: Job, state: bytes) -> None:
        """Read a run's records as they were at its checkpoint; later ones will be made again, to the bit."""
        self._rows[job.name] = RunRows()
        run = self._runs[job.name]
        run.rounds_done, run.seconds = -1, 0.0
        last = int(read_metadata(state)["round"])
        # A worker reports the passive phase, from which it starts, itself.
        if job.start_from != job.name or last == 0:
            run.machine = run.software = ""
            return
        recorded = RunRows.recorded(self._store, job.name, last)
        if recorded is not None:
            self._rows[job.name] = recorded
            run.rounds_done, run.seconds = last, _sum_seconds(recorded.rounds)

    @override
    def _take_failure(self, failure: Failure) -> None:
        run = self._runs.get(failure.job)
        if run is not None:
            _, host = self._running[failure.job]
            run.host = failure.host or host
        super()._take_failure(failure)
        self._statuses_due = True

    @override
    def _resumes_after(self, name: str) -> int:
        return self._runs[name].kept if name in self._runs else -1

    @override
    def _give_up(self, failed: RunStatus) -> None:
        self._notify(lambda observer: observer.failed(failed))

    @override
    def _take_result(self, result: Progress) -> None:
        name = result.job
        run = self._runs.get(name)
        if run is not None:
            self._add_rows(name, run, result)
        for each in result.results:
            self._notify_round(name, run, each.record)
        if result.state is not None:
            self._save_state(result, run)
        if result.done:
            self._end(name)
            self._notify(lambda observer: observer.ended(name, run))
            if run is not None:
                self._clean_up(run)
                self._statuses_due = True

    def _clean_up(self, run: RunStatus) -> None:
        """Remove what a finished run needs no longer."""
        self._rows.pop(run.run_id)
        if not self._keeps_last(run.run):
            self._store.remove_checkpoint(run.run_id)
        for shorter in self._superseded.pop(run.run_id, ()):
            self._store.remove_run(shorter)

    def _keeps_last(self, run: RunSpec) -> bool:
        """Return whether a run's last checkpoint stays; nothing can be added to a run on full data."""
        return self._plan.study.execution.keep_last and not run.full_data

    def _notify_round(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        self._notify(lambda observer: observer.progressed(name, run, record))

    def _add_rows(self, name: str, run: RunStatus, result: Progress) -> None:
        added = self._rows[name].add(self._names[name], run.run, result, self._plan.pool)
        run.seconds += _sum_seconds(added)
        run.host, run.rounds_done = result.host, result.round
        versions = self._plan.code.versions.items()
        packages = [f"{name} {version}" for name, version in versions if name in run.run.packages]
        software = ", ".join([own_software(), *packages])
        run.add_maker(platform.node() if run.host == HERE else run.host, software)

    def _save_state(self, result: Progress, run: RunStatus | None) -> None:
        """Write the records, then the checkpoint that builds on them, unless the run is finished and keeps none."""
        if run is not None:
            self._rows[result.job].write(self._store, result.job)
        kept = run is None or not result.done or self._keeps_last(run.run)
        if result.state is not None and kept:
            self._store.write_checkpoint(result.job, result.state)
            self._runs_schedule.checkpointed(result.job)
            if run is not None:
                run.kept = result.round

    @override
    def _after_turn(self) -> None:
        if time.monotonic() - self._statuses_written >= self._statuses_seconds:
            self._save()

    @override
    def _save(self, *, due: bool = False) -> None:
        """Write a row per run where one has started, ended or failed, or where it is `due` in any case."""
        if not (due or self._statuses_due):
            return
        rows = [{**row, "asked": False} for row in self._others.values()]
        rows += [{**names, **self._runs[run_id].values()} for run_id, names in self._names.items()]
        self._store.write_runs(rows)
        self._statuses_written, self._statuses_due = time.monotonic(), False


def _usable_checkpoints(store: SweepStore, plan: Plan, finished: frozenset[str]) -> dict[str, int]:
    """Return the checkpoints that the plan's runs can go on from, with their rounds; remove useless ones.

    A kill may leave one behind that its run no longer needs, and a copied folder may hold half a file, or a run's
    checkpoint without the records that led to it. Those of finished runs wait for more rounds, if they are kept.
    """
    keep_last = plan.study.execution.keep_last
    runs = {run.run_id for run in plan.runs}
    passives = {run.passive_id for run in plan.runs}
    usable: dict[str, int] = {}
    for name in store.checkpoints() & (runs | passives):
        if keep_last and name in finished:
            continue
        last = None if name in finished else _checkpoint_round(store, name)
        if last is None or (name in runs and store.count_rounds(name) <= last):
            store.remove_checkpoint(name)
        else:
            usable[name] = last
    return usable


def _checkpoint_round(store: SweepStore, name: str) -> int | None:
    """Return the round that a checkpoint was taken after, or None if it does not hold a state."""
    content = store.read_checkpoint(name)
    try:
        return RunState.from_bytes(content).round
    except Exception:  # noqa: BLE001 -- content that cannot be read, for any reason, is of no use
        return None


def _sum_seconds(rounds: Sequence[Mapping[str, Any]]) -> float:
    """Return the seconds that these rounds took."""
    return float(sum(row[column] for row in rounds for column in records.TIMING_COLUMNS))


def _errors_of(runs: pd.DataFrame) -> dict[str, str]:
    """Return the error of each failed run in full, by the run's name with its host."""
    failed = runs[runs["status"] == "failed"].to_dict("records")
    return {
        f"{row['run_id']}: {row['arm']}, seed {row['seed']}"
        + (f", on {row['host']}" if row["host"] else ""): f"{row['error']}\n\n{row['traceback']}"
        for row in failed
    }
