"""The work of a round, the same for every contestant, and the pool it is done on.

A round: score the unlabelled objects, query, reveal their labels, fit for an epoch over all labels from the present
weights with the same Adam, and find the accuracy on the test objects.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

OBJECTS, TEST, FEATURES, CLASSES = 50_000, 5_000, 256, 50
HIDDEN, DROPOUT, LEARNING_RATE, BATCH = 256, 0.3, 1e-3, 128
INITIAL, QUERY, MEMBERS = 2_000, 20, 10
START_EPOCHS = 30
"""Epochs over the initial labels before the first round; not timed."""

STRATEGIES = ("margin", "bald")
CLUSTERS, SPREAD = 3, 0.36
"""Each class is a mixture of so many unit normals, whose centres are normal with this deviation: hard, not hopeless."""

Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """What is known of the objects; the pool's come first, the test objects behind them.

    Attributes:
        features: (OBJECTS + TEST, FEATURES).
        labels: (OBJECTS + TEST,).
    """

    features: Features
    labels: Labels

    @property
    def pool(self) -> tuple[Features, Labels]:
        return self.features[:OBJECTS], self.labels[:OBJECTS]

    @property
    def test(self) -> tuple[Features, Labels]:
        return self.features[OBJECTS:], self.labels[OBJECTS:]


def make_world() -> World:
    """Draw the objects; every run has the same, so that seeds differ in labels, weights and batches alone."""
    rng = np.random.default_rng(0)
    count = OBJECTS + TEST
    labels = rng.integers(0, CLASSES, count)
    centres = SPREAD * rng.standard_normal((CLASSES, CLUSTERS, FEATURES))
    features = centres[labels, rng.integers(0, CLUSTERS, count)]
    features += rng.standard_normal((count, FEATURES))
    return World(features.astype(np.float32), labels)


def save_world(world: World, path: Path) -> None:
    np.savez(path, features=world.features, labels=world.labels)


def load_world(path: Path) -> World:
    with np.load(path) as arrays:
        return World(arrays["features"], arrays["labels"])


def initial_labels(seed: int) -> Labels:
    """Return the pool objects that are labelled before the first round."""
    return np.random.default_rng(seed).choice(OBJECTS, INITIAL, replace=False)
