"""How long the two libraries take for a network's matrix products, on this machine."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from alray.networks.custom_module import CustomModule
from alray.networks.late_fusion import LateFusion
from alray.networks.network import Network
from alray.networks.products import Products
from alray.scoring.passes import BLOCK
from alray.settings.common import Library

LIBRARIES: tuple[Library, ...] = ("onednn", "blas")

ATTEMPTS = 5

Seconds = Mapping[Library, float]
"""Of the same products, by each library."""


def linears(network: Network) -> list[nn.Linear]:
    """Return the Linears that run through `alray.networks.products`; none of a network that is called as a module."""
    if isinstance(network, LateFusion) or (isinstance(network, CustomModule) and network.blocks):
        return [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    return []


def scoring_seconds(layers: Iterable[nn.Linear], objects: int = BLOCK) -> Seconds:
    """Return how long a forward pass's products take."""
    return _seconds([_forward(layer, objects) for layer in layers])


def training_seconds(layers: Iterable[nn.Linear], objects: int) -> Seconds:
    """Return how long a training step's products take: forward, and the gradients of weights and inputs."""
    pairs: list[tuple[Tensor, Tensor]] = []
    for layer in layers:
        x, weight = _forward(layer, objects)
        gradient = torch.full((objects, layer.out_features), 0.5)
        pairs += [(x, weight), (gradient.t(), x.t()), (gradient, weight.t())]
    return _seconds(pairs)


def _forward(layer: nn.Linear, objects: int) -> tuple[Tensor, Tensor]:
    return torch.full((objects, layer.in_features), 0.5), layer.weight.detach()


@torch.no_grad()
def _seconds(pairs: Sequence[tuple[Tensor, Tensor]]) -> Seconds:
    """Return the sum over pairs (x, weight) of the shortest of some attempts, the libraries in turn."""
    products = [Products(library) for library in LIBRARIES]
    totals = dict.fromkeys(LIBRARIES, 0.0)
    for x, weight in pairs:
        attempts = [[_timed(each, x, weight) for each in products] for _ in range(1 + ATTEMPTS)]
        # The first attempt of oneDNN compiles.
        for library, *later in zip(LIBRARIES, *attempts[1:], strict=True):
            totals[cast("Library", library)] += min(later)
    return totals


def _timed(products: Products, x: Tensor, weight: Tensor) -> float:
    begin = time.perf_counter()
    products.linear(x, weight)
    return time.perf_counter() - begin
