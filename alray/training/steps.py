"""How a learner takes its training steps, for sweeps and for fine-tunes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from alray.networks.kernels import GRADIENTS, available
from alray.networks.late_fusion import LateFusion
from alray.networks.layers import dropouts
from alray.networks.targets import Targets
from alray.networks.tensors import Batch, PoolTensors
from alray.training.learner import Learner, step
from alray.training.manual.late_fusion import late_fusion_step, step_masks
from alray.training.manual.sequential import sequential_step, trainable_blocks


class Steps:
    """A learner's steps, as fast as its network allows: plain ones call it, others have its gradients written out.

    All kinds agree to rounding but draw masks differently where modalities are absent, so the choice depends only on
    the network, the device and PyTorch's version, which are the same throughout a study.

    Attributes:
        learner: The learner that takes them.
        late_fusion: Whether they are `late_fusion_step`.
        blocks: The network's blocks where they are `sequential_step`, else None.
    """

    def __init__(self, learner: Learner, pool: PoolTensors, *, few_shapes: bool = False) -> None:
        """Choose the steps of a learner on a pool; `few_shapes` is for batches that come in many sizes."""
        self.learner = learner
        on_cpu = pool.device.type == "cpu"
        manual = on_cpu and learner.predictor is None and available() >= GRADIENTS
        self.late_fusion = manual and isinstance(learner.network, LateFusion)
        self.blocks = trainable_blocks(learner.network) if manual else None
        self._dropouts = dropouts(learner.network) if self.late_fusion else []
        self._few_shapes = few_shapes

    def draw(self, objects: int, generator: torch.Generator) -> list[Tensor]:
        """Draw the masks that `take` wants for this many objects; none where the layers draw their own."""
        return step_masks(self._dropouts, objects, generator)

    def take(
        self, batch: Batch, targets: Targets, masks: Sequence[Tensor], *, detach: bool = False
    ) -> Tensor:
        """Take one step of Adam on a batch; return its loss before the step, a scalar.

        Args:
            batch: The objects.
            targets: What to learn of them.
            masks: From `draw`.
            detach: Whether the loss predictor's gradient stops at the network.
        """
        if self.late_fusion:
            return late_fusion_step(
                self.learner, batch, targets, masks, few_shapes=self._few_shapes
            )
        # A single object has no variance of its own.
        if self.blocks is not None and len(targets) > 1:
            return sequential_step(self.learner, self.blocks, batch, targets)
        return step(self.learner, batch, targets, detach=detach)
