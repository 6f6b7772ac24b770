"""Gradients written out: the parts that training steps by hand have in common."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from alray.networks.kernels import padded_rows, product
from alray.networks.models import Values
from alray.training.learner import Learner


def loss_gradients(
    learner: Learner, heads: Mapping[str, Values], labels: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return `HeadsLoss` and its gradient in each head's logits, and give the loss weights theirs.

    With L_i the mean over n objects of -log softmax(z)_y: the gradient in z is w_i (softmax(z) - onehot(y)) / n, where
    w_i is exp(-s_i) for learned noise and a constant otherwise; the gradient in s_i is 1/2 - L_i exp(-s_i). The clamp of
    s_i passes it on, since `keep_in_range` has been at work before.
    """
    log_variance, spec = learner.loss.log_variance, learner.spec
    learned = spec.loss == "learned_noise"
    factors = torch.exp(-log_variance)
    own = torch.zeros_like(log_variance)
    loss = torch.zeros(())
    gradients: dict[str, Tensor] = {}
    for place, name in enumerate(learner.network.head_names):
        if name not in heads:
            continue
        head = heads[name]
        wanted = (labels if head.rows is None else labels[head.rows])[:, None]
        log_probs = torch.log_softmax(head.values, dim=1)
        weight = factors[place] if learned else spec.loss_weights.get(name, 1.0)
        weighted = log_probs.gather(1, wanted).mean() * weight
        loss -= weighted
        if learned:
            own[place] = weighted + 0.5
            loss += log_variance[place] / 2
        gradient = log_probs.exp_()
        gradient.scatter_add_(1, wanted, gradient.new_full((len(wanted), 1), -1.0))
        gradients[name] = gradient.mul_(weight / len(wanted))
    if learned:
        log_variance.grad = own
    return loss, gradients


def back_linear(layer: nn.Linear, x: Tensor, gradient: Tensor) -> Tensor:
    """Give a Linear its gradients, for input x and the gradient of its output; return that of x.

    x may have rows of zeros to spare; so has what is returned then.
    """
    return product(weight_gradients(layer, x, gradient), layer.weight)


def weight_gradients(layer: nn.Linear, x: Tensor, gradient: Tensor) -> Tensor:
    """Do the same without the gradient of x; return that of the output, with as many rows as x has."""
    gradient = padded_rows(gradient, len(x))
    layer.weight.grad = product(gradient.t(), x)
    if layer.bias is not None:
        layer.bias.grad = gradient.sum(0)
    return gradient


class NormStep:
    """BatchNorm on one batch, there and back.

    Attributes:
        output: (n, units).
    """

    def __init__(self, norm: nn.BatchNorm1d, x: Tensor, *, live: bool) -> None:
        """Normalise x (n, units) by its own statistics where `live`, else by the running ones."""
        self._norm, self._x, self._live = norm, x, live
        self.output, self._mean, self._inverse_deviation = torch.native_batch_norm(
            x,
            norm.weight,
            norm.bias,
            norm.running_mean,
            norm.running_var,
            live,
            norm.momentum or 0.0,
            norm.eps,
        )
        if live and norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)

    def back(self, gradient: Tensor) -> Tensor:
        """Give scale and shift their gradients, for that of the output; return that of x."""
        norm = self._norm
        of_x: Tensor
        of_x, norm.weight.grad, norm.bias.grad = torch.ops.aten.native_batch_norm_backward(
            gradient,
            self._x,
            norm.weight,
            norm.running_mean,
            norm.running_var,
            self._mean,
            self._inverse_deviation,
            self._live,
            norm.eps,
            [True, True, True],
        )
        return of_x
