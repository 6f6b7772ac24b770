"""A sweep's finished runs as aligned curves: an arm, and a pair of arms on their common seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.errors import StoreError
from alray.statistics.curves import Curves, Labels

METRICS = ("accuracy", "macro_f1", "nll", "ece", "labelled_classes", "rare_recall")
"""Columns of `rounds` that have a learning curve, where they were recorded."""


@dataclass(frozen=True, eq=False)
class ArmCurves:
    """The curves of an arm's finished runs.

    Attributes:
        name: The arm.
        variant: Its varied training settings; arms of one variant are comparable.
        seeds: Finished seeds, rising.
        labels: Label counts, rising, common to all seeds.
        curves: Per recorded metric (seed, point), rows in the order of `seeds`.
    """

    name: str
    variant: str
    seeds: tuple[int, ...]
    labels: Labels
    curves: Mapping[str, Curves]


@dataclass(frozen=True, eq=False)
class Pair:
    """Two arms on the seeds that both have finished.

    Attributes:
        arm: The one.
        against: The other, with the same label counts.
        seeds: Common seeds, rising.
        unpaired: How many seeds only one of the two has finished.
    """

    arm: ArmCurves
    against: ArmCurves
    seeds: tuple[int, ...]
    unpaired: int

    @property
    def labels(self) -> Labels:
        """Label counts of both."""
        return self.arm.labels

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that both have recorded."""
        return tuple(name for name in self.arm.curves if name in self.against.curves)

    def curves(self, metric: str) -> tuple[Curves, Curves]:
        """Return the curves of both, row by row the same seed."""
        return _rows(self.arm, metric, self.seeds), _rows(self.against, metric, self.seeds)

    def differences(self, metric: str) -> Curves:
        """Return the arm's curves minus the other's, a row per seed."""
        arm, against = self.curves(metric)
        return np.asarray(arm - against)


def finished_arms(rounds: pd.DataFrame, runs: pd.DataFrame) -> list[ArmCurves]:
    """Return the arms that have a finished run, in the order of `runs`.

    Raises:
        StoreError: If an arm finished a seed twice, a finished run has no rounds, or runs differ in label counts.
    """
    finished = runs[runs["status"] == "finished"]
    twice = finished[finished.duplicated(["arm", "seed"])]
    if len(twice):
        arm, seed = twice[["arm", "seed"]].iloc[0]
        raise StoreError(f"arm {arm!r} has more than one finished run with seed {seed}")
    if finished.empty:
        return []
    records = rounds[rounds["run_id"].isin(finished["run_id"])].sort_values(["seed", "labels"])
    by_arm = dict(list(records.groupby("arm", sort=False)))
    arms = [
        _arm(str(name), by_arm.get(name, records.iloc[:0]), of_arm)
        for name, of_arm in finished.groupby("arm", sort=False)
    ]
    for arm in arms[1:]:
        if not np.array_equal(arm.labels, arms[0].labels):
            raise StoreError(
                f"arms with different label counts cannot be compared: {_described(arms[0])}, {_described(arm)}"
            )
    return arms


def pair(arm: ArmCurves, against: ArmCurves) -> Pair:
    """Return two arms on their common seeds, with a count of the others."""
    seeds, others = set(arm.seeds), set(against.seeds)
    return Pair(arm, against, tuple(sorted(seeds & others)), len(seeds ^ others))


def _arm(name: str, records: pd.DataFrame, finished: pd.DataFrame) -> ArmCurves:
    missing = sorted(set(finished["run_id"]) - set(records["run_id"]))
    if missing:
        raise StoreError(f"{len(missing)} finished runs have no rounds, e.g. {missing[0]}")
    seeds = tuple(sorted(int(seed) for seed in finished["seed"]))
    labels = np.unique(records["labels"].to_numpy(float))
    grid = records["labels"].to_numpy(float)
    if not np.array_equal(grid, np.tile(labels, len(seeds))):
        raise StoreError(f"runs of arm {name!r} have different label counts, or one count twice")
    recorded = [
        metric for metric in METRICS if metric in records and records[metric].notna().any()
    ]
    curves = {
        metric: records[metric].to_numpy(float).reshape(len(seeds), len(labels))
        for metric in recorded
    }
    return ArmCurves(name, str(finished["variant"].iloc[0]), seeds, labels, curves)


def _rows(arm: ArmCurves, metric: str, seeds: Sequence[int]) -> Curves:
    return arm.curves[metric][np.isin(arm.seeds, seeds)]


def _described(arm: ArmCurves) -> str:
    return f"{arm.name} has {len(arm.labels)} from {arm.labels[0]:g} to {arm.labels[-1]:g}"


def random_arms(runs: pd.DataFrame) -> dict[str, str]:
    """Return variant: name of its random arm.

    Raises:
        StoreError: If a variant has two.
    """
    is_random = runs["strategy"].str.partition(":")[0] == "random"
    arms: dict[str, str] = {}
    for variant, of_variant in runs[is_random].groupby("variant"):
        names = sorted(set(of_variant["arm"]))
        if len(names) > 1:
            raise StoreError(f"variant {variant!r} has more than one random arm: {names}")
        arms[str(variant)] = names[0]
    return arms
