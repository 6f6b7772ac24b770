"""BatchNorm of several networks at once, each over those rows of its batch that count."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override


@dataclass(frozen=True)
class NormState:
    """A BatchNorm layer of several networks.

    Attributes:
        scale: (networks, 1, units), and so are the others.
        mean: The running mean, which is changed.
        variance: The running variance, which is changed.
    """

    scale: Tensor
    shift: Tensor
    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class Rows:
    """The rows of a batch that count for a layer.

    Attributes:
        weights: (networks, batch, 1) 1 where a row counts, else 0.
        count: (networks, 1, 1) how many do.
        live: (networks, 1, 1) whether the layer takes this batch's statistics, else its running ones.
        follow: (networks, 1, 1) how far the running statistics move to this batch's: 0, or the momentum.
    """

    weights: Tensor
    count: Tensor
    live: Tensor
    follow: Tensor


def masked_norm(norm: NormState, h: Tensor, rows: Rows, eps: float) -> Tensor:
    """Return a layer's outputs (networks, batch, units); the running statistics follow where they should."""
    normalise: Callable[..., tuple[Tensor, Tensor, Tensor]] = _MaskedNorm.apply
    running = norm.mean, norm.variance
    y, mean, variance = normalise(
        h, norm.scale, norm.shift, *running, rows.weights, rows.count, rows.live, eps
    )
    with torch.no_grad():
        unbiased = variance * (rows.count / (rows.count - 1).clamp_min(1))
        norm.mean.lerp_(mean, rows.follow)
        norm.variance.lerp_(unbiased, rows.follow)
    return y


class _MaskedNorm(torch.autograd.Function):
    """Ioffe and Szegedy 2015, algorithm 1, and the gradients of section 3, over the rows of weight 1."""

    @staticmethod
    @override
    def forward(ctx: Any, *inputs: Any) -> tuple[Tensor, Tensor, Tensor]:
        h, scale, shift, running_mean, running_variance, weights, count, live, eps = inputs
        count = count.clamp_min(1)
        mean = (weights.transpose(1, 2) @ h) / count
        variance = ((h - mean).square_() * weights).sum(1, keepdim=True) / count
        inverse = torch.rsqrt(torch.where(live, variance, running_variance) + eps)
        normal = (h - torch.where(live, mean, running_mean)).mul_(inverse)
        # Through fixed statistics nothing flows back.
        ctx.save_for_backward(normal, weights * (scale * inverse), live / count)
        ctx.mark_non_differentiable(mean, variance)
        return torch.addcmul(shift, normal, scale), mean, variance

    @staticmethod
    @override
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        normal, factor, share = ctx.saved_tensors
        # Rows of weight 0 have no part in a loss, so their gradients are zero already.
        of_output = gradients[0]
        of_shift = of_output.sum(1, keepdim=True)
        of_scale = (of_output * normal).sum(1, keepdim=True)
        inner = torch.addcmul(of_shift, normal, of_scale).mul_(share)
        return ((of_output - inner).mul_(factor), of_scale, of_shift, *[None] * 6)
