"""Frames of a made correlation study: what `alray correlate` would leave behind, small and with planted effects."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.correlation.summary import summarise
from alray.reporting.correlation.page import CorrelationResults

SCORES = ("loss", "margin", "entropy", "least_confidence", "bald")
SLOPES = {
    "loss": -0.012,
    "margin": 0.006,
    "entropy": -0.005,
    "least_confidence": -0.001,
    "bald": 0.004,
}
OUTCOMES = ("accuracy", "nll", "macro_f1")
BASE = {"accuracy": 0.61, "nll": 1.32, "macro_f1": 0.55}


@dataclass(frozen=True)
class Size:
    """How large the made study is."""

    bases: int = 2
    groups: int = 20
    objects: int = 5
    seeds: int = 3
    doses: tuple[int, ...] = (1, 5, 20)
    scores: tuple[str, ...] = SCORES
    labels: tuple[str, ...] = ("cat", "<script>alert(1)</script>", "dog & fox")
    groupings: tuple[str, ...] = field(default=("score", "within_class", "random"))


def results(size: Size | None = None, seed: int = 7, **changes: Any) -> CorrelationResults:
    """Return everything that a page is made from, with changes."""
    size, rng = size or Size(), np.random.default_rng(seed)
    groups = groups_of(rng, size)
    outcomes, bases = outcomes_of(groups, rng, size)
    found = summarise(groups, outcomes, bases, rng, permutations=100, bootstraps=50)
    settings: dict[str, Any] = {
        "groups": groups,
        "outcomes": outcomes,
        "bases": bases,
        "summary": found.summary,
        "quantiles": found.quantiles,
        "checks": found.checks,
        "title": "icons-correlation",
        "facts": {
            "pool": "icons: 12,000 objects, 30 classes, image 512 + text 384",
            "classes": ", ".join(size.labels),
            "sample": f"{size.groups} groups of {size.objects} objects",
            "versions": "alray 0.3.0, torch 2.13.0, Python 3.11.9",
            "fingerprint": "sha256:4f1c9d0be2a7",
            "started": "2025-11-22 02:14 UTC, 3 h 20 min",
            "command": "alray correlate --pool icons.parquet --bases 3 --epochs 1,2,5,10,20",
        },
        "sentences": (
            "Groups by score, accuracy: loss hurts at 20 epochs; margin helps at 20 epochs.",
            "The sign of rho does not change over the dose for any score.",
            "Shuffled labels harm and split halves agree, so the outcome can be measured.",
        ),
    } | changes
    return CorrelationResults(**settings)


def groups_of(rng: np.random.Generator, size: Size) -> pd.DataFrame:
    """Return a row per base, grouping, score that objects were sorted by, and object."""
    frames = []
    for base in range(size.bases):
        sample = _sample(rng, size)
        numbers = np.repeat(np.arange(size.groups), size.objects)
        for grouping, sorted_by in _arms(size):
            if grouping == "score":
                of_arm = sample.sort_values(sorted_by)
            elif grouping == "within_class":
                # Objects dealt in turn, class by class: near enough to the same histogram for a picture.
                rank = sample.groupby("label")[sorted_by].rank(pct=True)
                of_arm = sample.loc[rank.sort_values(kind="stable").index]
            else:
                of_arm = sample.sample(frac=1, random_state=rng)
            frames.append(
                of_arm.assign(base=base, grouping=grouping, sorted_by=sorted_by, group=numbers)
            )
    columns = ["base", "grouping", "sorted_by", "group", "id", "label", *size.scores]
    return pd.concat(frames, ignore_index=True)[columns]


def _arms(size: Size) -> list[tuple[str, str]]:
    sorted_ones: list[str] = [name for name in ("score", "within_class") if name in size.groupings]
    arms = [(grouping, score) for grouping in sorted_ones for score in size.scores]
    return [*arms, ("random", "")] if "random" in size.groupings else arms


def _sample(rng: np.random.Generator, size: Size) -> pd.DataFrame:
    n = size.groups * size.objects
    difficulty = rng.normal(size=n)
    noise = {score: rng.normal(scale=0.4, size=n) for score in size.scores}
    raw = {
        "loss": lambda d: np.exp(0.8 * d + 0.1),
        "margin": lambda d: 1 / (1 + np.exp(1.5 * d)),
        "entropy": lambda d: 2.5 / (1 + np.exp(-d)),
        "least_confidence": lambda d: 0.95 / (1 + np.exp(-d)),
        "bald": lambda d: 0.3 * np.exp(0.5 * d),
    }
    return pd.DataFrame(
        {
            "id": [f"object{i}" for i in range(n)],
            "label": np.array(size.labels)[rng.integers(len(size.labels), size=n)],
            **{score: raw[score](difficulty + noise[score]) for score in size.scores},
        }
    )


def outcomes_of(
    groups: pd.DataFrame, rng: np.random.Generator, size: Size
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return outcomes (fine-tunes and controls) and bases."""
    rows = []
    arms = groups[["grouping", "sorted_by", "group"]].drop_duplicates()
    for base in range(size.bases):
        for seed in range(size.seeds):
            for epochs in size.doses:
                shift = 0.004 * math.log2(1 + epochs) + rng.normal(scale=0.002)
                rows.append((base, "control", "", -1, seed, epochs, 4 * epochs, shift))
                position = 2 * arms["group"].to_numpy() / (size.groups - 1) - 1
                slope = arms["sorted_by"].map(SLOPES).fillna(0).to_numpy(float)
                dose = math.log2(1 + epochs) / math.log2(1 + size.doses[-1])
                curve = slope * dose * (position + 0.4 * position**2)
                effect = shift - 0.003 * dose + curve + rng.normal(scale=0.003, size=len(arms))
                rows += [
                    (base, *arm, seed, epochs, 4 * epochs, value)
                    for arm, value in zip(arms.itertuples(index=False), effect, strict=True)
                ]
    columns = ["base", "grouping", "sorted_by", "group", "seed", "epochs", "steps", "effect"]
    outcomes = pd.DataFrame(rows, columns=columns)
    bases = pd.DataFrame({"base": range(size.bases), "labels": 2000})
    for outcome in OUTCOMES:
        sign = -2 if outcome == "nll" else 1
        of_base = BASE[outcome] + rng.normal(scale=0.01, size=size.bases)
        bases[outcome] = of_base
        outcomes[outcome] = of_base[outcomes["base"]] + sign * outcomes["effect"]
    return outcomes.drop(columns="effect"), bases
