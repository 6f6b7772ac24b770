"""The work of a round, the same for every competitor: the objects, the network, and common uses of PyTorch.

A round: score the unlabelled objects, query, reveal their labels, fit for an epoch over all labels from the present
weights with the same Adam, and find the accuracy on the test objects.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

OBJECTS, TEST, FEATURES, CLASSES = 50_000, 5_000, 256, 50
HIDDEN, DROPOUT, LEARNING_RATE, BATCH = 256, 0.3, 1e-3, 128
INITIAL, QUERY, MEMBERS = 2_000, 20, 10
START_EPOCHS = 30
"""Epochs over the initial labels before the first round; not timed."""

TURN = 3
"""Rounds that a competitor runs in a row. The first is not counted: after waiting it finds memory and caches cold."""

STRATEGIES = ("margin", "bald")
PHASES = ("query", "fit", "evaluate")
CLUSTERS, SPREAD = 3, 0.36
"""Each class is a mixture of three unit normals, whose centres are normal with this deviation: hard, but learnable."""

Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Objects:
    """The objects: first those of the pool, then the test objects.

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


def draw_objects() -> Objects:
    """Draw the objects; every run has the same, so that seeds differ in labels, weights and batches alone."""
    rng = np.random.default_rng(0)
    count = OBJECTS + TEST
    labels = rng.integers(0, CLASSES, count)
    centres = SPREAD * rng.standard_normal((CLASSES, CLUSTERS, FEATURES))
    features = centres[labels, rng.integers(0, CLUSTERS, count)]
    features += rng.standard_normal((count, FEATURES))
    return Objects(features.astype(np.float32), labels)


def save(objects: Objects, path: Path) -> None:
    np.savez(path, features=objects.features, labels=objects.labels)


def load(path: Path) -> Objects:
    with np.load(path) as arrays:
        return Objects(arrays["features"], arrays["labels"])


def initial_labels(seed: int) -> Labels:
    """Return the pool objects that are labelled before the first round."""
    return np.random.default_rng(seed).choice(OBJECTS, INITIAL, replace=False)


def make_network(seed: int) -> nn.Sequential:
    """Return the network with the weights of this seed: the same numbers in every process."""
    with torch.random.fork_rng(devices=[]):
        seed_globally(seed)
        return nn.Sequential(
            nn.Linear(FEATURES, HIDDEN),
            nn.ReLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, CLASSES),
        )


def seed_globally(seed: int) -> None:
    """Seed the generator that PyTorch's data loaders and dropout draw from."""
    torch.default_generator.manual_seed(seed)


def make_adam(parameters: Iterable[nn.Parameter]) -> torch.optim.Adam:
    return torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)


def blocks(rows: Tensor, size: int) -> Sequence[Tensor]:
    """Return a tensor cut into blocks of rows; the last one may have fewer."""
    cut: Sequence[Tensor] = rows.split(size)  # type: ignore[no-untyped-call]  # not typed in PyTorch
    return cut


def train_epoch(
    network: nn.Module, adam: torch.optim.Adam, features: Tensor, labels: Tensor, order: Tensor
) -> None:
    network.train()
    for batch in blocks(order, BATCH):
        loss = functional.cross_entropy(network(features[batch]), labels[batch])
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()


def accuracy(predicted: Labels, labels: Labels) -> float:
    return float(np.mean(predicted == labels))


class BatchedData(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
    """Objects in memory that hand out a whole batch with one index operation.

    PyTorch's loaders ask for single objects and stack them, unless a data set has `__getitems__`; with `as_it_is` they
    do not stack its result.
    """

    def __init__(self, features: Tensor, labels: Tensor) -> None:
        self.features, self.labels = features, labels

    def __len__(self) -> int:
        return len(self.features)

    @override
    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.features[index], self.labels[index]

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        rows = torch.tensor(indices)
        return self.features[rows], self.labels[rows]

    def __deepcopy__(self, _memo: dict[int, object]) -> "BatchedData":
        """Return itself: nothing here is ever changed."""
        return self


def as_it_is(batch: object) -> object:
    """Return a batch that needs no stacking."""
    return batch
