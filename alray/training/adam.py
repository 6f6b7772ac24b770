"""A step of Adam without what PyTorch's optimizer looks up anew in each step: the same sums, to the bit.

A round's steps are small, and the optimizer's own Python takes as long as a third of their arithmetic.
"""

import torch

from alray.networks.kernels import ADAM, adam_update, available


@torch.no_grad()
def adam_step(optimizer: torch.optim.Adam) -> None:
    """Do what `optimizer.step()` does, for an optimizer made with `fused=True`; its state's tensors stay the same."""
    groups = [
        (group, [weight for weight in group["params"] if weight.grad is not None])
        for group in optimizer.param_groups
    ]
    begun = all(optimizer.state.get(weight) for _, weights in groups for weight in weights)
    if not begun or not available() >= ADAM:
        # The first step, or the first in which a weight takes part, makes its moments.
        optimizer.step()
        return
    for group, weights in groups:
        if weights:
            adam_update(weights, [optimizer.state[weight] for weight in weights], group)
