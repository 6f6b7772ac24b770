"""A sweep's records to its summary: a row per arm, compared with random or another reference.

Every arm is compared with the reference arm of its variant (the same training settings), seed by seed.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.columns import text_column
from alray.analysis.sweep.arms import RANDOM, ArmCurves, Pair, arm_curves, reference_pairs
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.savings import saving_at_budget
from alray.statistics.curves import area_under_curve, share_reached
from alray.statistics.paired import FEWEST_SEEDS, holm, mean_interval, sign_flip_p

SUMMARY_COLUMNS: Mapping[str, str] = {
    "arm": "name of the arm: strategy and varied training settings",
    "strategy": "strategy with its options",
    "variant": "varied training settings; empty where none are varied",
    "oracle": "the strategy sees true labels: a diagnostic, not for real labelling",
    "seeds": "finished runs",
    "failed": "runs that failed; they are in no other column",
    "unfinished": "runs that have not ended; they are in no other column",
    "labels": "labels at the budget: the end of the curves",
    "accuracy": "accuracy at the budget, mean over seeds",
    "accuracy_low": "lower end of its 95 % t interval over seeds",
    "accuracy_high": "upper end",
    "macro_f1": "macro-averaged F1 at the budget, mean over seeds",
    "macro_f1_low": "lower end of its 95 % t interval over seeds",
    "macro_f1_high": "upper end",
    "nll": "negative log-likelihood (nats) at the budget, mean over seeds",
    "ece": "expected calibration error at the budget, mean over seeds",
    "alc": "area under the learning curve: mean accuracy over the label axis, mean over seeds",
    "against": "the random arm of the same variant; null where there is none",
    "paired_seeds": "seeds finished by this arm and by the random arm: what comparisons rest on",
    "unpaired_seeds": "seeds finished by one of the two only: left out of comparisons",
    "alc_difference": "area under the learning curve minus the random arm's, mean over paired seeds",
    "alc_difference_low": "lower end of its 95 % paired t interval",
    "alc_difference_high": "upper end",
    "sign_flip_p": "two-sided sign-flip p of the area differences (exact up to 20 seeds)",
    "holm_p": "the same after Holm's correction over all compared arms of the study",
    "labels_saved": "1 - labels the arm needs / labels random needs, at labels_saved_accuracy; negative: it "
    "needs more. An end-point effect: the saving at lower accuracies may be another",
    "labels_saved_low": "lower end of its 95 % interval (not corrected for the number of arms)",
    "labels_saved_high": "upper end",
    "labels_saved_accuracy": "highest accuracy that both mean curves reach, made monotone: random's at the "
    "budget, or the arm's where that is lower",
    "labels_saved_reached": "share of bootstrap draws of the seeds in which the arm reaches random's "
    "accuracy at the budget",
    "seconds_per_round": "query, fit and evaluation, mean over rounds from 1 on",
    "full_data_accuracy": "accuracy of the same training settings with all labels of the train part, mean over "
    "seeds; null where that was not run",
    "alc_normalised": "alc_difference / (full_data_accuracy - alc of the random arm over the paired seeds): the "
    "share of what is left to gain; null where nothing is",
    "exploratory": "fewer than six (paired) seeds: no p below 0.05 is possible",
}
"""Columns of `summary.parquet`, in order, each with what it holds."""

_COUNTS = ["seeds", "failed", "unfinished", "paired_seeds", "unpaired_seeds"]


def summarise(
    rounds: pd.DataFrame, runs: pd.DataFrame, rng: np.random.Generator, reference: str = RANDOM
) -> pd.DataFrame:
    """Return a row per arm, in the order of `runs`, with the columns of `SUMMARY_COLUMNS`.

    Runs on full data have no row. Only finished runs count. What does not exist (no finished run, one seed, no
    reference arm) is null.

    Args:
        rounds: A row per run and round; rows of runs that have not finished are left out.
        runs: A row per run, with its status.
        rng: For the bootstrap draws; arms share them, so neither their order nor their names change a number.
        reference: The strategy, or the arm, that the others of its variant are compared with. Where the columns name
            random, it is this one.

    Raises:
        StoreError: If finished runs differ in their label counts, a finished run has no rounds, an arm finished a
            seed twice, or a variant has two reference arms.
    """
    split = split_full_data(rounds, runs)
    accuracy_of_full_data = split.ceilings.set_index("variant")["accuracy"]
    arms = arm_curves(split.rounds, split.runs)
    by_name = {arm.name: arm for arm in arms}
    pairs = reference_pairs(arms, split.runs, reference)
    seconds = _seconds_per_round(split.rounds, split.runs)
    draws_seed = int(rng.integers(2**63))
    rows = []
    for name, of_arm in split.runs.groupby("arm", sort=False):
        row = _identity(of_arm) | _at_budget(by_name[str(name)])
        row["seconds_per_round"] = seconds.get(str(name), math.nan)
        row["full_data_accuracy"] = accuracy_of_full_data.get(row["variant"], math.nan)
        if str(name) in pairs:
            row |= _comparison(
                pairs[str(name)], row["full_data_accuracy"], np.random.default_rng(draws_seed)
            )
        rows.append(row)
    return _table(rows)


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


def _at_budget(arm: ArmCurves) -> dict[str, Any]:
    if not arm.seeds:
        return {}
    last = {
        metric: mean_interval(arm.values(metric)[:, -1])
        for metric in ("accuracy", "macro_f1", "nll", "ece")
    }
    return {
        "labels": int(arm.labels[-1]),
        **last["accuracy"].columns("accuracy"),
        **last["macro_f1"].columns("macro_f1"),
        "nll": last["nll"].estimate,
        "ece": last["ece"].estimate,
        "alc": mean_interval(area_under_curve(arm.labels, arm.values("accuracy"))).estimate,
    }


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


def _comparison(pair: Pair, full_data_accuracy: float, rng: np.random.Generator) -> dict[str, Any]:
    row: dict[str, Any] = {
        "against": pair.reference.name,
        "paired_seeds": len(pair.seeds),
        "unpaired_seeds": pair.unpaired,
    }
    saved = saving_at_budget(pair)
    if saved is None:
        return row
    curves, of_reference = pair.curves("accuracy")
    reference_areas = area_under_curve(pair.labels, of_reference)
    differences = area_under_curve(pair.labels, curves) - reference_areas
    difference = mean_interval(differences)
    left = full_data_accuracy - float(reference_areas.mean())
    return row | {
        **difference.columns("alc_difference"),
        "alc_normalised": difference.estimate / left if left > 0 else math.nan,
        "sign_flip_p": sign_flip_p(differences, rng),
        **saved.saving.columns("labels_saved"),
        "labels_saved_accuracy": saved.accuracy,
        "labels_saved_reached": share_reached(curves, of_reference, rng),
    }


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
    table[_COUNTS] = table[_COUNTS].astype("Int64").fillna(0)
    carrying = table["paired_seeds"].where(table["against"].notna(), table["seeds"])
    table["exploratory"] = carrying < FEWEST_SEEDS
    kinds = dict.fromkeys(SUMMARY_COLUMNS, "float64") | dict.fromkeys(_COUNTS, "int64")
    kinds |= {"labels": "Int64", "oracle": "bool", "exploratory": "bool"}
    kinds |= dict.fromkeys(("arm", "strategy", "variant"), "str")
    # Without a comparison `against` holds nulls only, and would be written as numbers.
    kinds.pop("against")
    table = table.astype(kinds).assign(against=text_column(table["against"]))
    return table.assign(holm_p=holm(table["sign_flip_p"].to_numpy(float)))
