"""Whether more labels pay by the forecast of the arm that one labels by; and where not, by which rule to stop."""

from collections.abc import Iterator

import pandas as pd

from alray.analysis.stopping_rules.registry import rules_of
from alray.analysis.sweep.along import differ_in_labels
from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.axis import LABELS, axis_in
from alray.analysis.sweep.forecast import outlook
from alray.analysis.sweep.metrics import LESS_IS_BETTER
from alray.analysis.sweep.next_steps.decision import Decided
from alray.analysis.sweep.next_steps.steps import GoingOn, Known, Step
from alray.analysis.sweep.next_steps.words import more_labels_said, stop_said
from alray.analysis.sweep.references import compared_with
from alray.analysis.sweep.stopping_rules.replay import replay
from alray.statistics.forecast import why_not
from alray.statistics.paired import FEWEST_SEEDS

TIMES = 2
"""More labels are looked at up to so many times as many."""

NEARER = 1.25
"""A horizon nearer than this says nothing new."""

GAIN = 0.005
"""Smallest forecast gain for which more labels pay: one object of two hundred."""

LOST = 0.005
"""A stopping rule is trusted that loses less than this by its 95 % interval, and twice as much in no run."""

SPARED = 0.1
"""And spares at least this share of the labels."""


def of_labels(found: Decided, known: Known) -> Iterator[Step]:
    """Yield that more labels pay or, where it is known that they do not, by which rule a campaign may stop."""
    rows, split = known.rows, known.split
    arm = known.arms.get(_of_interest(found, known))
    metric = str(rows[0]["metric"])
    if arm is None or axis_in(rows) != LABELS or metric not in arm.curves:
        return
    of_arm = split.rounds[split.rounds["arm"] == arm.name]
    if metric in LESS_IS_BETTER or differ_in_labels(of_arm):
        return
    pays = _more_labels(arm, metric, known)
    if isinstance(pays, Step):
        yield pays
    elif pays is False and found.outcome not in {"open", "too few"}:
        yield from _stop(arm, metric, of_arm, split.runs[split.runs["arm"] == arm.name])


def _of_interest(found: Decided, known: Known) -> str:
    """Return the arm by which one labels on: the one that is chosen, or what it was compared with."""
    if found.outcome in {"better", "open"} and found.row is not None:
        return str(found.row["arm"])
    if found.outcome in {"worse", "little", "unpromising"} and found.row is not None:
        return compared_with(found.row, known.reference)
    alone = [row for row in known.rows if row["seeds"] and not row["oracle"]]
    only = found.outcome == "none" and len(alone) == 1
    return str(alone[0]["arm"]) if only else ""


def _more_labels(arm: ArmCurves, metric: str, known: Known) -> Step | bool | None:
    """Return the step where more labels pay, False where they are forecast not to, None where that is not known."""
    end, curves = float(arm.labels[-1]), arm.curves[metric]
    last = float(curves[:, -1].mean())
    reason = why_not(arm.labels, curves)
    if reason:
        return False if "falls" in reason else None
    rounds, horizon = _horizon(end, known.going_on)
    if horizon < NEARER * end:
        return None
    ahead = outlook([arm], (), metric, (), horizon).forecast.iloc[-1]
    mean, low, high = (float(ahead[name]) for name in ("mean", "low", "high"))
    if not (low > last and mean - last >= GAIN):
        # What may rise by as much as would pay is not known not to.
        return False if high - last < 2 * GAIN else None
    ends = float(horizon), end
    sentence = more_labels_said(arm.name, metric, ends, (mean, low, high), last)
    if known.going_on is None:
        return Step("more labels", sentence)
    runs = known.split.runs
    numbers = runs.loc[runs["status"] == "finished", "arm"].value_counts()
    seconds = known.pace.of_rounds(
        rounds, {str(name): int(each) for name, each in numbers.items()}
    )
    return Step("more labels", sentence, known.going_on.again({"rounds": str(rounds)}), seconds)


def _horizon(end: float, going_on: GoingOn | None) -> tuple[int, int]:
    """Return the rounds and the labels up to which more labels are looked at; no labels where rounds lead elsewhere."""
    if going_on is None:
        return 0, int(TIMES * end)
    if going_on.budget != end:
        return 0, 0
    most = TIMES * end if going_on.train is None else min(TIMES * end, going_on.train)
    rounds = int(most - going_on.initial) // going_on.query
    rounds -= rounds % going_on.evaluate_every
    return rounds, going_on.initial + rounds * going_on.query


def _stop(arm: ArmCurves, metric: str, rounds: pd.DataFrame, runs: pd.DataFrame) -> Iterator[Step]:
    """Yield the rule that spares most of those that can be trusted, if any can."""
    table = replay(rounds, runs, rules_of(()), metric).table
    trusted = table[
        (table["seeds"] == len(arm.seeds))
        & (table["seeds"] >= FEWEST_SEEDS)
        & (table["stopped"] == table["seeds"])
        & (table["lost_high"] <= LOST)
        & (table["lost_worst"] <= 2 * LOST)
        & (table["spared"] >= SPARED)
    ]
    if len(trusted):
        best = trusted.sort_values("spared", ascending=False, kind="stable").iloc[0]
        yield Step("stop", stop_said(best.to_dict()))
