"""Adam (Kingma and Ba 2015, algorithm 1), by PyTorch's fused kernel.

It is `torch.optim.Adam(..., fused=True)` to the bit, but to make one of those imports PyTorch's compiler: a second and
more in every process that trains.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from alray.networks.kernels import adam_step

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What is kept of a weight: a float32 scalar, and two tensors of the weight's shape."""


class WeightGroup:
    """Weights that decay alike, with their moments.

    Attributes:
        weights: The weights.
        decay: This times a weight is added to its gradient.
    """

    def __init__(self, weights: Sequence[nn.Parameter], decay: float) -> None:
        self.weights = list(weights)
        self.decay = decay
        # Of each weight its own number, so that one addition counts all.
        self._steps = torch.zeros(len(weights), device=weights[0].device if weights else None)
        means, squares = ([torch.zeros_like(each) for each in self.weights] for _ in range(2))
        self._moments = (list(self._steps.unbind()), means, squares)

    def step(self, lr: float) -> None:
        """Move the weights that have a gradient."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        if not gradients:
            return
        lists: list[Sequence[Tensor]] = [self.weights, *self._moments]
        if len(gradients) == len(self.weights):
            self._steps += 1
        else:
            used = [number for number, each in enumerate(self.weights) if each.grad is not None]
            lists = [[each[number] for number in used] for each in lists]
            self._steps[used] += 1
        weights, steps, means, squares = lists
        adam_step(weights, gradients, (steps, means, squares), lr=lr, decay=self.decay)

    def move(self, means: Sequence[Tensor], squares: Sequence[Tensor], steps: Tensor) -> None:
        """Keep the moments, with the values that they have, in these tensors from now on."""
        self._steps = steps.copy_(self._steps)
        _, old_means, old_squares = self._moments
        kept = [
            [new.copy_(old) for new, old in zip(*each, strict=True)]
            for each in ((means, old_means), (squares, old_squares))
        ]
        self._moments = (list(self._steps.unbind()), kept[0], kept[1])

    def moments(self) -> list[dict[str, Tensor]]:
        """Return each weight's moments, which go on changing; none of a weight that has not moved."""
        each = zip(*self._moments, strict=True)
        return [dict(zip(MOMENTS, kept, strict=True)) if kept[0] > 0 else {} for kept in each]

    def load(self, number: int, moments: Mapping[str, Tensor]) -> None:
        """Copy moments of one weight; zeros where there are none."""
        for name, kept in zip(MOMENTS, self._moments, strict=True):
            if name in moments:
                kept[number].copy_(moments[name])
            else:
                kept[number].zero_()


class Adam:
    """Adam with PyTorch's default betas (.9, .999) and epsilon (1e-8).

    Attributes:
        groups: The weights; they are numbered through all groups.
        lr: The learning rate.
    """

    def __init__(self, groups: Sequence[WeightGroup], lr: float) -> None:
        self.groups = groups
        self.lr = lr

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for group in self.groups:
            for weight in group.weights:
                weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient."""
        for group in self.groups:
            group.step(self.lr)

    def move(self, means: Sequence[Tensor], squares: Sequence[Tensor], steps: Tensor) -> None:
        """Keep the moments, with the values that they have, in these tensors from now on.

        Args:
            means: For each weight of all groups, of its shape.
            squares: Likewise.
            steps: (weights,) how many steps each has taken.
        """
        first = 0
        for group in self.groups:
            last = first + len(group.weights)
            group.move(means[first:last], squares[first:last], steps[first:last])
            first = last

    def state(self) -> dict[int, dict[str, Tensor]]:
        """Return the moments of each weight that has moved, by its number; they go on changing."""
        moments = [each for group in self.groups for each in group.moments()]
        return {number: kept for number, kept in enumerate(moments) if kept}

    def load(self, state: Mapping[int, Mapping[str, Tensor]]) -> None:
        """Copy what `state` returned, of an Adam for weights of the same shapes."""
        first = 0
        for group in self.groups:
            for number in range(len(group.weights)):
                group.load(number, state.get(first + number, {}))
            first += len(group.weights)
