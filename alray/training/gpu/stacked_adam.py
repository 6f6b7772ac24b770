"""Adam (Kingma and Ba 2015, algorithm 1) for several networks at once, each of which takes the step or not."""

import torch
from torch import Tensor

BETAS, EPS = (0.9, 0.999), 1e-8
"""PyTorch's defaults."""


class StackedAdam:
    """The weights of several networks, a row each, with their moments.

    Attributes:
        weights: (networks, weights).
        means: Running means of the gradients, of the same shape.
        squares: Running means of their squares.
        steps: (networks, parts) how many steps each has taken; all parts of a network alike.
    """

    def __init__(self, networks: int, weights: int, parts: int, decay: Tensor, lr: float) -> None:
        """Begin with zeros; `decay`, (weights,), times a weight is added to its gradient."""
        device = decay.device
        self.weights, self.means, self.squares = (
            torch.zeros(networks, weights, device=device) for _ in range(3)
        )
        self.steps = torch.zeros(networks, parts, device=device)
        self._decay, self._lr = decay, lr

    def tensors(self) -> list[Tensor]:
        """Return all that a step changes."""
        return [self.weights, self.means, self.squares, self.steps]

    def step(self, gradients: Tensor, active: Tensor) -> None:
        """Move the networks that are active, (networks, 1) 1 or 0; the others, and all of theirs, stay as they are."""
        self.steps += active
        # Of a network without a step yet, nothing is moved.
        taken = self.steps.amax(1, keepdim=True).clamp_min(1)
        corrections = [1 - torch.pow(beta, taken) for beta in BETAS]
        gradients = torch.addcmul(gradients, self.weights, self._decay)
        self.means.lerp_(gradients, active * (1 - BETAS[0]))
        self.squares.lerp_(gradients.square_(), active * (1 - BETAS[1]))
        root = corrections[1].sqrt()
        size = active * root / corrections[0] * -self._lr
        ratio = self.squares.sqrt().add_(root * EPS).reciprocal_().mul_(self.means)
        self.weights.addcmul_(ratio, size)
