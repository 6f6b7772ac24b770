"""Frames of a made correlation study: what `alray correlate` would leave behind, small and with planted effects."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from alray.reporting.correlation.page import CorrelationResults

SCORES = ("loss", "margin", "entropy", "least_confidence", "bald")
SLOPES = {
    "loss": -0.012,
    "margin": 0.006,
    "entropy": -0.005,
    "least_confidence": -0.001,
    "bald": 0.004,
}
VERDICTS = {
    "loss": "hurts",
    "margin": "helps",
    "entropy": "inconclusive",
    "least_confidence": "no effect",
    "bald": "inconclusive",
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


def results(rng: np.random.Generator, size: Size | None = None, **changes) -> CorrelationResults:
    """Return everything that a page is made from."""
    size = size or Size()
    groups = groups_of(rng, size)
    outcomes, bases = outcomes_of(groups, rng, size)
    summary = summary_of(groups, outcomes, size)
    settings: dict[str, Any] = {
        "groups": groups,
        "outcomes": outcomes,
        "bases": bases,
        "summary": summary,
        "quantiles": quantiles_of(groups, outcomes, size),
        "checks": checks_of(size),
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


def _useful(
    groups: pd.DataFrame, outcomes: pd.DataFrame, score: str, grouping: str
) -> pd.DataFrame:
    """Return base, group, epochs, mean score and usefulness of every outcome, for one score and grouping."""
    sorted_by = "" if grouping == "random" else score
    of_arm = groups[(groups["grouping"] == grouping) & (groups["sorted_by"] == sorted_by)]
    means = of_arm.groupby(["base", "group"])[score].mean().rename("mean_score").reset_index()
    arm = outcomes[(outcomes["grouping"] == grouping) & (outcomes["sorted_by"] == sorted_by)]
    control = outcomes[outcomes["grouping"] == "control"]
    keys = ["base", "seed", "epochs"]
    both = arm.merge(control[[*keys, *OUTCOMES]], on=keys, suffixes=("", "_control"))
    for outcome in OUTCOMES:
        sign = -1 if outcome == "nll" else 1
        both[outcome] = sign * (both[outcome] - both[f"{outcome}_control"])
    mean = both.groupby(["base", "group", "epochs"])[list(OUTCOMES)].mean().reset_index()
    return mean.merge(means, on=["base", "group"])


def summary_of(groups: pd.DataFrame, outcomes: pd.DataFrame, size: Size) -> pd.DataFrame:
    """Return the summary's columns with true estimates and made intervals."""
    rows = []
    for grouping in size.groupings:
        for score in size.scores:
            useful = _useful(groups, outcomes, score, grouping)
            for epochs in size.doses:
                at_dose = useful[useful["epochs"] == epochs]
                rows += [
                    _summary_row(at_dose, score, grouping, outcome, epochs, size)
                    for outcome in OUTCOMES
                ]
    return pd.DataFrame(rows)


def _summary_row(at_dose, score, grouping, outcome, epochs, size):
    rhos = [
        float(spearmanr(of_base["mean_score"], of_base[outcome]).statistic)
        for _, of_base in at_dose.groupby("base")
    ]
    rho, ends = float(np.mean(rhos)), at_dose["group"] >= 0.9 * size.groups
    if score == "margin":
        ends = at_dose["group"] < 0.1 * size.groups
    uplift = math.nan if grouping == "random" else float(at_dose.loc[ends, outcome].mean()) + 0.003
    one = size.bases == 1
    verdict = VERDICTS[score] if grouping != "random" else "no effect"
    verdict = verdict if epochs == size.doses[-1] else "inconclusive"
    return {
        "score": score,
        "queried": "small" if score == "margin" else "large",
        "grouping": grouping,
        "outcome": outcome,
        "epochs": epochs,
        "bases": size.bases,
        "groups": size.groups,
        "seeds": size.seeds,
        "rho": rho,
        "rho_low": math.nan if one else max(rho - 0.2, -1.0),
        "rho_high": math.nan if one else min(rho + 0.2, 1.0),
        "rho_bootstrap_low": max(rho - 0.15, -1.0),
        "rho_bootstrap_high": min(rho + 0.15, 1.0),
        "rho_bases": rhos,
        "p": 0.0001 if abs(rho) > 0.4 else 0.2,
        "p_max": 0.0004 if abs(rho) > 0.4 else 0.6,
        "icc": 0.82,
        "icc_single": 0.5,
        "ceiling": 0.9,
        "rho_corrected": rho / 0.9,
        "partial_rho": 0.9 * rho,
        "uplift": uplift,
        "uplift_low": uplift - 0.004,
        "uplift_high": uplift + 0.004,
        "change": float(at_dose[outcome].mean()),
        "seeds_needed": 8,
        "verdict": verdict,
        "bound": 0.004 if verdict == "no effect" else math.nan,
    }


def quantiles_of(groups: pd.DataFrame, outcomes: pd.DataFrame, size: Size) -> pd.DataFrame:
    """Return mean usefulness by tenth of the score."""
    rows = []
    for grouping in size.groupings:
        for score in size.scores:
            useful = _useful(groups, outcomes, score, grouping)
            place = useful.groupby(["base", "epochs"])["mean_score"].rank(method="first") - 1
            useful["quantile"] = (10 * place // size.groups).astype(int)
            for (epochs, quantile), of_tenth in useful.groupby(["epochs", "quantile"]):
                for outcome in OUTCOMES:
                    mean = float(of_tenth[outcome].mean())
                    rows.append(
                        {
                            "score": score,
                            "grouping": grouping,
                            "outcome": outcome,
                            "epochs": epochs,
                            "quantile": quantile,
                            "mean_score": float(of_tenth["mean_score"].mean()),
                            "mean": mean,
                            "low": mean - 0.003,
                            "high": mean + 0.003,
                        }
                    )
    return pd.DataFrame(rows)


def checks_of(size: Size) -> pd.DataFrame:
    """Return shuffled labels and split halves at each dose."""
    return pd.DataFrame(
        [
            {
                "outcome": outcome,
                "epochs": epochs,
                "shuffled": -0.02,
                "shuffled_low": -0.03,
                "shuffled_high": -0.01,
                "split_half": 0.81,
            }
            for outcome in OUTCOMES
            for epochs in size.doses
        ]
    )
