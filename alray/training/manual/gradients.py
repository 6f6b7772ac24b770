"""Gradients written out: the parts that manual training steps share."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from alray.networks.kernels import NormStep, padded_rows, relu_backward
from alray.networks.network import Values
from alray.networks.products import TRAINING
from alray.networks.sequential import Block
from alray.networks.targets import Targets, to_target
from alray.training.learner import Learner


def loss_gradients(
    learner: Learner, heads: Mapping[str, Values], targets: Targets
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return `HeadsLoss` and its gradient in each head's logits, and set that of the learned noise.

    With L_i the mean over n objects of -log softmax(z)_y: the gradient in z is w_i (softmax(z) - onehot(y)) / n, where
    w_i is exp(-s_i) for learned noise and a constant otherwise; the gradient in s_i is 1/2 - L_i exp(-s_i). The clamp
    of s_i passes it on, since `keep_in_range` has moved s_i into its range before. Of targets that are no classes,
    `to_target` has the loss and the gradient.

    Args:
        learner: Whose loss it is.
        heads: Per head the logits (present, classes), as in `Outputs`.
        targets: The objects' targets.
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
        wanted = targets if head.rows is None else targets[head.rows]
        weight = factors[position] if learned else spec.loss_weights.get(name, 1.0)
        mean, gradient = _mean_and_gradient(head.values, wanted)
        weighted = mean * weight
        loss -= weighted
        if learned:
            noise_gradient[position] = weighted + 0.5
            loss += log_variance[position] / 2
        gradients[name] = gradient.mul_(weight / len(wanted))
    if learned:
        log_variance.grad = noise_gradient
    return loss, gradients


def _mean_and_gradient(logits: Tensor, targets: Targets) -> tuple[Tensor, Tensor]:
    """Return minus the mean loss, and n times its gradient in the logits."""
    log_probs = torch.log_softmax(logits, dim=1)
    if targets.dim() > 1:
        losses, gradient = to_target(log_probs, targets)
        return -losses.mean(), gradient
    wanted = targets[:, None]
    mean = log_probs.gather(1, wanted).mean()
    gradient = log_probs.exp_()
    return mean, gradient.scatter_add_(1, wanted, gradient.new_full((len(wanted), 1), -1.0))


def linear_backward(layer: nn.Linear, x: Tensor, gradient: Tensor) -> Tensor:
    """Set the gradients of a Linear's parameters and return that of its input x, with as many rows as x.

    Args:
        layer: The Linear.
        x: (n or more, inputs) its input; rows after the n objects are zero.
        gradient: (n or more, outputs) of its output.
    """
    return TRAINING.product(set_linear_gradients(layer, x, gradient), layer.weight)


def set_linear_gradients(layer: nn.Linear, x: Tensor, gradient: Tensor) -> Tensor:
    """Set the gradients of a Linear's parameters; return that of its output, padded to as many rows as x.

    The arguments are those of `linear_backward`.
    """
    gradient = padded_rows(gradient, len(x))
    layer.weight.grad = TRAINING.product(gradient.t(), x)
    if layer.bias is not None:
        layer.bias.grad = gradient.sum(0)
    return gradient


class BlockStep:
    """A block on a batch of n objects: dropped(norm_after(relu(norm_before(W x + b)))), forward and backward.

    Inputs, outputs and their gradients may have rows of zeros after those of the n objects.

    Attributes:
        output: (n or more, units).
    """

    def __init__(self, block: Block, x: Tensor, count: int, mask: Tensor | None) -> None:
        """Compute the output for the first `count` rows of x, dropped by the mask (count, units) where there is one."""
        self._block, self._x, self._mask = block, x, mask
        rectified = block.relu and block.norm_before is None
        h = TRAINING.linear(x, block.linear.weight, block.linear.bias, rectified=rectified)[:count]
        self._norm_before = _norm_step(block.norm_before, h)
        if self._norm_before is not None:
            h = self._norm_before.output
            h = h.relu() if block.relu else h
        self._rectified = h
        self._norm_after = _norm_step(block.norm_after, h)
        if self._norm_after is not None:
            h = self._norm_after.output
        if mask is not None:
            h = h * mask
        self.output = padded_rows(h, len(x))

    def backward(self, gradient: Tensor) -> Tensor:
        """Set the gradients of the block's parameters, for that of the output; return that of the input."""
        return TRAINING.product(self._to_linear(gradient), self._block.linear.weight)

    def backward_to_parameters(self, gradient: Tensor) -> None:
        """Set the same gradients alone: features need none."""
        self._to_linear(gradient)

    def _to_linear(self, gradient: Tensor) -> Tensor:
        """Set the gradients of the block's parameters; return that of the Linear's output (n or more, units)."""
        gradient = gradient[: len(self._rectified)]
        if self._mask is not None:
            gradient = gradient * self._mask
        if self._norm_after is not None:
            gradient = self._norm_after.backward(gradient)
        if self._block.relu:
            gradient = relu_backward(gradient, self._rectified)
        if self._norm_before is not None:
            gradient = self._norm_before.backward(gradient)
        return set_linear_gradients(self._block.linear, self._x, gradient)


def _norm_step(norm: nn.BatchNorm1d | None, x: Tensor) -> NormStep | None:
    # As in `Hidden`: a single object has no variance of its own.
    return None if norm is None else NormStep(norm, x, live=norm.training and len(x) > 1)
