"""The step of Adam against PyTorch's own, to the bit."""

import copy

import pytest
import torch
from torch import nn

from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.training.adam import adam_step

SIZES = [(5, 3), (7,), (), (4, 4)]


def make(seed=0):
    generator = torch_generator(seed)
    weights = [nn.Parameter(torch.randn(size, generator=generator)) for size in SIZES]
    groups = [
        {"params": weights[:2], "weight_decay": 5e-4},
        {"params": weights[2:], "weight_decay": 0.0},
    ]
    return weights, torch.optim.Adam(groups, lr=3e-3, fused=True)


def give_gradients(weights, number, absent=()):
    generator = torch_generator(number)
    for position, weight in enumerate(weights):
        gradient = torch.randn(weight.shape, generator=generator)
        weight.grad = None if position in absent else gradient


def assert_same(one, other):
    (weights, optimizer), (others, reference) = one, other
    assert all(torch.equal(a, b) for a, b in zip(weights, others, strict=True))
    found, expected = optimizer.state_dict()["state"], reference.state_dict()["state"]
    assert found.keys() == expected.keys()
    for position, state in expected.items():
        assert all(torch.equal(found[position][name], value) for name, value in state.items())


@pytest.mark.parametrize("absences", [[()] * 6, [(1,), (1,), (), (2,), (0, 1), ()]])
def test_steps_are_those_of_the_optimizer_to_the_bit(absences):
    """Also where a weight has no gradient in a step, before it has moments and after."""
    one, other = make(), make()
    for number, absent in enumerate(absences):
        for weights, _ in (one, other):
            give_gradients(weights, number, absent)
        adam_step(one[1])
        other[1].step()
        assert_same(one, other)


def test_it_continues_from_a_state_that_was_loaded():
    """The optimizer may have been restored from a checkpoint, which puts new tensors in its state."""
    one, other = make(), make()
    for weights, optimizer in (one, other):
        give_gradients(weights, 0)
        optimizer.step()
    state = copy.deepcopy(one[1].state_dict())
    one[1].load_state_dict(state)
    for weights, _ in (one, other):
        give_gradients(weights, 1)
    adam_step(one[1])
    other[1].step()
    assert_same(one, other)


def test_the_learning_rate_is_the_groups_at_the_time():
    one, other = make(), make()
    for number in range(3):
        for weights, optimizer in (one, other):
            give_gradients(weights, number)
            optimizer.param_groups[0]["lr"] = 0.1 / (1 + number)
        adam_step(one[1])
        other[1].step()
    assert_same(one, other)


@pytest.mark.parametrize("missing", sorted(kernels.ADAM))
def test_a_build_without_its_kernels_takes_the_optimizers_steps(monkeypatch, missing):
    monkeypatch.setitem(kernels._FOUND, missing, None)
    one, other = make(), make()
    for number in range(3):
        for weights, _ in (one, other):
            give_gradients(weights, number)
        adam_step(one[1])
        other[1].step()
    assert_same(one, other)
