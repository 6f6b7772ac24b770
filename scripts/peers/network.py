"""The network, and what else every contestant takes from PyTorch alike."""

from collections.abc import Iterable

import numpy as np
import torch
from peers.task import CLASSES, DROPOUT, FEATURES, HIDDEN, LEARNING_RATE, Labels
from torch import Tensor, nn


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


def share_right(predicted: Labels, labels: Labels) -> float:
    return float(np.mean(predicted == labels))


class BatchedData(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
    """Objects in memory that hand out a whole batch with one index operation.

    PyTorch's loaders ask for single objects and stack them, unless a data set has `__getitems__`; what that returns is
    handed on by `as_it_is` instead of stacked.
    """

    def __init__(self, features: Tensor, labels: Tensor) -> None:
        self.features, self.labels = features, labels

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.features[index], self.labels[index]

    def __getitems__(self, indices: list[int]) -> tuple[Tensor, Tensor]:
        rows = torch.tensor(indices)
        return self.features[rows], self.labels[rows]

    def __deepcopy__(self, _memo: dict[int, object]) -> "BatchedData":
        """Nothing here is ever changed, so a copy may be the thing itself."""
        return self


def as_it_is(batch: object) -> object:
    return batch


def softmax_of(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=1)
