import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.network import FUSED, Outputs, Values
from alray.settings.common import LossPredictionSpec, TrainingSpec
from alray.training.losses import HeadsLoss, ranking_loss

NAMES = (FUSED, "image", "text")


def outputs_of(n=7, rows=(1, 4, 5), seed=0):
    """Return logits of three heads; only some objects have the second, all have the third."""
    generator = torch_generator(seed)
    fused, image, text = (torch.randn(size, 4, generator=generator) for size in (n, len(rows), n))
    of_image = Values(image, torch.tensor(rows))
    heads = {FUSED: Values(fused), "image": of_image, "text": Values(text)}
    return Outputs(heads), torch.randint(4, (n,), generator=generator)


def head_losses(outputs, labels):
    losses = [
        functional.cross_entropy(head.values, labels if head.rows is None else labels[head.rows])
        for head in outputs.heads.values()
    ]
    return torch.stack(losses)


def loss_with(s=(0.0, 0.0, 0.0), **settings):
    loss = HeadsLoss(NAMES, TrainingSpec(**settings))
    with torch.no_grad():
        loss.log_variance.copy_(torch.tensor(s))
    return loss


def test_learned_noise_is_the_formula_and_its_gradient_the_closed_form():
    outputs, labels = outputs_of()
    s = torch.tensor([0.3, -1.2, 2.0])
    loss = loss_with(s.tolist())
    total, each = loss(outputs, labels)
    weighted = head_losses(outputs, labels) * torch.exp(-s)
    torch.testing.assert_close(total, (weighted + s / 2).sum())
    fused = functional.cross_entropy(outputs.heads[FUSED].values, labels, reduction="none")
    torch.testing.assert_close(each, fused)
    total.backward()
    torch.testing.assert_close(loss.log_variance.grad, 0.5 - weighted)


def test_noise_is_clamped_and_finds_back_into_its_range():
    outputs, labels = outputs_of()
    loss = loss_with((-9.0, 0.0, 9.0), log_variance_range=(-2.0, 1.5))
    expected = loss_with((-2.0, 0.0, 1.5))(outputs, labels)[0]
    torch.testing.assert_close(loss(outputs, labels)[0], expected)
    assert loss.sigmas() == pytest.approx(
        {FUSED: math.exp(-1), "image": 1, "text": math.exp(0.75)}
    )
    loss.keep_in_range()
    assert loss.log_variance.tolist() == [-2.0, 0.0, 1.5]
    loss(outputs, labels)[0].backward()
    assert (loss.log_variance.grad != 0).all()


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        ({"loss": "sum"}, [1.0, 1.0, 1.0]),
        ({"loss": "fixed", "loss_weights": {FUSED: 0.5, "text": 0.0}}, [0.5, 1.0, 0.0]),
    ],
)
def test_weights_that_are_not_learned_are_one_unless_given(settings, weights):
    outputs, labels = outputs_of()
    loss = loss_with((1.0, 1.0, 1.0), **settings)
    expected = (head_losses(outputs, labels) * torch.tensor(weights)).sum()
    torch.testing.assert_close(loss(outputs, labels)[0], expected)
    assert not loss.log_variance.requires_grad


def test_weights_of_heads_that_do_not_exist_are_refused():
    with pytest.raises(SpecError, match=r"sound; its heads are: fused, image, text"):
        loss_with(loss="fixed", loss_weights={"sound": 1.0})


def test_a_head_that_no_object_of_the_batch_has_adds_nothing():
    outputs, labels = outputs_of()
    without = Outputs({name: h for name, h in outputs.heads.items() if name != "image"})
    loss, s = loss_with((0.5, 0.7, -0.5)), torch.tensor([0.5, -0.5])
    total = loss(without, labels)[0]
    expected = (head_losses(without, labels) * torch.exp(-s) + s / 2).sum()
    torch.testing.assert_close(total, expected)
    total.backward()
    assert loss.log_variance.grad[1] == 0


@given(
    data=st.lists(
        st.tuples(st.floats(-5, 5, width=32), st.floats(0, 5, width=32)), min_size=2, max_size=9
    ),
    margin=st.floats(0.1, 3),
)
def test_ranking_loss_is_the_loop(data, margin):
    predicted, true = (list(values) for values in zip(*data, strict=True))
    terms = []
    for i in range(len(true) // 2):
        j = len(true) - 1 - i
        sign = (true[i] > true[j]) - (true[i] < true[j])
        terms.append(max(0.0, margin - sign * (predicted[i] - predicted[j])))
    spec = LossPredictionSpec(margin=margin)
    actual = ranking_loss(torch.tensor(predicted), torch.tensor(true), spec)
    assert actual.item() == pytest.approx(sum(terms) / len(terms), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(
    ("predicted", "true", "gradient"),
    [
        ([0.1, 0.2], [1.0, 3.0], [1.0, -1.0]),
        # The middle object of an odd batch has no partner, nor has a single one.
        ([0.2, 9.0, 0.1], [2.0, 5.0, 1.0], [-1.0, 0.0, 1.0]),
        ([3.0], [1.0], [0.0]),
    ],
)
def test_ranking_has_a_gradient_in_the_predicted_losses_alone(predicted, true, gradient):
    losses, wanted = (torch.tensor(values, requires_grad=True) for values in (predicted, true))
    ranking = ranking_loss(losses, wanted, LossPredictionSpec())
    ranking.backward()
    assert (ranking.item() == 0) == (len(true) == 1)
    assert losses.grad is not None
    assert losses.grad.tolist() == gradient
    assert wanted.grad is None
