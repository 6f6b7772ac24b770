"""What to do after a sweep, the most pressing first: at most four steps, which cannot contradict each other."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from alray.analysis.sweep.along import along
from alray.analysis.sweep.arms import RANDOM, arm_curves
from alray.analysis.sweep.asked_runs import asked_for, count_failed
from alray.analysis.sweep.axis import axis_in
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.next_steps.decision import Decided, decide
from alray.analysis.sweep.next_steps.labels import of_labels
from alray.analysis.sweep.next_steps.pace import Pace
from alray.analysis.sweep.next_steps.steps import GoingOn, Known, Step
from alray.analysis.sweep.next_steps.words import choice_said, missing_said, seeds_said
from alray.analysis.wording import Row

MOST = 4


def next_steps(
    summary: pd.DataFrame,
    rounds: pd.DataFrame,
    runs: pd.DataFrame,
    reference: str = RANDOM,
    going_on: GoingOn | None = None,
) -> list[Step]:
    """Return what to do next, each with its reason: missing runs, a choice or more seeds, more labels, when to stop.

    While runs are missing that may still come, nothing is chosen.

    Args:
        summary: `summary.summarise` of the records, by which nothing is said that its table does not show.
        rounds: A row per run and round, along what the summary is.
        runs: A row per run.
        reference: What arms are compared with.
        going_on: How the study can go on; None of curves that were made elsewhere.
    """
    rows = summary.to_dict("records")
    if not any(row["seeds"] for row in rows):
        return []
    known = _known(rows, rounds, runs, reference, going_on)
    steps = list(_missing(runs, going_on, known.pace))
    if not (going_on and not going_on.ended) and not any(row["unfinished"] for row in rows):
        found = decide(rows, known.arms, reference)
        steps += _decision(found, known)
        steps += of_labels(found, known)
    if going_on and going_on.of_alray:
        steps.append(_own_data())
    return steps[:MOST]


def _known(
    rows: Sequence[Row],
    rounds: pd.DataFrame,
    runs: pd.DataFrame,
    reference: str,
    going_on: GoingOn | None,
) -> Known:
    split = split_full_data(rounds, runs)
    finished = runs.loc[runs["status"] == "finished", "run_id"]
    pace = Pace(rounds[rounds["run_id"].isin(finished)], going_on.workers if going_on else None)
    there = along(split.rounds, split.runs, axis_in(rows))
    arms = {arm.name: arm for arm in arm_curves(there.rounds, split.runs)}
    return Known(rows, split, arms, reference, going_on, pace)


def _missing(runs: pd.DataFrame, going_on: GoingOn | None, pace: Pace) -> Iterator[Step]:
    if going_on is None:
        return
    runs = asked_for(runs)  # the command would not go on with others
    failed = count_failed(runs)
    waiting = runs[~runs["status"].isin(["finished", "failed"])]
    sentence = missing_said(len(waiting), failed, ended=going_on.ended)
    if not sentence:
        return
    seconds = math.nan
    if going_on.ended and len(waiting):
        left = going_on.rounds - waiting["rounds_done"]
        of_arms = left.groupby(waiting["arm"]).sum()
        seconds = pace.of_missing({str(arm): int(number) for arm, number in of_arms.items()})
    yield Step("finish", sentence, going_on.again({}), seconds)


def _decision(found: Decided, known: Known) -> Iterator[Step]:
    going_on = known.going_on
    if sentence := choice_said(found, known.rows, known.reference):
        yield Step("choose", sentence)
    elif found.row is not None:
        sentence, command, seconds = seeds_said(found, known.reference), "", math.nan
        if going_on is not None:
            more = found.seeds - int(found.row["paired_seeds"])
            wanted = len(going_on.seeds) + more
            command = going_on.again({"seeds": going_on.seeds_text(wanted)})
            seconds = known.pace.of_seeds(more)
        yield Step("more seeds", sentence, command, seconds)
    elif going_on is not None and not any(row["failed"] for row in known.rows):
        yield _compare(known.rows, going_on)


def _compare(rows: Sequence[Row], going_on: GoingOn) -> Step:
    """Return which arms to add to a study that cannot compare any that could be used."""
    if any(row["strategy"] == RANDOM for row in rows):
        added, why = (
            [*going_on.strategies, "margin"],
            "no strategy that could be used is beside random",
        )
    else:
        added, why = [RANDOM, *going_on.strategies], "nothing can be compared without random"
    command = going_on.again({"strategies": ",".join(added)})
    return Step("compare", f"Add an arm: {why}.", command)


def _own_data() -> Step:
    return Step(
        "own data",
        "Compare strategies on data of your own: what helps depends on the data, and this pool came with alray.",
        "alray pool import YOUR_DATA POOL.parquet && alray sweep POOL.parquet",
    )
