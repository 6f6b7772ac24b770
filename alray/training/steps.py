"""Choose how a learner takes its training steps, for sweeps and for fine-tunes."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from alray.networks.kernels import GRADIENTS, available
from alray.networks.sequential import Block
from alray.networks.tensors import Batch, PoolTensors
from alray.training.learner import Learner, step
from alray.training.manual.late_fusion import draw_masks, has_manual_step, late_fusion_step
from alray.training.manual.sequential import sequential_step, trainable_blocks


class Steps:
    """Steps that call the network, as any network allows; its own layers draw their dropout masks.

    Attributes:
        learner: The learner that takes them.
    """

    def __init__(self, learner: Learner) -> None:
        self.learner = learner

    def draw(self, objects: int, generator: torch.Generator) -> list[Tensor]:  # noqa: ARG002 -- subclasses draw from it
        """Draw the masks that `take` wants for this many objects; none where the layers draw their own."""
        return []

    def take(
        self,
        batch: Batch,
        labels: Tensor,
        masks: Sequence[Tensor],  # noqa: ARG002 -- subclasses take theirs
        *,
        detach: bool = False,
    ) -> Tensor:
        """Take one step of Adam on a batch; return its loss before the step, a scalar.

        Args:
            batch: The objects.
            labels: (batch,) their classes.
            masks: From `draw`.
            detach: Whether the loss predictor's gradient stops at the network.
        """
        return step(self.learner, batch, labels, detach=detach)


class _LateFusionSteps(Steps):
    def __init__(self, learner: Learner, *, few_shapes: bool) -> None:
        super().__init__(learner)
        self._few_shapes = few_shapes

    @override
    def draw(self, objects: int, generator: torch.Generator) -> list[Tensor]:
        return draw_masks(self.learner.network, objects, generator)

    @override
    def take(
        self, batch: Batch, labels: Tensor, masks: Sequence[Tensor], *, detach: bool = False
    ) -> Tensor:
        return late_fusion_step(self.learner, batch, labels, masks, few_shapes=self._few_shapes)


class _SequentialSteps(Steps):
    def __init__(self, learner: Learner, blocks: Sequence[Block]) -> None:
        super().__init__(learner)
        self._blocks = blocks

    @override
    def take(
        self, batch: Batch, labels: Tensor, masks: Sequence[Tensor], *, detach: bool = False
    ) -> Tensor:
        if len(labels) == 1:  # a single object has no variance of its own
            return super().take(batch, labels, masks)
        return sequential_step(self.learner, self._blocks, batch, labels)


def choose_steps(learner: Learner, pool: PoolTensors, *, few_shapes: bool = False) -> Steps:
    """Return the fastest steps for this learner.

    All kinds of steps agree to rounding but draw masks differently where modalities are absent, so the choice depends
    only on the network, the device and PyTorch's version, which are the same throughout a study.

    Args:
        learner: The learner to train.
        pool: The pool to train it on.
        few_shapes: Whether batches come in many sizes, so that matrices should be padded to few of them.
    """
    if not available() >= GRADIENTS:
        return Steps(learner)
    if has_manual_step(learner) and pool.device.type == "cpu":
        return _LateFusionSteps(learner, few_shapes=few_shapes)
    blocks = trainable_blocks(learner, pool)
    return Steps(learner) if blocks is None else _SequentialSteps(learner, blocks)
