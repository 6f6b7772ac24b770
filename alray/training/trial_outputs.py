"""What a custom network's outputs say of it: whether they can be logits, and whether they are meant to be."""

import logging

import torch
from torch import Tensor, nn

_logger = logging.getLogger(__name__)

ROUNDING = 1e-5
"""Share of the largest number that is taken for rounding: a hundred times what float32 resolves."""


def differ(some: Tensor, others: Tensor, share: float = ROUNDING) -> bool:
    """Return whether numbers differ by more than this share of the largest of them."""
    some, others = some.detach().double(), others.detach().double()
    return float((some - others).abs().max()) > share * float(some.abs().max())


def check_logits(answer: object, objects: int, classes: int) -> str:
    """Return why an answer of a network is not (objects, classes) logits, and nothing where it is."""
    wanted = f"a tensor of logits ({objects}, {classes}): objects, classes"
    if not isinstance(answer, Tensor):
        return f"returned {_described(answer)}, not {wanted}"
    shape = tuple(answer.shape)
    if len(shape) == 2 and shape[0] == objects and shape[1] != classes:
        return (
            f"returned {shape[1]} numbers for each object, but the pool has {classes} classes: build the last layer "
            "with the argument `classes`"
        )
    if shape != (objects, classes):
        return f"returned a tensor {shape}, not {wanted}"
    if not answer.is_floating_point():
        return f"returned {answer.dtype}, not {wanted}, which are floating-point numbers"
    if not bool(torch.isfinite(answer).all()):
        return (
            "returned numbers that are not finite (NaN or infinite): look for a division by zero, a logarithm of zero "
            "or a training.lr that is too high"
        )
    return ""


def warn_of_outputs(name: str, network: nn.Module, before: Tensor, after: Tensor) -> None:
    """Warn where outputs (n, classes) look wrong, of an untrained network and of the same after two steps."""
    finding = _no_logits(network, (before, after))
    # Before a step equal outputs may be meant: a last layer of zeros.
    if len(after) > 1 and not differ(after, after[:1]):
        finding = f"returns the same numbers for all of {len(after)} different objects: does forward use features?"
    if finding:
        _logger.warning("model.name: %r %s", name, finding)


def _no_logits(network: nn.Module, outputs: tuple[Tensor, Tensor]) -> str:
    """Return what speaks against these outputs being logits, and nothing where nothing does."""
    if any(bool((each < 0).any()) for each in outputs) or outputs[0].shape[1] < 2:
        return ""
    if all(torch.allclose(each.sum(1), each.new_ones(len(each)), atol=1e-3) for each in outputs):
        layers = [
            f"{path} (Softmax)"
            for path, layer in network.named_modules()
            if type(layer) is nn.Softmax
        ]
        which = f"its layer {layers[-1]}" if layers else "the softmax at the end of forward"
        return f"returns probabilities, but alray takes the softmax itself: leave out {which}"
    if all(bool((each == 0).all()) for each in outputs):
        return ""
    return "returns no negative number: if a ReLU or sigmoid stands behind the last layer, leave it out"


def _described(answer: object) -> str:
    if answer is None:
        return "None"
    if isinstance(answer, (tuple, list)):
        return f"a {type(answer).__name__} of {len(answer)} (return its logits alone)"
    return f"{type(answer).__name__} (return its logits alone)"
