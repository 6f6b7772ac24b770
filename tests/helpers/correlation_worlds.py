"""Simulated correlation studies whose truth is known, as the frames of a study's folder."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

SCORES = ("loss", "margin", "entropy", "least_confidence", "bald")
SHUFFLED = 10


@dataclass(frozen=True)
class World:
    """How outcomes of groups come about: slope x score + a group's own effect + noise of the seed.

    All in units of accuracy; the score of an object is standard normal, with the groups' own places along it.
    """

    bases: int = 3
    groups: int = 40
    seeds: int = 4
    epochs: tuple[int, ...] = (5,)
    scores: tuple[str, ...] = ("loss", "margin")
    groupings: tuple[str, ...] = ("score", "within_class", "random", "shuffled_labels")
    objects: int = 6
    labels: tuple[str, ...] = ("class 0", "class 1", "class 2", "class 3")
    slope: float = 0.0
    """Change of usefulness per unit of score, at the largest dose; doses below get the same share of it."""
    slope_sd: float = 0.0
    group_sd: float = 0.01
    seed_sd: float = 0.01
    base_sd: float = 0.02
    learned: float = 0.03
    """What any group adds to the base's metrics, the control too."""


def study(world, rng):
    """Return `groups`, `outcomes` and `bases`."""
    groups, outcomes, bases = [], [], []
    for base in range(world.bases):
        before = 0.6 + rng.normal(0, world.base_sd)
        slope = world.slope + rng.normal(0, world.slope_sd)
        bases.append({"base": base, "labels": 200, **_metrics(before)})
        by_seed = rng.normal(0, 0.01, size=world.seeds)
        of_seed = (before + by_seed)[:, None] + np.zeros(len(world.epochs))
        outcomes.append(_outcomes(world, (base, "control", ""), of_seed[None], rng))
        for grouping, sorted_by in _arms(world):
            frame = _objects(world, base, grouping, sorted_by, rng)
            groups.append(frame)
            means = frame.groupby("group")[list(world.scores)].mean().to_numpy()
            own = rng.normal(0, world.group_sd, size=len(means))
            drives = means[:, world.scores.index(sorted_by or world.scores[0])]
            harm = -0.2 if grouping == "shuffled_labels" else 0.0
            trend = (slope * drives + harm)[:, None] * (np.array(world.epochs) / max(world.epochs))
            useful = of_seed + (own[:, None] + trend)[:, None]
            outcomes.append(_outcomes(world, (base, grouping, sorted_by), useful, rng))
    return (
        pd.concat(groups, ignore_index=True),
        pd.concat(outcomes, ignore_index=True),
        pd.DataFrame(bases),
    )


def _arms(world):
    for grouping in world.groupings:
        for score in world.scores if grouping in {"score", "within_class"} else [""]:
            yield grouping, score


def _objects(world, base, grouping, sorted_by, rng):
    groups = SHUFFLED if grouping == "shuffled_labels" else world.groups
    n = groups * world.objects
    scores = rng.normal(size=(n, len(world.scores)))
    if sorted_by:
        column = world.scores.index(sorted_by)
        scores[:, column].sort()
    labels = np.tile(np.resize(world.labels, world.objects), groups)
    if grouping != "within_class":
        labels = rng.permutation(labels)
    key = {
        "base": base,
        "grouping": grouping,
        "sorted_by": sorted_by,
        "group": np.repeat(np.arange(groups), world.objects),
        "id": [f"{grouping}-{i}" for i in range(n)],
        "label": labels,
    }
    return pd.DataFrame({**key, **dict(zip(world.scores, scores.T, strict=True))})


def _metrics(accuracy):
    return {"accuracy": accuracy, "nll": 2 - accuracy, "macro_f1": accuracy - 0.1}


def _outcomes(world, key, useful, rng):
    """Return a row per group (one for the control), seed and dose; so `useful` is [group, seed, dose]."""
    base, grouping, sorted_by = key
    noise = 0.0 if grouping == "control" else world.seed_sd
    accuracy = useful + world.learned + rng.normal(0, 1, size=useful.shape) * noise
    group, seed, dose = (axis.ravel() for axis in np.indices(accuracy.shape))
    epochs = np.array(world.epochs)[dose]
    return pd.DataFrame(
        {
            "base": base,
            "grouping": grouping,
            "sorted_by": sorted_by,
            "group": group if grouping != "control" else -1,
            "seed": seed,
            "epochs": epochs,
            "steps": epochs * 3,
            **_metrics(accuracy.ravel()),
        }
    )
