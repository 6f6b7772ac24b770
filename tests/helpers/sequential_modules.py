"""Custom modules that are one sequence of layers from the pool's only modality to the logits."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.custom_module import CustomModule
from alray.networks.generators import forked_rng
from tests.helpers.builders import randomise

SIZE, CLASSES = 7, 3
SHAPES: dict[str, tuple[int, ...]] = {"text": (SIZE,)}


def layers(*extra: nn.Module) -> list[nn.Module]:
    """Return two Linears with a ReLU and these layers between them."""
    return [nn.Linear(SIZE, 9), nn.ReLU(), *extra, nn.Linear(9, CLASSES)]


SEQUENCES: dict[str, list[nn.Module]] = {
    "linear": [nn.Linear(SIZE, CLASSES)],
    "hidden": layers(),
    "dropout": layers(nn.Dropout(0.3)),
    "two dropouts": [nn.Linear(SIZE, 9), nn.ReLU(), nn.Dropout(0.3), nn.Linear(9, 8), nn.ReLU(),
                     nn.Dropout(0.6), nn.Linear(8, CLASSES)],
    "late dropout": [nn.Linear(SIZE, 9), nn.ReLU(), nn.Linear(9, 8), nn.ReLU(), nn.Dropout(0.4),
                     nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, CLASSES)],
    "norm before": [nn.Linear(SIZE, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.3), nn.Linear(9, CLASSES)],
    "norm after": layers(nn.BatchNorm1d(9), nn.Dropout(0.3)),
    "no bias": [nn.Linear(SIZE, 9, bias=False), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.5),
                nn.Linear(9, CLASSES, bias=False)],
    "no relu": [nn.Flatten(), nn.Linear(SIZE, 9), nn.Dropout(0.3), nn.Identity(), nn.Linear(9, CLASSES)],
    "rate zero": layers(nn.Dropout(0.0)),
}  # fmt: skip


class Sequence(nn.Module):
    """Reads the modality and calls its layers."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*parts)

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        logits: Tensor = self.layers(features["text"])
        return logits


class Between(nn.Module):
    """Two Linears and a ReLU; a function of the module and the hidden units says what follows the ReLU."""

    def __init__(self, between: Callable[["Between", Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.drop = nn.Linear(SIZE, 9), nn.Dropout(0.5)
        self.last = nn.Linear(9, CLASSES)
        self.between = between

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        logits: Tensor = self.last(self.between(self, torch.relu(self.first(features["text"]))))
        return logits


def dropping_in_training(module: Between, h: Tensor) -> Tensor:
    """Return what dropout leaves of the hidden units; in evaluation mode do not call it."""
    dropped: Tensor = module.drop(h) if module.training else h
    return dropped


def sequential_network(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    """Return a sequence as a user might supply it by `package.module:name`."""
    return Sequence(*layers(nn.BatchNorm1d(9), nn.Dropout(0.3)))


def custom(module: nn.Module, shapes: dict[str, tuple[int, ...]] = SHAPES) -> CustomModule:
    """Return the module as alray's network, with fresh weights and random statistics."""
    with forked_rng(1):
        network = CustomModule(module, shapes)
        for layer in network.modules():
            if isinstance(layer, (nn.Linear, nn.BatchNorm1d)):
                layer.reset_parameters()
    randomise(network)
    return network


def double_weights(network: nn.Module) -> None:
    """Multiply all weights by two, in place."""
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(2)
