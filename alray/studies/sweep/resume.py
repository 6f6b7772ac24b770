"""What earlier commands have left in a sweep's folder, for the driver that goes on with it."""

from collections.abc import Mapping, Sequence
from typing import Any

from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.state import RunState
from alray.studies.sweep.store import SweepStore


def usable_checkpoints(store: SweepStore, plan: Plan, finished: frozenset[str]) -> dict[str, int]:
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


def _checkpoint_round(store: SweepStore, name: str) -> int | None:
    """Return the round that a checkpoint was taken after, or None if it does not hold a state."""
    content = store.read_checkpoint(name)
    try:
        return RunState.from_bytes(content).round
    except Exception:  # noqa: BLE001 -- whatever is wrong with the content, the file is of no use
        return None


def recorded_seconds(store: SweepStore, run_id: str) -> float:
    """Return the seconds that a run has on record."""
    kept = store.read_run(run_id)
    return 0.0 if kept is None else sum_seconds(kept[0].to_pylist())


def sum_seconds(rounds: Sequence[Mapping[str, Any]]) -> float:
    """Return the seconds that these rounds took."""
    return float(sum(row[column] for row in rounds for column in TIMING_COLUMNS))


def recorded_runs(store: SweepStore) -> dict[str, dict[str, Any]]:
    """Return the rows of runs that earlier commands of this study have left, by run id."""
    if not store.has_runs():
        return {}
    rows = store.read_runs().to_dict("records")
    return {str(row["run_id"]): {str(key): value for key, value in row.items()} for row in rows}
