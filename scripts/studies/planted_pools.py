"""Pools whose truth is planted: what the objects with the largest loss teach is known before anything is trained."""

from collections.abc import Callable

import numpy as np

CLASSES, FEATURES = 4, 16
TRAIN, TEST = 1_400, 1_000
"""Objects to learn from come first, then those to measure on."""

Planted = tuple[np.ndarray, np.ndarray]
"""Features (object, feature) and labels (object,)."""


def rare_modes(rng: np.random.Generator) -> Planted:
    """Return clean classes: half of the objects lie in one common mode of their class, half in twenty rare ones.

    A large loss means a rare mode that the few initial labels have missed: it helps.
    """
    objects = TRAIN + TEST
    labels = rng.integers(CLASSES, size=objects)
    common = 3 * rng.normal(size=(CLASSES, FEATURES))
    rare = 3 * rng.normal(size=(CLASSES, 20, FEATURES))
    is_rare, modes = rng.random(objects) < 0.5, rng.integers(20, size=objects)
    centres = np.where(is_rare[:, None], rare[labels, modes], common[labels])
    return centres + 0.5 * rng.normal(size=(objects, FEATURES)), labels


def wrong_labels(rng: np.random.Generator) -> Planted:
    """Return separable classes; a quarter of the train labels is wrong: a large loss means a wrong label, and hurts."""
    features, labels = _classes(rng, 1.0)
    wrong = np.flatnonzero(rng.random(TRAIN) < 0.25)
    labels[wrong] = (labels[wrong] + rng.integers(1, CLASSES, size=len(wrong))) % CLASSES
    return features, labels


def overlapping(rng: np.random.Generator) -> Planted:
    """Return classes that overlap: a large loss means an object on the wrong side of the border, and hurts."""
    return _classes(rng, 0.35)


def uninformative(rng: np.random.Generator) -> Planted:
    """Return labels that are independent of the features: nothing can be learnt, and no score can matter."""
    features, labels = _classes(rng, 1.0)
    return features, rng.permutation(labels)


def easy(rng: np.random.Generator) -> Planted:
    """Return classes far from each other: the base model knows them all, and no group changes anything."""
    return _classes(rng, 4.0)


def _classes(rng: np.random.Generator, distance: float) -> Planted:
    """Return one normal mode a class; the centres are drawn with this standard deviation."""
    objects = TRAIN + TEST
    labels = rng.integers(CLASSES, size=objects)
    centres = distance * rng.normal(size=(CLASSES, FEATURES))
    return centres[labels] + rng.normal(size=(objects, FEATURES)), labels


POOLS: dict[str, Callable[[np.random.Generator], Planted]] = {
    "rare-modes": rare_modes,
    "wrong-labels": wrong_labels,
    "overlapping": overlapping,
    "uninformative": uninformative,
    "easy": easy,
}
