"""Adam against PyTorch's own, to the bit."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.training.adam import Adam, WeightGroup

SIZES = [(5, 3), (7,), (), (4, 4)]
DECAYS = [5e-4, 0.0]


def weights_of(seed):
    generator = torch_generator(seed)
    return [nn.Parameter(torch.randn(size, generator=generator)) for size in SIZES]


def make_adam(weights):
    parts = zip((weights[:2], weights[2:]), DECAYS, strict=True)
    return Adam([WeightGroup(part, decay) for part, decay in parts], lr=0.1)


class Both:
    """Equal weights twice, with an Adam each; every step is compared."""

    def __init__(self):
        self.weights, self.others = weights_of(0), weights_of(0)
        self.adam = make_adam(self.weights)
        parts = zip((self.others[:2], self.others[2:]), DECAYS, strict=True)
        groups = [{"params": part, "weight_decay": decay} for part, decay in parts]
        self.reference = torch.optim.Adam(groups, lr=0.1, fused=True)

    def step(self, number, absent=()):
        """Take a step with the same random gradients, some absent, and compare weights and moments."""
        for weights in (self.weights, self.others):
            generator = torch_generator(number)
            for position, weight in enumerate(weights):
                gradient = torch.randn(weight.shape, generator=generator)
                weight.grad = None if position in absent else gradient
        self.adam.step()
        self.reference.step()
        assert all(torch.equal(a, b) for a, b in zip(self.weights, self.others, strict=True))
        found, expected = self.adam.state(), self.reference.state_dict()["state"]
        assert found.keys() == expected.keys()
        for position, state in expected.items():
            assert found[position].keys() == state.keys()
            assert all(torch.equal(found[position][name], value) for name, value in state.items())


@pytest.mark.parametrize("absences", [[()] * 6, [(1,), (1,), (), (2,), (0, 1), (2, 3)]])
def test_steps_are_pytorchs_to_the_bit(absences):
    """Also where a weight has no gradient, before it has moments and after."""
    both = Both()
    for number, absent in enumerate(absences):
        both.step(number, absent)


def test_it_continues_from_a_state_that_was_loaded():
    """Over moments of its own, which are forgotten; what was loaded stays as it is."""
    both, other = Both(), make_adam(weights_of(1))
    both.step(0, absent=(2,))
    for group in other.groups:
        for weight in group.weights:
            weight.grad = torch.ones_like(weight)
    other.step()
    state = both.adam.state()
    other.load(state)
    assert other.state().keys() == {0, 1, 3}
    kept = {number: moments["exp_avg"].clone() for number, moments in state.items()}
    both.adam = make_adam(both.weights)
    both.adam.load(state)
    both.step(1)
    assert all(torch.equal(kept[number], state[number]["exp_avg"]) for number in kept)


def test_gradients_can_be_forgotten():
    weights = weights_of(0)
    adam = make_adam(weights)
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    adam.zero_grad()
    adam.step()
    assert adam.state() == {}
    assert all(torch.equal(*pair) for pair in zip(weights, weights_of(0), strict=True))


def test_a_build_without_its_kernel_takes_pytorchs_documented_step(monkeypatch):
    monkeypatch.setitem(kernels.FOUND, "fused_adam", None)
    both = Both()
    for number in range(3):
        both.step(number)


def test_training_does_not_import_the_compiler():
    code = (
        "import sys; from tests.helpers.builders import make_learner, make_pool; "
        "make_learner(make_pool()); print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
