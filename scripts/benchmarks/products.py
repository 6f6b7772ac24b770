"""The matrix products of an active-learning round, and nothing else: the limit that the round is measured by.

Each product is made by the faster of two ways that PyTorch has here: oneDNN's, as alray does it, or `torch.mm`, on
most machines MKL's. Sizes, order and memory layout are those of the round.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from alray.networks.kernels import product
from alray.networks.models import LateFusion
from alray.scoring.passes import BLOCK

ATTEMPTS = 7
LEAST_SECONDS = 0.002
"""How long a way is tried at a time: long against the clock's resolution."""


@dataclass(frozen=True)
class Made:
    """A product by the faster way.

    Attributes:
        run: Makes it once.
        onednn: Whether oneDNN's way is the faster one.
    """

    run: Callable[[], object]
    onednn: bool


def fastest(a: Tensor, b: Tensor) -> Made:
    """Return how a b is made fastest here."""
    out = torch.empty(len(a), b.shape[1])

    def by_onednn() -> None:
        product(a, b)

    def by_mm() -> None:
        torch.mm(a, b, out=out)

    times = max(1, round(LEAST_SECONDS / _seconds(by_mm, 2)))
    attempts = [(_seconds(by_onednn, times), _seconds(by_mm, times)) for _ in range(ATTEMPTS)]
    onednn = min(first for first, _ in attempts) <= min(second for _, second in attempts)
    return Made(by_onednn if onednn else by_mm, onednn)


def _seconds(action: Callable[[], object], times: int) -> float:
    begin = time.process_time()
    for _ in range(times):
        action()
    return max((time.process_time() - begin) / times, 1e-7)


def layers(network: LateFusion, *, side_heads: bool) -> list[nn.Linear]:
    """Return the Linears that a pass goes through, in order."""
    encoders = [encoder for _, encoder in network.encoders()]
    found = [encoder.first.linear for encoder in encoders]
    found += [encoder.second.linear for encoder in encoders]
    if side_heads:
        found += [encoder.head for encoder in encoders if encoder.head is not None]
    return [*found, network.fuse.linear, network.last.linear, network.output]


class Products:
    """Products in the order in which a pass makes them.

    Attributes:
        operations: Additions and multiplications in all.
        onednn: How many of the distinct products oneDNN makes faster.
        distinct: How many distinct products there are.
    """

    def __init__(self) -> None:
        self.operations = 0
        self.onednn = self.distinct = 0
        self._made: list[tuple[list[Made], int]] = []

    def __call__(self) -> float:
        """Make all, and return the processor seconds."""
        begin = time.process_time()
        for group, times in self._made:
            for _ in range(times):
                for one in group:
                    one.run()
        return time.process_time() - begin

    def add(self, pairs: Sequence[tuple[Tensor, Tensor]], times: int) -> None:
        """Add the products a b of a block or a batch, so many times."""
        if times == 0:
            return
        made = [fastest(a, b) for a, b in pairs]
        self._made.append((made, times))
        self.onednn += sum(one.onednn for one in made)
        self.distinct += len(made)
        self.operations += times * sum(2 * a.numel() * b.shape[1] for a, b in pairs)

    def add_scoring(self, network: LateFusion, objects: int, *, side_heads: bool) -> None:
        """Add a pass over so many objects, block by block."""
        whole, rest = divmod(objects, BLOCK)
        for size, times in ((BLOCK, whole), (rest, int(rest > 0))):
            if times:
                passed = layers(network, side_heads=side_heads)
                self.add([_forward(layer, size) for layer in passed], times)

    def add_training(self, network: LateFusion, sizes: Sequence[int]) -> None:
        """Add a step on batches of these sizes: forward, and both gradients; features need none."""
        first = {id(encoder.first.linear) for _, encoder in network.encoders()}
        passed = layers(network, side_heads=True)
        for size in sorted(set(sizes)):
            pairs = [_forward(layer, size) for layer in passed]
            for layer in reversed(passed):
                gradient = torch.randn(size, layer.out_features)
                pairs.append((gradient.t(), torch.randn(size, layer.in_features)))
                if id(layer) not in first:
                    pairs.append((gradient, layer.weight.detach()))
            self.add(pairs, sizes.count(size))


def _forward(layer: nn.Linear, size: int) -> tuple[Tensor, Tensor]:
    return torch.randn(size, layer.in_features), layer.weight.detach().t()
