"""A sweep's runs as aligned curves: an arm, and a pair of arms on the seeds that both have finished."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.metrics import DECIDING, evaluated
from alray.errors import StoreError
from alray.statistics.curves import Curves, Labels
from alray.statistics.paired import FEWEST_SEEDS

METRICS = (*DECIDING, "ece", "labelled_classes")
"""Columns of `rounds` that have a learning curve, where they were recorded."""

RANDOM = "random"
"""The strategy that others are compared with where none is named."""


@dataclass(frozen=True)
class Criterion:
    """What arms are compared with, and by what.

    Attributes:
        reference: The strategy, or the arm, that the others of its variant are compared with.
        metric: One of `metrics.DECIDING`.
        axis: What curves run along; None: the usual one of the records, `along.usual_axis`.
        initial_selection: The study's own, which variants with another are compared with; "" where not on record.
    """

    reference: str = RANDOM
    metric: str = "accuracy"
    axis: Axis | None = None
    initial_selection: str = ""


BY_DEFAULT = Criterion()
"""Against random, by accuracy."""


def arm_label(name: str, variant: str) -> str:
    """Return the name of an arm: its strategy's, with the variant where there is one."""
    return f"{name} [{variant}]" if variant else name


@dataclass(frozen=True, eq=False)
class ArmCurves:
    """The curves of an arm's finished runs; without one there are no seeds, labels and curves.

    Attributes:
        name: The arm.
        variant: Its varied training settings; arms of one variant are comparable.
        seeds: Finished seeds, rising.
        labels: Label counts, or other amounts that curves run along, rising, common to all seeds.
        curves: Per recorded metric (seed, point), rows in the order of `seeds`.
    """

    name: str
    variant: str
    seeds: tuple[int, ...]
    labels: Labels
    curves: Mapping[str, Curves]

    def values(self, metric: str) -> Curves:
        """Return a metric's curves (seed, point), NaN where it was not recorded."""
        unknown = np.full((len(self.seeds), len(self.labels)), math.nan)
        return self.curves.get(metric, unknown)


@dataclass(frozen=True, eq=False)
class Pair:
    """An arm and the reference that it is compared with, on the seeds that both have finished.

    Attributes:
        arm: The arm.
        reference: The arm that it is compared with.
        seeds: Common seeds, rising.
        unpaired: How many seeds only one of the two has finished.
    """

    arm: ArmCurves
    reference: ArmCurves
    seeds: tuple[int, ...]
    unpaired: int

    @property
    def labels(self) -> Labels:
        """Label counts of both."""
        return self.arm.labels

    @property
    def exploratory(self) -> bool:
        """Whether there are too few common seeds for any p below 0.05."""
        return len(self.seeds) < FEWEST_SEEDS

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that can be compared: recorded by both, on at least one common seed."""
        if not self.seeds:
            return ()
        return tuple(name for name in self.arm.curves if name in self.reference.curves)

    def curves(self, metric: str) -> tuple[Curves, Curves]:
        """Return the curves of both, row by row the same seed."""
        return _rows(self.arm, metric, self.seeds), _rows(self.reference, metric, self.seeds)

    def differences(self, metric: str) -> Curves:
        """Return the arm's curves minus the reference's, a row per seed."""
        arm, reference = self.curves(metric)
        return np.asarray(arm - reference)


def arm_curves(rounds: pd.DataFrame, runs: pd.DataFrame) -> list[ArmCurves]:
    """Return every arm of `runs`, in the order of their first finished runs; arms without one come last.

    Raises:
        StoreError: If an arm finished a seed twice, a finished run has no rounds, or finished runs of one variant
            differ in their label counts or have one twice.
    """
    finished = runs[runs["status"] == "finished"]
    of_finished = rounds[rounds["run_id"].isin(finished["run_id"])]
    records = evaluated(of_finished).sort_values(["seed", "labels"])
    _check(records, finished)
    variants = dict(zip(runs["arm"], runs["variant"], strict=True))
    return [
        _arm(
            str(name),
            str(variants[name]),
            records[records["arm"] == name],
            finished.loc[finished["arm"] == name, "seed"],
        )
        for name in dict.fromkeys([*finished["arm"], *runs["arm"]])
    ]


def reference_pairs(
    arms: Sequence[ArmCurves], runs: pd.DataFrame, reference: str = RANDOM
) -> dict[str, Pair]:
    """Return arm: its pair with the arm that it is compared with, for every arm that has one.

    With random, that is the arm that `against` in `runs` names, which is trained in the same way; where nothing is
    recorded, and with another reference, it is the reference arm of the same variant. `reference` names a strategy or
    an arm.

    Raises:
        StoreError: If a variant has two such arms.
    """
    by_name = {arm.name: arm for arm in arms}
    of_variant = _references(runs, reference)
    recorded = recorded_references(runs) if reference == RANDOM else {}
    pairs: dict[str, Pair] = {}
    for arm in arms:
        against = recorded.get(arm.name, of_variant.get(arm.variant, ""))
        if against in by_name and against != arm.name:
            pairs[arm.name] = pair(arm, by_name[against])
    return pairs


def recorded_references(runs: pd.DataFrame) -> dict[str, str]:
    """Return arm: the arm that it is compared with, "" for none, of the arms of which `runs` says it."""
    if "against" not in runs:
        return {}
    known = runs[runs["against"].notna()]
    return {
        str(arm): str(against) for arm, against in zip(known["arm"], known["against"], strict=True)
    }


def _references(runs: pd.DataFrame, reference: str) -> dict[str, str]:
    """Return variant: its reference arm."""
    recorded = recorded_references(runs)
    is_reference = (runs["arm"] == reference) | (runs["strategy"] == reference)
    references: dict[str, str] = {}
    for variant, rows in runs[is_reference].groupby("variant"):
        names = sorted(set(rows["arm"]))
        if len(names) > 1:
            # Random arms that were added for others are compared with the plain one themselves.
            names = [name for name in names if not recorded.get(name)]
        if len(names) > 1:
            raise StoreError(f"variant {variant!r} has more than one {reference} arm: {names}")
        references[str(variant)] = names[0]
    return references


def pair(arm: ArmCurves, reference: ArmCurves) -> Pair:
    """Return two arms on their common seeds, with a count of the others."""
    seeds, others = set(arm.seeds), set(reference.seeds)
    return Pair(arm, reference, tuple(sorted(seeds & others)), len(seeds ^ others))


def comparisons_of(pairs: Iterable[Pair], metric: str) -> int:
    """Return how many pairs can be compared by a metric: what intervals and tests are corrected for, at least 1."""
    return max(1, sum(metric in pair.metrics for pair in pairs))


def _check(records: pd.DataFrame, finished: pd.DataFrame) -> None:
    twice = finished[finished.duplicated(["arm", "seed"])]
    if len(twice):
        arm, seed = twice[["arm", "seed"]].iloc[0]
        raise StoreError(f"arm {arm!r} has more than one finished run with seed {seed}")
    missing = sorted(set(finished["run_id"]) - set(records["run_id"]))
    if missing:
        raise StoreError(f"{len(missing)} finished runs have no rounds, e.g. {missing[0]}")
    variants = records["run_id"].map(finished.set_index("run_id")["variant"])
    for _, of_variant in records.groupby(variants, sort=False):
        _check_labels(of_variant)


def _check_labels(records: pd.DataFrame) -> None:
    """Refuse runs of one variant that differ in their label counts: their curves are compared point by point."""
    grids: dict[tuple[int, ...], str] = {}
    for run_id, of_run in records.groupby("run_id"):
        grids.setdefault(tuple(of_run["labels"]), str(run_id))
    described = [
        f"{run_id} has {len(grid)} rounds from {grid[0]} to {grid[-1]} labels"
        for grid, run_id in grids.items()
    ]
    if len(grids) > 1:
        two = ", ".join(described[:2])
        raise StoreError(f"runs with different label counts cannot be compared: {two}")
    if any(len(set(grid)) < len(grid) for grid in grids):
        raise StoreError(f"a label count occurs twice in a run: {described[0]}")


def _arm(name: str, variant: str, records: pd.DataFrame, seeds: "pd.Series[int]") -> ArmCurves:
    labels = np.unique(records["labels"].to_numpy(float))
    curves = {
        metric: records[metric].to_numpy(float).reshape(len(seeds), len(labels))
        for metric in METRICS
        if metric in records and records[metric].notna().any()
    }
    return ArmCurves(name, variant, tuple(sorted(int(seed) for seed in seeds)), labels, curves)


def _rows(arm: ArmCurves, metric: str, seeds: Sequence[int]) -> Curves:
    return arm.curves[metric][np.isin(arm.seeds, seeds)]
