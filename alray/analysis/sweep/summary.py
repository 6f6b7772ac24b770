"""A study's records to its summary: a row per arm, compared with random.

Every arm is compared with the random arm of the same variant (the same training settings), seed by seed.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.analysis.sweep.arms import random_arms
from alray.analysis.sweep.full_data import METRICS, split_full_data
from alray.errors import StoreError
from alray.statistics.curves import area_under_curve, label_saving_at_budget, share_reached
from alray.statistics.paired import FEWEST_SEEDS, Interval, holm, mean_interval, sign_flip_test

SUMMARY_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
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
)
"""Columns of `summary.parquet`, in order, each with what it holds."""

_COUNTS = ["seeds", "failed", "unfinished", "paired_seeds", "unpaired_seeds"]

_TEXTS = ("arm", "strategy", "variant", "against")

_FLAGS = ("oracle", "exploratory")

_SECONDS = ["query_s", "fit_s", "eval_s"]


def summarise(rounds: pd.DataFrame, runs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return a row per arm, in the order of `runs`, with the columns of `SUMMARY_COLUMNS`.

    Runs on full data have no row of their own. Only finished runs count. What does not exist (no finished run, one seed, no random arm) is null.

    Args:
        rounds: A row per run and round; rows of runs that have not finished are left out.
        runs: A row per run, with its status.
        rng: For the bootstrap draws; arms share them, so neither their order nor their names change a number.

    Raises:
        StoreError: If finished runs differ in their label counts, a finished run has no rounds, an arm finished a
            seed twice, or a variant has two random arms.
    """
    # A study without a finished run has no rounds to read, and then the frame has no columns either.
    if rounds.empty:
        rounds = pd.DataFrame(
            columns=["run_id", "arm", "variant", "full_data", "seed", "labels", *METRICS]
        )
    apart = split_full_data(rounds, runs)
    rounds, runs = apart.rounds, apart.runs
    ceilings = dict(zip(apart.ceilings["variant"], apart.ceilings["accuracy"], strict=True))
    finished = runs[runs["status"] == "finished"]
    records = rounds[rounds["run_id"].isin(finished["run_id"])]
    # The order of rows must not decide how sums are rounded: a summary is the same to the bit.
    records = records.sort_values(["arm", "seed", "labels"])
    _check(records, finished)
    by_arm = {str(arm): of_arm for arm, of_arm in records.groupby("arm")}
    randoms = random_arms(runs)
    draws_seed = int(rng.integers(2**63))
    rows = []
    for arm, of_arm in runs.groupby("arm", sort=False):
        row = _identity(of_arm) | _at_budget(by_arm.get(str(arm)))
        row["full_data_accuracy"] = ceilings.get(row["variant"], math.nan)
        against = randoms.get(row["variant"])
        if against is not None and against != arm:
            row |= {"against": against, **_pairing(finished, row["arm"], against)}
            if row["paired_seeds"]:
                rng_of_arm = np.random.default_rng(draws_seed)
                row |= _comparison(by_arm[row["arm"]], by_arm[against], rng_of_arm)
                left = row["full_data_accuracy"] - row.pop("alc_random")
                row["alc_normalised"] = row["alc_difference"] / left if left > 0 else math.nan
        rows.append(row)
    return _table(rows)


def _check(records: pd.DataFrame, finished: pd.DataFrame) -> None:
    twice = finished[finished.duplicated(["arm", "seed"])]
    if len(twice):
        arm, seed = twice[["arm", "seed"]].iloc[0]
        raise StoreError(f"arm {arm!r} has more than one finished run with seed {seed}")
    missing = sorted(set(finished["run_id"]) - set(records["run_id"]))
    if missing:
        raise StoreError(f"{len(missing)} finished runs have no rounds, e.g. {missing[0]}")
    grids: dict[tuple[int, ...], str] = {}
    for run_id, of_run in records.groupby("run_id"):
        grids.setdefault(tuple(of_run["labels"]), str(run_id))
    described = [
        f"{run_id} has {len(grid)} rounds from {grid[0]} to {grid[-1]} labels"
        for grid, run_id in grids.items()
    ]
    if len(grids) > 1:
        raise StoreError(
            f"runs with different label counts cannot be compared: {described[0]}, {described[1]}"
        )
    if any(len(set(grid)) < len(grid) for grid in grids):
        raise StoreError(f"a label count occurs twice in a run: {described[0]}")


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


def _at_budget(records: pd.DataFrame | None) -> dict[str, Any]:
    if records is None:
        return {}
    curves = _curves(records)
    budget = records["labels"].max()
    last = records[records["labels"] == budget]
    seconds = records.loc[records["round"] >= 1, _SECONDS].to_numpy(float).sum(axis=1)
    areas = area_under_curve(_labels(curves), curves.to_numpy(float))
    return {
        "labels": int(budget),
        **_interval("accuracy", mean_interval(last["accuracy"].to_numpy(float))),
        **_interval("macro_f1", mean_interval(last["macro_f1"].to_numpy(float))),
        "nll": mean_interval(last["nll"].to_numpy(float)).estimate,
        "ece": mean_interval(last["ece"].to_numpy(float)).estimate,
        "alc": mean_interval(areas).estimate,
        "seconds_per_round": float(np.mean(seconds)) if len(seconds) else math.nan,
    }


def _pairing(finished: pd.DataFrame, arm: str, against: str) -> dict[str, int]:
    seeds = set(finished.loc[finished["arm"] == arm, "seed"])
    seeds_of_random = set(finished.loc[finished["arm"] == against, "seed"])
    return {
        "paired_seeds": len(seeds & seeds_of_random),
        "unpaired_seeds": len(seeds ^ seeds_of_random),
    }


def _comparison(
    arm: pd.DataFrame, random: pd.DataFrame, rng: np.random.Generator
) -> dict[str, Any]:
    arm_curves, random_curves = _curves(arm), _curves(random)
    paired = arm_curves.index.intersection(random_curves.index)
    labels = _labels(arm_curves)
    curves = arm_curves.loc[paired].to_numpy(float)
    baseline = random_curves.loc[paired].to_numpy(float)
    areas_of_random = area_under_curve(labels, baseline)
    differences = area_under_curve(labels, curves) - areas_of_random
    saved = label_saving_at_budget(labels, curves, baseline)
    return {
        **_interval("alc_difference", mean_interval(differences)),
        "alc_random": float(areas_of_random.mean()),
        "sign_flip_p": sign_flip_test(differences, rng).p,
        **_interval("labels_saved", saved.saving),
        "labels_saved_accuracy": saved.accuracy,
        "labels_saved_reached": share_reached(curves, baseline, rng),
    }


def _curves(records: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies, a row per seed and a column per label count, both in rising order."""
    return records.pivot(index="seed", columns="labels", values="accuracy")


def _labels(curves: pd.DataFrame) -> Float[np.ndarray, " point"]:
    return curves.columns.to_numpy(float)


def _interval(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
    table[_COUNTS] = table[_COUNTS].astype("Int64").fillna(0)
    carrying = table["paired_seeds"].where(table["against"].notna(), table["seeds"])
    table["exploratory"] = carrying < FEWEST_SEEDS
    kinds = dict.fromkeys(SUMMARY_COLUMNS, "float64") | {"labels": "Int64"}
    kinds |= dict.fromkeys(_COUNTS, "int64") | dict.fromkeys(_FLAGS, "bool")
    table = table.astype({name: kind for name, kind in kinds.items() if name not in _TEXTS})
    # Without a comparison this column holds nulls only, and would be written as numbers.
    table["against"] = table["against"].astype("str")
    return table.assign(holm_p=holm(table["sign_flip_p"].to_numpy(float)))
