"""Custom modules that are one sequence of known layers, which can be run block by block without the module."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional
from typing_extensions import override

from alray.networks.generators import forked_rng
from alray.networks.kernels import HOOKS, available, has_hooks
from alray.networks.layers import SeededDropout
from alray.seeding import global_states

_LAYERS = (nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Identity, nn.Flatten, SeededDropout)
_RELU: tuple[Callable[..., Any], ...] = (torch.relu, functional.relu)


@dataclass(frozen=True)
class Block:
    """A Linear and the layers behind it up to the next one, in this order; None or False where there is none.

    BatchNorm stands before the ReLU or behind it.
    """

    linear: nn.Linear
    norm_before: nn.BatchNorm1d | None = None
    relu: bool = False
    norm_after: nn.BatchNorm1d | None = None
    dropout: SeededDropout | None = None

    @property
    def drops(self) -> bool:
        """Whether its dropout can drop something."""
        return self.dropout is not None and self.dropout.rate > 0


def find_blocks(module: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> list[Block] | None:
    """Return the blocks of a module that is one sequence from the only modality to the logits, else None.

    Known are Linear, ReLU, BatchNorm1d and dropout, as modules or (ReLU) functions, in the order of `Block`'s
    attributes. A module that does anything else, draws, or has a hook on itself or a part, has to be called.

    Args:
        module: A user's module whose dropout layers have been replaced; it is traced in both modes, which takes
            milliseconds.
        shapes: Modality: shape of its features.
    """
    vectors = len(shapes) == 1 and all(len(shape) == 1 for shape in shapes.values())
    if not vectors or not available() >= HOOKS:
        return None
    if any(has_hooks(each, "forward") for each in module.modules()):
        return None
    modality = next(iter(shapes))
    trained, evaluated = (_blocks_in(module, modality, training=mode) for mode in (True, False))
    # A forward may do one thing in training mode and another in evaluation mode, and may be asked first in either.
    return trained if trained == evaluated else None


def _blocks_in(module: nn.Module, modality: str, *, training: bool) -> list[Block] | None:
    layers = _find_layers(module, modality, training=training)
    return _cut(layers) if layers else None


class _Tracer(fx.Tracer):
    """Takes layers whole, and refuses a forward that computes some of them otherwise than it was called."""

    def __init__(self) -> None:
        super().__init__()
        self._called = _ways_of_computing()

    @override
    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        # No node of a graph says in which way it is computed.
        if _ways_of_computing() != self._called:
            raise fx.proxy.TraceError("computed without a gradient, or in a low precision")
        return super().create_node(*args, **kwargs)

    @override
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in _LAYERS or super().is_leaf_module(m, module_qualified_name)


def _ways_of_computing() -> tuple[bool, bool, bool]:
    """Return whether PyTorch keeps gradients now, and lowers the precision on the CPU and on a GPU."""
    autocast = torch.is_autocast_enabled
    return torch.is_grad_enabled(), autocast("cpu"), autocast("cuda")


def _states() -> tuple[object, ...]:
    """Return the states of the global generators on the CPU."""
    return torch.get_rng_state().numpy().tobytes(), *global_states()


@contextmanager
def _unchanged(module: nn.Module) -> Iterator[None]:
    """Restore a module's attributes and buffers behind a `with` statement: its forward may keep what it computes."""
    attributes = [(layer, dict(vars(layer))) for layer in module.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        for layer, before in attributes:
            vars(layer).clear()
            vars(layer).update(before)
        for buffer, content in buffers:
            buffer.detach().copy_(content)


def _find_layers(module: nn.Module, modality: str, *, training: bool) -> list[nn.Module] | None:
    """Return the layers from the features of this modality to the output, if each feeds the next one alone.

    The module is traced as it is called: in training mode with gradients, in evaluation mode without.
    """
    try:
        with _unchanged(module), forked_rng(0), torch.set_grad_enabled(training):
            before = _states()
            for each in module.modules():
                each.training = training  # `train` may be the user's own, and do more
            graph = _Tracer().trace(module)
            draws = _states() != before
    except Exception:  # noqa: BLE001 -- a user's code may do anything with the tracer's stand-in for a tensor
        return None
    if draws:  # its next call may take another way
        return None
    output = graph.output_node()
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    source = [node for node in graph.nodes if _reads_features(node, inputs, modality)]
    if len(source) != 1:
        return None
    layers: list[nn.Module] = []
    node = source[0]
    while (following := list(node.users)) != [output]:
        layer = _known_layer(following[0], module, node) if len(following) == 1 else None
        if layer is None:
            return None
        node = following[0]
        layers.append(layer)
    # A computation beside the sequence may be meant to raise, or to count.
    return layers if len(graph.nodes) == len([*inputs, *source, *layers, output]) else None


def _reads_features(node: fx.Node, inputs: Sequence[fx.Node], modality: str) -> bool:
    return node.target is operator.getitem and node.args == (inputs[0], modality)


def _known_layer(node: fx.Node, module: nn.Module, before: fx.Node) -> nn.Module | None:
    """Return the layer that a node stands for, or None if it is unknown or reads anything but the node before."""
    if node.args != (before,):
        return None
    if node.op == "call_module":
        layer = module.get_submodule(str(node.target))
        return layer if type(layer) in _LAYERS and not node.kwargs else None
    is_relu = node.target in _RELU or (node.op == "call_method" and node.target == "relu")
    return nn.ReLU() if is_relu and set(node.kwargs) <= {"inplace"} else None


def _cut(layers: Sequence[nn.Module]) -> list[Block] | None:
    """Return the layers cut before each Linear, or None where one may not stand at its position."""
    blocks: list[Block] = []
    for layer in layers:
        if isinstance(layer, (nn.Identity, nn.Flatten)):
            continue
        if isinstance(layer, nn.Linear):
            blocks.append(Block(layer))
            continue
        extended = _extended(blocks[-1], layer) if blocks else None
        if extended is None:
            return None
        blocks[-1] = extended
    ends_with_logits = bool(blocks) and blocks[-1] == Block(blocks[-1].linear)
    return blocks if ends_with_logits else None


def _extended(block: Block, layer: nn.Module) -> Block | None:
    """Return a block with one more layer behind those that it has, or None where that layer may not follow them."""
    is_dropout = isinstance(layer, SeededDropout)
    if block.dropout is not None or (block.norm_after is not None and not is_dropout):
        return None
    if isinstance(layer, SeededDropout):
        return replace(block, dropout=layer)
    if isinstance(layer, nn.ReLU):
        return None if block.relu else replace(block, relu=True)
    if not isinstance(layer, nn.BatchNorm1d) or layer.running_mean is None or not layer.affine:
        return None
    if block.relu:
        return replace(block, norm_after=layer)
    return None if block.norm_before is not None else replace(block, norm_before=layer)
