"""Gradients written out: the parts that manual training steps share."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from alray.networks.kernels import batch_norm, batch_norm_backward, padded_rows, product
from alray.networks.models import Values
from alray.training.learner import Learner


def loss_gradients(
    learner: Learner, heads: Mapping[str, Values], labels: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return `HeadsLoss` and its gradient in each head's logits, and set that of the learned noise.

    With L_i the mean over n objects of -log softmax(z)_y: the gradient in z is w_i (softmax(z) - onehot(y)) / n, where
    w_i is exp(-s_i) for learned noise and a constant otherwise; the gradient in s_i is 1/2 - L_i exp(-s_i). The clamp
    of s_i passes it on, since `keep_in_range` has moved s_i into its range before.

    Args:
        learner: Whose loss it is.
        heads: Per head the logits (present, classes), as in `Outputs`.
        labels: (batch,) the objects' classes.
    """
    log_variance, spec = learner.loss.log_variance, learner.spec
    learned = spec.loss == "learned_noise"
    factors = torch.exp(-log_variance)
    noise_gradient = torch.zeros_like(log_variance)
    loss = torch.zeros(())
    gradients: dict[str, Tensor] = {}
    for position, name in enumerate(learner.network.head_names):
        if name not in heads:
            continue
        head = heads[name]
        wanted = (labels if head.rows is None else labels[head.rows])[:, None]
        log_probs = torch.log_softmax(head.values, dim=1)
        weight = factors[position] if learned else spec.loss_weights.get(name, 1.0)
        weighted = log_probs.gather(1, wanted).mean() * weight
        loss -= weighted
        if learned:
            noise_gradient[position] = weighted + 0.5
            loss += log_variance[position] / 2
        gradient = log_probs.exp_()
        gradient.scatter_add_(1, wanted, gradient.new_full((len(wanted), 1), -1.0))
        gradients[name] = gradient.mul_(weight / len(wanted))
    if learned:
        log_variance.grad = noise_gradient
    return loss, gradients


def linear_backward(layer: nn.Linear, x: Tensor, gradient: Tensor) -> Tensor:
    """Set the gradients of a Linear's parameters and return that of its input x, with as many rows as x.

    Args:
        layer: The Linear.
        x: (n or more, inputs) its input; rows after the n objects are zero.
        gradient: (n or more, outputs) of its output.
    """
    return product(set_linear_gradients(layer, x, gradient), layer.weight)


def set_linear_gradients(layer: nn.Linear, x: Tensor, gradient: Tensor) -> Tensor:
    """Set the gradients of a Linear's parameters; return that of its output, padded to as many rows as x.

    The arguments are those of `linear_backward`.
    """
    gradient = padded_rows(gradient, len(x))
    layer.weight.grad = product(gradient.t(), x)
    if layer.bias is not None:
        layer.bias.grad = gradient.sum(0)
    return gradient


class NormStep:
    """BatchNorm on one batch, forward and backward.

    Attributes:
        output: (n, units).
    """

    def __init__(self, norm: nn.BatchNorm1d, x: Tensor, *, live: bool) -> None:
        """Normalise x (n, units) by its own statistics where `live`, else by the running ones."""
        self._norm, self._x, self._live = norm, x, live
        self.output, mean, inverse_deviation = batch_norm(norm, x, live=live)
        self._saved = (mean, inverse_deviation)
        if live and norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)

    def backward(self, gradient: Tensor) -> Tensor:
        """Set the gradients of scale and shift, for that of the output (n, units); return that of x."""
        norm = self._norm
        of_x, norm.weight.grad, norm.bias.grad = batch_norm_backward(
            norm, self._x, self._saved, gradient, live=self._live
        )
        return of_x
