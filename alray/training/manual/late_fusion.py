"""A manual training step of late fusion: `learner.step` without a graph through the network.

The gradients are written out layer by layer, so that a step is few operations: oneDNN's products, PyTorch's kernels for
BatchNorm, and the learner's Adam. Dropout masks are arguments: fine-tunes that share a seed share its masks, whose
drawing takes a fifth of a plain step's time.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from alray.errors import SpecError
from alray.networks.kernels import padded_rows
from alray.networks.late_fusion import Encoder, LateFusion, Layer
from alray.networks.layers import Hidden, SeededDropout, draw_masks
from alray.networks.network import FUSED, Values
from alray.networks.products import TRAINING
from alray.networks.targets import Targets
from alray.networks.tensors import Batch
from alray.training.learner import Learner
from alray.training.manual.gradients import linear_backward, loss_gradients
from alray.training.manual.joins import join_step
from alray.training.manual.layers import LayerStep, layer_step


def step_masks(
    layers: Sequence[SeededDropout], objects: int, generator: torch.Generator
) -> list[Tensor]:
    """Draw one step's masks, (objects, units) for each of the network's dropout layers, which have one rate.

    Where every object has every modality these are the masks that the network itself would draw. Elsewhere the network
    draws for present objects only; here an object's masks depend on its position in the batch alone, so that two
    groups fine-tuned with one seed have them in common.
    """
    if not layers:
        return []
    return draw_masks([(objects, layer.size or 0) for layer in layers], layers[0].rate, generator)


@torch.no_grad()
def late_fusion_step(
    learner: Learner,
    batch: Batch,
    targets: Targets,
    masks: Sequence[Tensor],
    *,
    few_shapes: bool = False,
) -> Tensor:
    """Take one step of Adam on a batch, as `learner.step` does, to rounding; the same call gives the same bits.

    Returns the loss before the step, a scalar.

    Args:
        learner: Put into training mode by `train_mode`; changed in place.
        batch: The objects, on the CPU.
        targets: What to learn of them.
        masks: From `step_masks`, for as many objects.
        few_shapes: Whether matrices are padded with rows of zeros to one of few sizes.

    Raises:
        SpecError: The network is another one, or has a loss predictor.
    """
    network = learner.network
    if not isinstance(network, LateFusion) or learner.predictor is not None:
        raise SpecError("only late fusion without a loss predictor has a manual step")
    learner.optimizer.zero_grad()
    remaining = iter(masks)
    encoders = [
        _EncoderStep(encoder, batch, name, remaining, few_shapes=few_shapes)
        for name, encoder in network.encoders()
    ]
    join = join_step(network, [(part.output, part.rows) for part in encoders], batch.size)
    trunk: list[LayerStep] = []
    h = join.output
    for layer in network.trunk():
        trunk.append(layer_step(layer, h, batch.size, _next_mask(layer, remaining)))
        h = trunk[-1].output
    fused = TRAINING.linear(h, network.output.weight, network.output.bias)[: batch.size]
    heads = {FUSED: Values(fused)}
    heads |= {part.name: part.logits for part in encoders if part.logits is not None}
    loss, gradients = loss_gradients(learner, heads, targets)
    gradient = linear_backward(network.output, h, gradients[FUSED])
    for step in reversed(trunk):
        gradient = step.backward(gradient)
    by_encoder = join.backward(gradient[: batch.size])
    for part, of_output in zip(encoders, by_encoder, strict=True):
        part.backward(of_output, gradients.get(part.name))
    learner.update()
    return loss


def _next_mask(layer: Layer, masks: Iterator[Tensor], rows: Tensor | None = None) -> Tensor | None:
    """Return the layer's mask for the objects at `rows`, for all where None; None for a layer that drops nothing."""
    if not isinstance(layer, Hidden) or layer.dropout is None or layer.dropout.rate == 0:
        return None
    mask = next(masks)
    return mask if rows is None else mask.index_select(0, rows)


class _EncoderStep:
    """One modality's encoder on a batch, forward and backward.

    Attributes:
        name: The modality.
        rows: Positions of the objects that have it, None where all have.
        output: (batch or more, width) the encoder's input to the join: the learned vector where the modality is absent.
        logits: The side head's, or None where there is none or no object has the modality.
    """

    def __init__(
        self,
        encoder: Encoder,
        batch: Batch,
        name: str,
        masks: Iterator[Tensor],
        *,
        few_shapes: bool,
    ) -> None:
        x, self.rows = batch.features[name].flatten(1), batch.rows[name]
        count = len(x)
        self.name, self._encoder = name, encoder
        self.logits: Values | None = None
        self._steps: list[LayerStep] = []
        # Taken even where no object has the modality: the next modality must not get its masks.
        layers = [(layer, _next_mask(layer, masks, self.rows)) for layer in encoder.layers()]
        self._encoded = x.new_empty(0, encoder.width)
        if count > 0:
            h = padded_rows(x, TRAINING.few_sizes(count) if few_shapes else count)
            for layer, mask in layers:
                self._steps.append(layer_step(layer, h, count, mask))
                h = self._steps[-1].output
            self._encoded = h
        if encoder.head is not None and count > 0:
            logits = TRAINING.linear(self._encoded, encoder.head.weight, encoder.head.bias)
            self.logits = Values(logits[:count], self.rows)
        self.output = self._encoded
        if self.rows is not None:
            whole = encoder.with_absent(self._encoded[:count], self.rows, batch.size)
            self.output = padded_rows(
                whole, TRAINING.few_sizes(batch.size) if few_shapes else batch.size
            )

    def backward(self, gradient: Tensor, of_logits: Tensor | None) -> None:
        """Set the gradients of the encoder's parameters, for those of the output (batch, width) and of the logits.

        Parameters that this batch did not use get none, and Adam leaves them alone.
        """
        encoder, rows = self._encoder, self.rows
        if rows is not None and encoder.absent is not None:
            encoder.absent.grad = gradient.index_fill(0, rows, 0).sum(0)
            gradient = gradient.index_select(0, rows)
        if encoder.head is not None and of_logits is not None:
            of_encoded = linear_backward(encoder.head, self._encoded, of_logits)
            gradient = gradient + of_encoded[: len(gradient)]
        for step in reversed(self._steps[1:]):
            gradient = step.backward(gradient)
        if self._steps:
            self._steps[0].backward_to_parameters(gradient)
