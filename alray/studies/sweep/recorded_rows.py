"""Rows of `runs` that earlier commands of a study have left: which stay, and which cannot stand beside a plan's."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import pandas as pd

from alray.analysis.sweep.variants import CROWD, settings_in
from alray.errors import StoreError
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.extension import Extension
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.store import SweepStore

Row = Mapping[str, Any]


def rows_that_stay(
    store: SweepStore, plan: Plan, extensions: Sequence[Extension]
) -> dict[str, dict[str, Any]]:
    """Return the rows of the plan's runs, and of others that can be compared with them, by run id.

    Longer runs stand in the place of those that they go on from; other runs of fewer rounds cannot be compared.

    Raises:
        StoreError: An arm's run with one of the plan's seeds is there under other settings.
    """
    rounds = {arm.variant: arm.study.rounds for arm in plan.arms}
    rows = {
        run_id: row
        for run_id, row in _of_longer_runs(_recorded_rows(store), extensions).items()
        if _is_of_this_length(row, plan.study, rounds)
    }
    _refuse_twice(rows, plan, store)
    return rows


def _refuse_twice(rows: Mapping[str, Row], plan: Plan, store: SweepStore) -> None:
    """Refuse to run again, as a part of one arm, what another alray has run under defaults of its own."""
    planned = {(run.arm, run.seed): run.run_id for run in plan.runs}
    for run_id, row in rows.items():
        wanted = planned.get((row["arm"], row["seed"]), run_id)
        if wanted != run_id and row["status"] == "finished":
            raise StoreError(
                f"{store.root} holds arm {row['arm']!r} with seed {row['seed']} as run {run_id}, and this version of "
                f"alray would run it under other defaults, as {wanted}: one arm would mix both; go on with the version "
                "that the study was begun with, run it under another --name, or throw that one away with --fresh"
            )


def _recorded_rows(store: SweepStore) -> dict[str, dict[str, Any]]:
    """Return all rows, by run id."""
    if not store.has_runs():
        return {}
    # A number that an older row lacks is NaN in a frame, which a column of whole numbers does not hold.
    rows = store.read_runs().astype(object)
    known = rows.where(rows.notna(), None).to_dict("records")
    return {str(row["run_id"]): {str(key): value for key, value in row.items()} for row in known}


def _of_longer_runs(
    rows: Mapping[str, dict[str, Any]], extensions: Sequence[Extension]
) -> dict[str, dict[str, Any]]:
    """Return rows by run id, in which longer runs stand in the place of those that they go on from."""
    found = dict(rows)
    for each in extensions:
        for shorter in each.shorter:
            row = found.pop(shorter, None)
            if row is not None and each.goes_on and each.run_id not in found:
                unfinished = {"run_id": each.run_id, "status": "unfinished", "rounds": None}
                found[each.run_id] = {**row, **unfinished}
    return found


def _is_of_this_length(row: Row, study: SweepSpec, of_variant: Mapping[str, int]) -> bool:
    """Return whether a row is of a run that ends where this study's do, or on full data, without rounds.

    Args:
        row: The row.
        study: The study.
        of_variant: Variants with another crowd than the study's: their rounds. Other variants with another crowd are
            no longer asked for, and were of one length.
    """
    if row["full_data"]:
        return True
    varies_crowd = settings_in(str(row.get("variant") or ""), CROWD)
    if varies_crowd:
        return bool(row.get("rounds") == of_variant.get(str(row["variant"]), row.get("rounds")))
    initial, query = row.get("initial"), row.get("query")
    rounds = study.rounds
    # An older alray, in which these did not vary, has not written them.
    if _is_known(initial) and _is_known(query):
        rounds = study.rounds_of(int(initial), int(query))
    known = row.get("rounds")
    if not _is_known(known):  # written by an older alray
        return bool(row["status"] != "finished" or row["rounds_done"] == rounds)
    return bool(known == rounds)


def _is_known(value: Any) -> TypeGuard[float]:
    return bool(pd.notna(value))
