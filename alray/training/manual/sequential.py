"""A manual training step of a sequential custom module: `learner.step` without a graph through the module."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alray.networks.custom_module import CustomModule
from alray.networks.kernels import has_hooks, padded_rows
from alray.networks.network import FUSED, Network, Values
from alray.networks.products import TRAINING
from alray.networks.sequential import Block
from alray.networks.targets import Targets
from alray.networks.tensors import Batch
from alray.training.learner import Learner
from alray.training.manual.gradients import BlockStep, loss_gradients


def trainable_blocks(network: Network) -> Sequence[Block] | None:
    """Return the blocks that `sequential_step` can train, or None: the network has to be called.

    No layer may occur twice, and every one has to learn; BatchNorm has to average with a fixed weight.
    """
    blocks = network.blocks if isinstance(network, CustomModule) else None
    if blocks is None:
        return None
    norms = [norm for b in blocks for norm in (b.norm_before, b.norm_after) if norm is not None]
    layers = [*(block.linear for block in blocks), *norms]
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    known = (
        len(set(parameters)) == len(parameters)
        and all(parameter.requires_grad for parameter in parameters)
        and all(norm.momentum is not None for norm in norms)
        and not any(has_hooks(each, "backward") for each in network.modules())
    )
    return blocks if known else None


@torch.no_grad()
def sequential_step(
    learner: Learner, blocks: Sequence[Block], batch: Batch, targets: Targets
) -> Tensor:
    """Take one step of Adam on a batch, as `learner.step` does, to rounding; the same call gives the same bits.

    Returns the loss before the step, a scalar.

    Args:
        learner: Put into training mode by `train_mode`; changed in place.
        blocks: From `trainable_blocks`.
        batch: Two objects or more, on the CPU, each with the only modality.
        targets: What to learn of them.
    """
    learner.optimizer.zero_grad()
    (x,) = batch.features.values()
    h = padded_rows(x, TRAINING.few_sizes(len(x)))
    steps = []
    for block in blocks:
        shape = (len(x), block.linear.out_features)
        mask = None if block.dropout is None else block.dropout.training_mask(shape)
        steps.append(BlockStep(block, h, len(x), mask))
        h = steps[-1].output
    loss, gradients = loss_gradients(learner, {FUSED: Values(h[: len(x)])}, targets)
    gradient = gradients[FUSED]
    for step in reversed(steps[1:]):
        gradient = step.backward(gradient)
    steps[0].backward_to_parameters(gradient)
    learner.update()
    return loss
