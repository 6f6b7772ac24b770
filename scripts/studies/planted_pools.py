"""Pools whose truth is planted: what the objects with the largest loss teach is known before anything is trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alray.seeding import generator

CLASSES, FEATURES = 4, 16
TRAIN, VALIDATION, TEST = 2_100, 300, 1_200
"""Objects to learn from come first, then those to stop by, then those to measure on."""

OBJECTS = TRAIN + VALIDATION + TEST

Planted = tuple[np.ndarray, np.ndarray]
"""Features (object, feature) and labels (object,)."""


def rare_modes(rng: np.random.Generator) -> Planted:
    """Return clean classes: half of the objects lie in one common mode of their class, half in twenty rare ones.

    A large loss means a rare mode that the few initial labels have missed: it helps.
    """
    labels = rng.integers(CLASSES, size=OBJECTS)
    common = 3 * rng.normal(size=(CLASSES, FEATURES))
    rare = 3 * rng.normal(size=(CLASSES, 20, FEATURES))
    is_rare, modes = rng.random(OBJECTS) < 0.5, rng.integers(20, size=OBJECTS)
    centres = np.where(is_rare[:, None], rare[labels, modes], common[labels])
    return centres + 0.5 * rng.normal(size=(OBJECTS, FEATURES)), labels


def wrong_labels(rng: np.random.Generator) -> Planted:
    """Return separable classes; a quarter of the train labels is wrong: a large loss means a wrong label, and hurts."""
    features, labels = _classes(rng, 1.0)
    wrong = np.flatnonzero(rng.random(TRAIN) < 0.25)
    labels[wrong] = (labels[wrong] + rng.integers(1, CLASSES, size=len(wrong))) % CLASSES
    return features, labels


def overlapping(rng: np.random.Generator) -> Planted:
    """Return classes that overlap: a large loss means an object on the wrong side of the border, good or bad."""
    return _classes(rng, 0.35)


def uninformative(rng: np.random.Generator) -> Planted:
    """Return labels that are independent of the features: nothing can be learnt, and no score can matter."""
    features, labels = _classes(rng, 1.0)
    return features, rng.permutation(labels)


def _classes(rng: np.random.Generator, distance: float) -> Planted:
    """Return one normal mode a class; the centres are drawn with this standard deviation."""
    labels = rng.integers(CLASSES, size=OBJECTS)
    centres = distance * rng.normal(size=(CLASSES, FEATURES))
    return centres[labels] + rng.normal(size=(OBJECTS, FEATURES)), labels


POOLS: dict[str, Callable[[np.random.Generator], Planted]] = {
    "rare-modes": rare_modes,
    "wrong-labels": wrong_labels,
    "overlapping": overlapping,
    "uninformative": uninformative,
}


def write_planted(path: Path, kind: str, draw: int) -> None:
    """Write a pool of this kind as Parquet; the column `part` holds its split."""
    features, labels = POOLS[kind](generator(draw, 0, "twin"))
    parts = np.repeat(["train", "validation", "test"], [TRAIN, VALIDATION, TEST])
    table = pa.table(
        {
            "id": [f"object-{number}" for number in range(OBJECTS)],
            "label": [f"class-{label}" for label in labels],
            "part": parts,
            "vector": pa.array(
                list(features.astype(np.float32)), pa.list_(pa.float32(), FEATURES)
            ),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
