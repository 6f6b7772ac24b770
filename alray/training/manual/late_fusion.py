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
from alray.networks.late_fusion import Encoder, LateFusion
from alray.networks.layers import Hidden, SeededDropout, draw_masks
from alray.networks.network import FUSED, Values
from alray.networks.products import TRAINING
from alray.networks.sequential import Block
from alray.networks.tensors import Batch
from alray.training.learner import Learner
from alray.training.manual.gradients import BlockStep, linear_backward, loss_gradients


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
    labels: Tensor,
    masks: Sequence[Tensor],
    *,
    few_shapes: bool = False,
) -> Tensor:
    """Take one step of Adam on a batch, as `learner.step` does, to rounding; the same call gives the same bits.

    Returns the loss before the step, a scalar.

    Args:
        learner: Put into training mode by `train_mode`; changed in place.
        batch: The objects, on the CPU.
        labels: (batch,) their classes.
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
    joined = torch.cat([part.output for part in encoders], dim=1)
    fuse = _hidden_step(network.fuse, joined, batch.size, _next_mask(network.fuse, remaining))
    last = _hidden_step(network.last, fuse.output, batch.size, None)
    fused = TRAINING.linear(last.output, network.output.weight, network.output.bias)[: batch.size]
    heads = {FUSED: Values(fused)}
    heads |= {part.name: part.logits for part in encoders if part.logits is not None}
    loss, gradients = loss_gradients(learner, heads, labels)
    gradient = last.backward(linear_backward(network.output, last.output, gradients[FUSED]))
    widths = [encoder.width for _, encoder in network.encoders()]
    by_encoder = torch.split(fuse.backward(gradient)[: batch.size], widths, dim=1)
    for part, of_output in zip(encoders, by_encoder, strict=True):
        part.backward(of_output, gradients.get(part.name))
    learner.update()
    return loss


def _hidden_step(layer: Hidden, x: Tensor, count: int, mask: Tensor | None) -> BlockStep:
    return BlockStep(Block(layer.linear, relu=True, norm_after=layer.norm), x, count, mask)


def _next_mask(
    layer: Hidden, masks: Iterator[Tensor], rows: Tensor | None = None
) -> Tensor | None:
    """Return the layer's mask for the objects at `rows`, for all where None; None for a layer that drops nothing."""
    if layer.dropout is None or layer.dropout.rate == 0:
        return None
    mask = next(masks)
    return mask if rows is None else mask.index_select(0, rows)


class _EncoderStep:
    """One modality's encoder on a batch, forward and backward.

    Attributes:
        name: The modality.
        output: (batch or more, width) the encoder's input to the fusion: the learned vector where the modality is
            absent.
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
        x, self._rows = batch.features[name].flatten(1), batch.rows[name]
        count = len(x)
        self.name, self._encoder = name, encoder
        self.logits: Values | None = None
        self._layers: tuple[BlockStep, BlockStep] | None = None
        # Taken even where no object has the modality: the next modality must not get its masks.
        of_first = _next_mask(encoder.first, masks, self._rows)
        of_second = _next_mask(encoder.second, masks, self._rows)
        encoded = x.new_empty(0, encoder.width)
        if count > 0:
            x = padded_rows(x, TRAINING.few_sizes(count) if few_shapes else count)
            first = _hidden_step(encoder.first, x, count, of_first)
            second = _hidden_step(encoder.second, first.output, count, of_second)
            self._layers, encoded = (first, second), second.output
        if encoder.head is not None and count > 0:
            logits = TRAINING.linear(encoded, encoder.head.weight, encoder.head.bias)[:count]
            self.logits = Values(logits, self._rows)
        self.output = encoded
        if self._rows is not None:
            whole = encoder.with_absent(encoded[:count], self._rows, batch.size)
            self.output = padded_rows(
                whole, TRAINING.few_sizes(batch.size) if few_shapes else batch.size
            )

    def backward(self, gradient: Tensor, of_logits: Tensor | None) -> None:
        """Set the gradients of the encoder's parameters, for those of the output (batch, width) and of the logits.

        Parameters that this batch did not use get none, and Adam leaves them alone.
        """
        encoder, rows = self._encoder, self._rows
        if rows is not None and encoder.absent is not None:
            encoder.absent.grad = gradient.index_fill(0, rows, 0).sum(0)
            gradient = gradient.index_select(0, rows)
        if self._layers is None:
            return
        first, second = self._layers
        if encoder.head is not None and of_logits is not None:
            of_encoded = linear_backward(encoder.head, second.output, of_logits)
            gradient = gradient + of_encoded[: len(gradient)]
        first.backward_to_linear(second.backward(gradient))
