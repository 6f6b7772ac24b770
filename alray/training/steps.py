"""Which way a learner takes its training steps: the one place that chooses, for sweeps and for fine-tunes."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from alray.networks.kernels import GRADIENTS, available
from alray.networks.sequential import Link
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

    def draw(self, objects: int, generator: torch.Generator) -> list[Tensor]:  # noqa: ARG002 -- others draw from it
        """Draw the masks that `take` wants for as many objects; none where the layers draw their own."""
        return []

    def take(
        self,
        batch: Batch,
        labels: Tensor,
        masks: Sequence[Tensor],  # noqa: ARG002 -- others are given theirs
        *,
        detach: bool = False,
    ) -> Tensor:
        """Take one step of Adam on a batch; return its loss before the step, a scalar.

        Args:
            batch: The objects.
            labels: (batch,) their classes.
            masks: Of `draw`.
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
    def __init__(self, learner: Learner, links: Sequence[Link]) -> None:
        super().__init__(learner)
        self._links = links

    @override
    def take(
        self, batch: Batch, labels: Tensor, masks: Sequence[Tensor], *, detach: bool = False
    ) -> Tensor:
        if len(labels) == 1:  # a single object has no variance of its own
            return super().take(batch, labels, masks)
        return sequential_step(self.learner, self._links, batch, labels)


def choose_steps(learner: Learner, pool: PoolTensors, *, few_shapes: bool = False) -> Steps:
    """Return the fastest way to take this learner's steps.

    All kinds of steps agree to rounding but draw masks differently where modalities are absent, so the choice depends
    only on the network, the device and PyTorch's version, which are the same throughout a study.

    Args:
        learner: What is trained.
        pool: What it is trained on.
        few_shapes: Whether batches come in many sizes, so that products should be made for few of them.
    """
    if not available() >= GRADIENTS:
        return Steps(learner)
    if has_manual_step(learner) and pool.device.type == "cpu":
        return _LateFusionSteps(learner, few_shapes=few_shapes)
    links = trainable_blocks(learner, pool)
    return Steps(learner) if links is None else _SequentialSteps(learner, links)
