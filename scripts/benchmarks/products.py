"""The matrix products of an active-learning round, and nothing else: the limit that the round is compared with.

Each product is computed by the faster of two functions of PyTorch: oneDNN's, or `torch.mm`, on most machines MKL's.
alray calls one of them for all products of a phase. Sizes, order and memory layout are those of the round.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from alray.networks.late_fusion import LateFusion
from alray.networks.network import Network
from alray.networks.products import Products as MatrixProducts
from alray.networks.products import use_products
from alray.scoring.passes import BLOCK
from alray.studies.product_choice import faster, faster_here
from alray.studies.product_timing import linears, scoring_seconds, training_seconds
from benchmarks.harness.tables import Table

ATTEMPTS = 7
LEAST_SECONDS = 0.002
"""How long a function runs per attempt: long against the clock's resolution."""


def use_faster_products(network: Network, batch: int) -> None:
    """Let this process compute products as a study of this network on one thread would on this machine."""
    use_products(faster_here(linears(network), batch, 1))


def libraries_table(network: Network, batch: int) -> Table:
    """Return how long each library takes for a network's products, and which of them a study takes here."""
    layers, kept = linears(network), faster_here(linears(network), batch, 1)
    rows = []
    for phase, seconds in {
        f"scoring, {BLOCK:,} objects": scoring_seconds(layers),
        f"training, {batch} objects": training_seconds(layers, batch),
    }.items():
        chosen = kept.scoring if phase.startswith("scoring") else kept.training
        times = [f"{1e3 * seconds[library]:.2f}" for library in ("onednn", "blas")]
        rows.append([phase, *times, faster(seconds), str(chosen)])
    return Table(
        "Products of the network by each library, milliseconds",
        ["phase", "oneDNN", "BLAS", "faster now", "kept here"],
        rows,
    )


def fastest(a: Tensor, b: Tensor) -> tuple[Callable[[], object], bool]:
    """Return a function that computes a b in the fastest way here, and whether that is oneDNN's."""
    out = torch.empty(len(a), b.shape[1])
    onednn, mm = partial(MatrixProducts("onednn").product, a, b), partial(torch.mm, a, b, out=out)
    times = max(1, round(LEAST_SECONDS / _seconds(mm, 2)))
    attempts = [(_seconds(onednn, times), _seconds(mm, times)) for _ in range(ATTEMPTS)]
    by_onednn = min(first for first, _ in attempts) <= min(second for _, second in attempts)
    return onednn if by_onednn else mm, by_onednn


def _seconds(action: Callable[[], object], times: int) -> float:
    begin = time.process_time()
    for _ in range(times):
        action()
    return max((time.process_time() - begin) / times, 1e-7)


def layers(network: LateFusion, *, side_heads: bool) -> list[nn.Linear]:
    """Return the Linears of a forward pass, in order."""
    encoders = [encoder for _, encoder in network.encoders()]
    found = [encoder.first.linear for encoder in encoders]
    found += [encoder.second.linear for encoder in encoders]
    if side_heads:
        found += [encoder.head for encoder in encoders if encoder.head is not None]
    return [*found, network.fuse.linear, network.last.linear, network.output]


class Products:
    """Products in the order of a forward pass or a training step.

    Attributes:
        operations: Additions and multiplications in all.
        by_onednn: How many of the distinct products oneDNN computes faster.
        distinct: How many distinct products there are.
    """

    def __init__(self) -> None:
        self.operations = 0
        self.by_onednn = self.distinct = 0
        self._groups: list[tuple[list[Callable[[], object]], int]] = []

    def __call__(self) -> None:
        """Compute all."""
        for group, times in self._groups:
            for _ in range(times):
                for compute in group:
                    compute()

    def add(self, pairs: Sequence[tuple[Tensor, Tensor]], times: int) -> None:
        """Add the products a b of a block or a batch, `times` times."""
        if times == 0:
            return
        found = [fastest(a, b) for a, b in pairs]
        self._groups.append(([compute for compute, _ in found], times))
        self.by_onednn += sum(by_onednn for _, by_onednn in found)
        self.distinct += len(found)
        self.operations += times * sum(2 * a.numel() * b.shape[1] for a, b in pairs)

    def add_scoring(self, network: LateFusion, objects: int, *, side_heads: bool) -> None:
        """Add a forward pass over objects, block by block."""
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
