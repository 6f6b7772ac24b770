"""Where rules would have stopped labelling in a sweep that is finished: what that would have cost, and saved.

A run that a rule never stops is played to its end, as a campaign would; so it counts with what it reaches there, and
saves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.stopping_rules.base import Curve, StoppingRule
from alray.analysis.sweep.arms import ArmCurves, arm_curves
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.metrics import better_sign, evaluated, metric_title
from alray.analysis.wording import count
from alray.statistics.paired import mean_interval

STOPPING_COLUMNS: Mapping[str, str] = {
    "arm": "the arm",
    "variant": "its varied settings",
    "oracle": "whether the arm needs the labels",
    "rule": "the stopping rule",
    "seeds": "finished seeds over which the rule was replayed",
    "stopped": "of them, how many the rule stopped before their last round; the others count as played to the end",
    "stop_labels": "labels where the rule stopped, mean over seeds",
    "end_labels": "labels at the end of the curves",
    "metric": "the metric of the columns from here to lost_worst",
    "best_labels": "the best budget: labels where the arm's mean curve over seeds is best",
    "best": "the mean over seeds there",
    "stop_value": "mean over seeds where the rule stopped",
    "lost": "best minus stop_value, or the reverse where less is better: what stopping cost; mean over seeds",
    "lost_low": "lower end of its 95 % t interval over seeds",
    "lost_high": "upper end",
    "lost_worst": "the same in the seed that loses most",
    "spared": "share of the end's labels that were not bought, mean over seeds",
    "spared_low": "lower end of its 95 % t interval over seeds",
    "spared_high": "upper end",
    "spared_labels": "how many labels that is, mean over seeds",
    "spared_money": "what they would have cost; null where no price of a label is given",
}
"""Columns of the table of rules with their meaning."""

STOPS_COLUMNS = (
    *("arm", "variant", "oracle", "rule", "seed", "stopped", "round", "stop_labels", "end_labels"),
    *("best_labels", "best", "stop_value", "lost", "spared", "spared_labels"),
)
MEASURED = "stop_objects"
"""The column that says whether a round's predictions for the stop set were recorded."""


@dataclass(frozen=True, eq=False)
class Replay:
    """What rules would have done.

    Attributes:
        table: A row per arm and rule, with `STOPPING_COLUMNS`.
        stops: A row per arm, rule and seed, with `STOPS_COLUMNS`; `stopped` is false where a rule never did.
        lacking: Rule: the columns that it needs and that no finished run with the metric has in all rounds.
        partly: Rule: on how many finished runs with the metric it could not be replayed, of the rules that could be on
            others.
        notes: Sentences on what the rules were given, and on runs that lack the metric.
    """

    table: pd.DataFrame
    stops: pd.DataFrame
    lacking: Mapping[str, tuple[str, ...]]
    partly: Mapping[str, int]
    notes: tuple[str, ...] = ()


def replay(
    rounds: pd.DataFrame,
    runs: pd.DataFrame,
    rules: Mapping[str, StoppingRule],
    metric: str = "accuracy",
    label_cost: float | None = None,
) -> Replay:
    """Replay rules over the finished runs of a sweep; those on full data are left out.

    So are runs that lack the metric in some round, which a note says: what stopping them costs is not known.

    Args:
        rounds: A row per run and round. Rounds that were not evaluated are left out: rules see the others alone.
        runs: A row per run, with its status.
        rules: By their text.
        metric: What losses are in.
        label_cost: The price of a label, where known.

    Raises:
        StoreError: As in `arm_curves`.
    """
    split = split_full_data(rounds, runs)
    seen = evaluated(split.rounds).sort_values(["arm", "seed", "round"], kind="stable")
    oracles = set(split.runs.loc[split.runs["oracle"].astype(bool), "arm"])
    rows: list[dict[str, Any]] = []
    left_out: dict[str, int] = dict.fromkeys(rules, 0)
    finished = [arm for arm in arm_curves(split.rounds, split.runs) if arm.seeds]
    measured = [_with_metric(arm, metric) for arm in finished]
    for arm in [each for each in measured if each.seeds]:
        of_arm = {
            seed: seen[(seen["arm"] == arm.name) & (seen["seed"] == seed)] for seed in arm.seeds
        }
        for text, rule in rules.items():
            known = [seed for seed in arm.seeds if _knows(of_arm[seed], rule)]
            left_out[text] += len(arm.seeds) - len(known)
            curves = {seed: _curve(of_arm[seed], rule) for seed in known}
            rows += [
                {**row, "oracle": arm.name in oracles, "rule": text}
                for row in _stops(arm, rule, curves, metric)
            ]
    stops = pd.DataFrame(rows).reindex(columns=list(STOPS_COLUMNS))
    replayed = set(stops["rule"])
    return Replay(
        table=_table(stops, metric, label_cost),
        stops=stops,
        lacking={
            text: rule.needs
            for text, rule in rules.items()
            if left_out[text] and text not in replayed
        },
        partly={text: left_out[text] for text in rules if left_out[text] and text in replayed},
        notes=_without_metric(finished, measured, metric),
    )


def _with_metric(arm: ArmCurves, metric: str) -> ArmCurves:
    """Return an arm with those of its seeds that have a metric in all rounds."""
    known = np.isfinite(arm.values(metric)).all(axis=1)
    return replace(
        arm,
        seeds=tuple(seed for seed, has in zip(arm.seeds, known, strict=True) if has),
        curves={name: values[known] for name, values in arm.curves.items()},
    )


def _without_metric(
    finished: Sequence[ArmCurves], measured: Sequence[ArmCurves], metric: str
) -> tuple[str, ...]:
    """Return a sentence on the runs that lack a metric; none where all have it."""
    runs, kept = (sum(len(arm.seeds) for arm in arms) for arms in (finished, measured))
    if runs == kept:
        return ()
    return (
        f"{runs - kept} of {count(runs, 'run')} left out of the stopping rules, since the {metric_title(metric)} is "
        "not known in every round.",
    )


def _knows(run: pd.DataFrame, rule: StoppingRule) -> bool:
    """Return whether a run has what a rule needs in every round after the first, in which nothing can be compared."""
    needed = {MEASURED if name.startswith("stop_") else name for name in rule.needs}
    if not needed <= set(run.columns):
        return False
    return bool(run[list(needed)].iloc[1:].notna().all(axis=None))


def _curve(run: pd.DataFrame, rule: StoppingRule) -> Curve:
    return {name: run[name].to_numpy(float) for name in ("round", "labels", *rule.needs)}


def _stops(
    arm: ArmCurves, rule: StoppingRule, curves: Mapping[int, Curve], metric: str
) -> Sequence[dict[str, Any]]:
    """Return a row per seed: where the rule stops it, and what it is worth there and at the best budget."""
    sign, values = better_sign(metric), arm.curves[metric]
    best = int(np.nanargmax(sign * values.mean(axis=0)))
    rows = []
    for seed, curve in curves.items():
        of_seed = values[arm.seeds.index(seed)]
        says = np.flatnonzero(rule.stops(curve))
        last = len(arm.labels) - 1
        at = int(says[0]) if len(says) else last
        spared = float(arm.labels[last] - arm.labels[at])
        rows.append(
            {
                "arm": arm.name,
                "variant": arm.variant,
                "seed": seed,
                "stopped": at < last,
                "round": int(curve["round"][at]),
                "stop_labels": float(arm.labels[at]),
                "end_labels": float(arm.labels[last]),
                "best_labels": float(arm.labels[best]),
                "best": float(of_seed[best]),
                "stop_value": float(of_seed[at]),
                "lost": float(sign * (of_seed[best] - of_seed[at])),
                "spared": spared / float(arm.labels[last]),
                "spared_labels": spared,
            }
        )
    return rows


def _table(stops: pd.DataFrame, metric: str, label_cost: float | None) -> pd.DataFrame:
    """Return a row per arm and rule."""
    rows = []
    for (arm, rule), found in stops.groupby(["arm", "rule"], sort=False):
        means = found[
            [
                *("stop_labels", "end_labels", "best_labels", "best"),
                *("stop_value", "spared_labels"),
            ]
        ].mean()
        rows.append(
            {
                **means,
                "arm": arm,
                "variant": found["variant"].iloc[0],
                "oracle": found["oracle"].iloc[0],
                "rule": rule,
                "seeds": len(found),
                "stopped": int(found["stopped"].sum()),
                "metric": metric,
                **mean_interval(found["lost"].to_numpy(float)).columns("lost"),
                "lost_worst": found["lost"].max(),
                **mean_interval(found["spared"].to_numpy(float)).columns("spared"),
                "spared_money": np.nan
                if label_cost is None
                else label_cost * means["spared_labels"],
            }
        )
    return pd.DataFrame(rows, columns=list(STOPPING_COLUMNS))
