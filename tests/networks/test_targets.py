"""What a network is to learn of an object, and the loss of that."""

import pytest
import torch
from torch.nn import functional

from alray.networks.generators import torch_generator
from alray.networks.targets import classes_of, mean_target_loss, target_losses, to_target

N, CLASSES = 9, 4


def logits(seed=0):
    return 3 * torch.randn(N, CLASSES, generator=torch_generator(seed))


def probabilities(seed=1):
    return torch.softmax(logits(seed), 1)


def possible(seed=2):
    """Return masks, each of one class at least."""
    masks = torch.rand(N, CLASSES, generator=torch_generator(seed)) < 0.5
    masks[torch.arange(N), torch.arange(N) % CLASSES] = True
    return masks


def labels():
    return torch.arange(N) % CLASSES


def test_losses_are_their_definitions():
    p = torch.softmax(logits(), 1)
    of_class = torch.stack([-p[i, y].log() for i, y in enumerate(labels())])
    torch.testing.assert_close(target_losses(logits(), labels()), of_class)
    q = probabilities()
    torch.testing.assert_close(target_losses(logits(), q), -(q * p.log()).sum(1))
    mask = possible()
    torch.testing.assert_close(target_losses(logits(), mask), -(p * mask).sum(1).log())


def test_certain_targets_are_classes():
    onehot = functional.one_hot(labels(), CLASSES)
    expected = target_losses(logits(), labels())
    torch.testing.assert_close(target_losses(logits(), onehot.float()), expected)
    torch.testing.assert_close(target_losses(logits(), onehot.bool()), expected)


def test_where_every_class_is_possible_nothing_is_learnt():
    mask = torch.ones(N, CLASSES, dtype=torch.bool)
    losses, gradient = to_target(torch.log_softmax(logits(), 1), mask)
    torch.testing.assert_close(losses, torch.zeros(N), atol=1e-6, rtol=0)
    torch.testing.assert_close(gradient, torch.zeros(N, CLASSES), atol=1e-6, rtol=0)


@pytest.mark.parametrize("targets", [probabilities(), possible()], ids=["probabilities", "sets"])
def test_gradients_are_those_of_the_losses(targets):
    z = logits().requires_grad_()
    target_losses(z, targets).sum().backward()
    losses, gradient = to_target(torch.log_softmax(logits(), 1), targets)
    torch.testing.assert_close(gradient, z.grad)
    torch.testing.assert_close(losses, target_losses(logits(), targets))


def test_log_probabilities_do_as_well_as_logits():
    for targets in (labels(), probabilities(), possible()):
        of_logits = target_losses(logits(), targets)
        torch.testing.assert_close(
            target_losses(torch.log_softmax(logits(), 1), targets), of_logits
        )
        torch.testing.assert_close(mean_target_loss(logits(), targets), of_logits.mean())


def test_a_probability_of_zero_costs_nothing_and_stays_finite():
    z = torch.tensor([[0.0, -1000.0]])
    assert float(target_losses(z, torch.tensor([[1.0, 0.0]]))) == 0
    assert float(target_losses(z, torch.tensor([[False, True]]))) == 1000


def test_the_likeliest_class_of_a_target():
    assert classes_of(labels()).tolist() == labels().tolist()
    assert classes_of(torch.tensor([[0.1, 0.6, 0.3]])).tolist() == [1]
    mask, log_probs = torch.tensor([[True, False, True]]), torch.tensor([[-3.0, -0.1, -2.0]])
    assert classes_of(mask, log_probs).tolist() == [2]
    assert classes_of(mask).tolist() == [0]
