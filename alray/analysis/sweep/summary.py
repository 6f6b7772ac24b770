"""A sweep's records to its summary: a row per arm, compared with random or another reference.

Every arm is compared with the reference arm of its variant (the same training settings), seed by seed.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.columns import text_column
from alray.analysis.sweep.along import KNOWN, SPENT, along, at_the_end
from alray.analysis.sweep.arms import (
    BY_DEFAULT,
    ArmCurves,
    Criterion,
    Pair,
    arm_curves,
    comparisons_of,
    reference_pairs,
)
from alray.analysis.sweep.beyond_full_data import beyond_full_data
from alray.analysis.sweep.decision import decided
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.metrics import better_sign
from alray.analysis.sweep.oracle_share import with_oracle_shares
from alray.analysis.sweep.regret import with_regret
from alray.analysis.sweep.savings import saving_at_budget
from alray.statistics.curves import area_under_curve, share_reached
from alray.statistics.paired import FEWEST_SEEDS, mean_interval

SUMMARY_COLUMNS: Mapping[str, str] = {
    "arm": "name of the arm: strategy and varied training settings",
    "strategy": "strategy with its options",
    "variant": "varied training settings; empty where none are varied",
    "oracle": "the strategy sees true labels: a diagnostic, not for real labelling",
    "seeds": "finished runs",
    "failed": "runs that failed; they are in no other column",
    "unfinished": "runs that have not ended; they are in no other column",
    "axis": "what curves run along: labels, answers (of a crowd) or cost (money). Areas, and the columns of labels "
    "saved, are along it",
    "budget": "the end of the curves: labels, answers or money that all runs of the variant have spent",
    "labels": "labels at the budget, mean over seeds",
    "answers": "answers bought at the budget, mean over seeds; null where none are recorded",
    "cost": "what they cost; null where that is not recorded",
    "accuracy": "accuracy at the budget, mean over seeds",
    "accuracy_low": "lower end of its 95 % t interval over seeds",
    "accuracy_high": "upper end",
    "macro_f1": "macro-averaged F1 at the budget, mean over seeds",
    "macro_f1_low": "lower end of its 95 % t interval over seeds",
    "macro_f1_high": "upper end",
    "nll": "negative log-likelihood (nats) at the budget, mean over seeds",
    "ece": "expected calibration error at the budget, mean over seeds",
    "balanced_accuracy": "mean recall of the classes at the budget, mean over seeds",
    "rare_recall": "mean recall of the rarest fifth of the classes at the budget, mean over seeds",
    "rare_recall_low": "lower end of its 95 % t interval over seeds",
    "rare_recall_high": "upper end",
    "metric": "the metric that the columns from here to alc_normalised are about",
    "alc": "area under the learning curve: mean of the metric over the axis, mean over seeds",
    "against": "the random arm of the same variant; null where there is none",
    "paired_seeds": "seeds finished by this arm and by the random arm: what comparisons rest on",
    "unpaired_seeds": "seeds finished by one of the two only: left out of comparisons",
    "alc_difference": "area under the learning curve minus the random arm's, mean over paired seeds",
    "alc_difference_low": "lower end of its 95 % interval, which holds for all compared arms together; null with "
    "fewer than six paired seeds, which bound nothing",
    "alc_difference_high": "upper end",
    "p": "two-sided p of the area differences, corrected for all compared arms: the joint sign flip, which also makes "
    "the interval (exact up to 14 seeds)",
    "labels_saved": "1 - labels the arm needs / labels random needs, at labels_saved_target; negative: it "
    "needs more; answers or money with another axis. An end-point effect: the saving at lower targets may be another",
    "labels_saved_low": "lower end of its 95 % interval, which holds for all compared arms together (Bonferroni), and "
    "reaches to zero where p shows no difference of the areas",
    "labels_saved_high": "upper end",
    "labels_saved_target": "best value of the metric that both mean curves reach, made monotone: random's at the "
    "budget, or the arm's where that is worse",
    "labels_saved_of": "labels that random needs for it, or, where the arm does not reach random's last value, that "
    "random needs for the arm's",
    "labels_saved_reached": "share of bootstrap draws of the seeds in which the arm reaches random's "
    "value at the budget",
    "seeds_needed": "of the arm with the best area that is no oracle, where it is ahead and that is not shown, and of "
    "the arm that is nearest to being shown to be ahead: paired seeds that would show a difference of this size in "
    "four studies of five; infinite beyond 100",
    "regret": "of the arm with the best area of its variant, oracles and further random arms left out: area that is "
    "lost on average by picking it, against the arm that is truly best (`statistics/regret.py`); null for the others",
    "regret_seeds": "seeds that all arms it was picked among have finished: what `regret` rests on",
    "seconds_per_round": "query, fit and evaluation, mean over rounds from 1 on",
    "full_data_accuracy": "accuracy of the same training settings with all labels of the train part, mean over "
    "seeds; null where that was not run",
    "full_data_best": "the budget, on the axis, at which the arm is best against the model with all labels, by the "
    "band of full_data_gain; null without two common seeds",
    "full_data_gain": "the metric there minus that of the model with all labels, mean over common seeds",
    "full_data_gain_low": "lower end of its 95 % band, which holds for all budgets of all arms together, so that the "
    "best one may be picked; null with fewer than six common seeds",
    "full_data_gain_high": "upper end",
    "alc_normalised": "alc_difference / (the metric with all labels - alc of the random arm over the paired seeds): "
    "the share of what is left to gain; null where nothing is",
    "oracle_share": "alc_difference / that of oracle_best: the share that the arm takes of what an oracle gains; null "
    "for oracles, and where no oracle is shown to gain",
    "oracle_share_low": "lower end of its 95 % interval (Fieller 1954), which holds for all arms and oracles together",
    "oracle_share_high": "upper end",
    "oracle_best": "the oracle with the best area against the same arm; empty where none is shown to gain",
    "exploratory": "fewer than six (paired) seeds: no p below 0.05 is possible",
}
"""Columns of `summary.parquet`, in order, each with what it holds."""

_WITH_ENDS = ("accuracy", "macro_f1", "rare_recall")

_WITHOUT_ENDS = ("nll", "ece", "balanced_accuracy")

_COUNTS = ["seeds", "failed", "unfinished", "paired_seeds", "unpaired_seeds"]


def summarise(
    rounds: pd.DataFrame,
    runs: pd.DataFrame,
    rng: np.random.Generator,
    criterion: Criterion = BY_DEFAULT,
) -> pd.DataFrame:
    """Return a row per arm, in the order of `runs`, with the columns of `SUMMARY_COLUMNS`.

    Runs on full data have no row. Only finished runs count. What does not exist (no finished run, one seed, no
    reference arm) is null.

    Args:
        rounds: A row per run and round; rows of runs that have not finished are left out.
        runs: A row per run, with its status.
        rng: For the bootstrap draws; arms share them, so neither their order nor their names change a number.
        criterion: What arms are compared with and by. Where the columns name random, it is its reference.

    Raises:
        StoreError: If finished runs differ in their label counts, a finished run has no rounds, an arm finished a
            seed twice, or a variant has two reference arms.
    """
    split = split_full_data(rounds, runs)
    ceilings = split.ceilings.set_index("variant")
    there = along(split.rounds, split.runs, criterion.axis)
    arms = arm_curves(there.rounds, split.runs)
    spent = at_the_end(there.rounds, [KNOWN, *SPENT])
    by_name = {arm.name: arm for arm in arms}
    pairs = reference_pairs(arms, split.runs, criterion.reference)
    metric = criterion.metric
    seconds = _seconds_per_round(split.rounds, split.runs)
    draws_seed = int(rng.integers(2**63))
    comparisons = comparisons_of(pairs.values(), metric)
    beyond = beyond_full_data(arms, split.full, metric, np.random.default_rng(draws_seed))
    rows = []
    for name, of_arm in split.runs.groupby("arm", sort=False):
        row = _identity(of_arm) | _at_budget(by_name[str(name)], metric)
        row |= {"metric": metric, "axis": there.axis.name}
        if by_name[str(name)].seeds:
            row |= _spent(spent[str(name)], by_name[str(name)])
        row["seconds_per_round"] = seconds.get(str(name), math.nan)
        row["full_data_accuracy"] = _ceiling(ceilings, row["variant"], "accuracy")
        row |= beyond.get(str(name), {})
        if str(name) in pairs:
            ceiling = _ceiling(ceilings, row["variant"], metric)
            draws = np.random.default_rng(draws_seed)
            row |= _comparison(pairs[str(name)], metric, ceiling, comparisons, draws)
        rows.append(row)
    rows = decided(rows, pairs, metric, np.random.default_rng(draws_seed))
    rows = with_regret(rows, by_name, metric, np.random.default_rng(draws_seed))
    return _table(with_oracle_shares(rows, pairs, metric))


def _identity(runs: pd.DataFrame) -> dict[str, Any]:
    first = runs.iloc[0]
    status = runs["status"]
    return {
        **{column: str(first[column]) for column in ("arm", "strategy", "variant")},
        "oracle": bool(first["oracle"]),
        "seeds": int((status == "finished").sum()),
        "failed": int((status == "failed").sum()),
        "unfinished": int((~status.isin(["finished", "failed"])).sum()),
    }


def _at_budget(arm: ArmCurves, metric: str) -> dict[str, Any]:
    if not arm.seeds:
        return {}
    last = {name: mean_interval(arm.values(name)[:, -1]) for name in (*_WITH_ENDS, *_WITHOUT_ENDS)}
    row: dict[str, Any] = {}
    for name in _WITH_ENDS:
        row |= last[name].columns(name)
    row |= {name: last[name].estimate for name in _WITHOUT_ENDS}
    return {
        **row,
        "alc": mean_interval(area_under_curve(arm.labels, arm.values(metric))).estimate,
    }


def _spent(spent: Mapping[str, float], arm: ArmCurves) -> dict[str, Any]:
    """Return what an arm has spent by the end of its curves."""
    budget = float(arm.labels[-1])
    labels = budget if math.isnan(spent[KNOWN]) else spent[KNOWN]
    return {"budget": budget, "labels": round(labels), **{name: spent[name] for name in SPENT}}


def _ceiling(ceilings: pd.DataFrame, variant: str, metric: str) -> float:
    """Return what a variant reaches with all labels, NaN where that was not run or recorded."""
    return float(ceilings[metric].get(variant, math.nan)) if metric in ceilings else math.nan


def _seconds_per_round(rounds: pd.DataFrame, runs: pd.DataFrame) -> dict[str, float]:
    """Return the mean over an arm's finished runs and their rounds from 1 on, where there are any."""
    finished = rounds["run_id"].isin(runs.loc[runs["status"] == "finished", "run_id"])
    # The order of rows must not decide how sums are rounded: a summary is the same to the bit.
    later = rounds[finished & (rounds["round"] >= 1)].sort_values(["arm", "seed", "labels"])
    return {
        str(arm): float(
            np.mean(of_arm[["query_s", "fit_s", "eval_s"]].to_numpy(float).sum(axis=1))
        )
        for arm, of_arm in later.groupby("arm")
    }


def _comparison(
    pair: Pair, metric: str, ceiling: float, comparisons: int, rng: np.random.Generator
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "against": pair.reference.name,
        "paired_seeds": len(pair.seeds),
        "unpaired_seeds": pair.unpaired,
    }
    saved = saving_at_budget(pair, metric, comparisons)
    if saved is None:
        return row
    sign = better_sign(metric)
    curves, of_reference = pair.curves(metric)
    reference_areas = area_under_curve(pair.labels, of_reference)
    difference = mean_interval(area_under_curve(pair.labels, curves) - reference_areas).estimate
    left = ceiling - float(reference_areas.mean())
    return row | {
        "alc_difference": difference,
        "alc_normalised": difference / left if sign * left > 0 else math.nan,
        **saved.saving.columns("labels_saved"),
        "labels_saved_target": sign * saved.target,
        "labels_saved_of": saved.random_labels,
        "labels_saved_reached": share_reached(sign * curves, sign * of_reference, rng),
    }


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
    table[_COUNTS] = table[_COUNTS].astype("Int64").fillna(0)
    carrying = table["paired_seeds"].where(table["against"].notna(), table["seeds"])
    table["exploratory"] = carrying < FEWEST_SEEDS
    kinds = dict.fromkeys(SUMMARY_COLUMNS, "float64") | dict.fromkeys(_COUNTS, "int64")
    kinds |= {"labels": "Int64", "oracle": "bool", "exploratory": "bool"}
    kinds |= dict.fromkeys(("arm", "strategy", "variant", "metric", "axis", "oracle_best"), "str")
    # Without a comparison `against` holds nulls only, and would be written as numbers.
    kinds.pop("against")
    return table.astype(kinds).assign(against=text_column(table["against"]))
