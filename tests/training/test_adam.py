"""The step of Adam against PyTorch's own, to the bit."""

import copy

import pytest
import torch
from torch import nn

from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.networks.kernels import adam_step

SIZES = [(5, 3), (7,), (), (4, 4)]


class Both:
    """Equal weights twice, with an optimizer each; every step is compared."""

    def __init__(self):
        self.pairs = [self._make() for _ in range(2)]

    @staticmethod
    def _make():
        generator = torch_generator(0)
        weights = [nn.Parameter(torch.randn(size, generator=generator)) for size in SIZES]
        groups = [
            {"params": weights[:2], "weight_decay": 5e-4},
            {"params": weights[2:], "weight_decay": 0.0},
        ]
        return weights, torch.optim.Adam(groups, lr=3e-3, betas=(0.8, 0.99), eps=1e-6, fused=True)

    def step(self, number, absent=()):
        """Take a step with random gradients, the first by `adam_step` and the second by its optimizer."""
        for weights, optimizer in self.pairs:
            optimizer.param_groups[0]["lr"] = 0.1 / (1 + number)
            generator = torch_generator(number)
            for position, weight in enumerate(weights):
                gradient = torch.randn(weight.shape, generator=generator)
                weight.grad = None if position in absent else gradient
        (weights, optimizer), (others, reference) = self.pairs
        adam_step(optimizer)
        reference.step()
        assert all(torch.equal(a, b) for a, b in zip(weights, others, strict=True))
        found, expected = optimizer.state_dict()["state"], reference.state_dict()["state"]
        assert found.keys() == expected.keys()
        for position, state in expected.items():
            assert all(torch.equal(found[position][name], value) for name, value in state.items())


@pytest.mark.parametrize("absences", [[()] * 6, [(1,), (1,), (), (2,), (0, 1), ()]])
def test_steps_are_those_of_the_optimizer_to_the_bit(absences):
    """Also where the learning rate changes, or a weight has no gradient, before it has moments and after."""
    both = Both()
    for number, absent in enumerate(absences):
        both.step(number, absent)


def test_it_continues_from_a_state_that_was_loaded():
    """The optimizer may have been restored from a checkpoint, which puts new tensors in its state."""
    both = Both()
    both.step(0)
    _, optimizer = both.pairs[0]
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    both.step(1)


@pytest.mark.parametrize("missing", sorted(kernels.ADAM))
def test_a_build_without_its_kernels_takes_the_optimizers_steps(monkeypatch, missing):
    monkeypatch.setitem(kernels.FOUND, missing, None)
    both = Both()
    for number in range(3):
        both.step(number)
