"""Finding out whether a module of one's own is a plain chain of layers, which the engine can run without the module."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import fx, nn
from torch.nn import functional
from typing_extensions import override

from alray.networks.kernels import HOOKS, available, has_hooks
from alray.networks.layers import SeededDropout
from alray.networks.models import CustomModule

_LAYERS = (nn.Linear, nn.ReLU, nn.BatchNorm1d, nn.Identity, nn.Flatten, SeededDropout)
_RELU: tuple[Callable[..., Any], ...] = (torch.relu, functional.relu)
_ORDER = ("before", "relu", "after", "dropout")


@dataclass
class Link:
    """A Linear and what follows it up to the next one, in this order; None or False where it is not there.

    Attributes:
        linear: The Linear.
        before: BatchNorm between it and the ReLU.
        relu: Whether there is a ReLU.
        after: BatchNorm behind the ReLU.
        dropout: Dropout behind all of these.
    """

    linear: nn.Linear
    before: nn.BatchNorm1d | None = None
    relu: bool = False
    after: nn.BatchNorm1d | None = None
    dropout: SeededDropout | None = None

    @property
    def drops(self) -> bool:
        """Whether its dropout can drop something."""
        return self.dropout is not None and self.dropout.rate > 0


_FOUND: "WeakKeyDictionary[CustomModule, list[Link] | None]" = WeakKeyDictionary()


def find_blocks(network: CustomModule, shapes: Mapping[str, tuple[int, ...]]) -> list[Link] | None:
    """Return the links of a network that is one chain from a pool's only modality to the logits, else None.

    Known are Linear, ReLU, BatchNorm1d and dropout, as modules or (ReLU) functions, in the order of `Link`'s attributes.
    Whatever else a module does, also a hook on a layer, makes it one that has to be called.

    Args:
        network: Its layers must not be replaced afterwards: the answer is kept.
        shapes: Modality: shape of its features.
    """
    if network not in _FOUND:
        vectors = len(shapes) == 1 and all(len(shape) == 1 for shape in shapes.values())
        vectors = vectors and available() >= HOOKS
        layers = _layers(network.module, next(iter(shapes))) if vectors else None
        _FOUND[network] = _links(layers) if layers else None
    return _FOUND[network]


class _Tracer(fx.Tracer):
    @override
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m) in _LAYERS or super().is_leaf_module(m, module_qualified_name)


def _layers(module: nn.Module, modality: str) -> list[nn.Module] | None:
    """Return the layers from the features of this modality to the output, if each feeds the next one alone."""
    try:
        graph = _Tracer().trace(module)
    except Exception:  # noqa: BLE001 -- a user's code may do anything with what stands for a tensor
        return None
    output = graph.output_node()
    inputs = [node for node in graph.nodes if node.op == "placeholder"]
    source = [node for node in graph.nodes if _is_read(node, inputs, modality)]
    if len(source) != 1:
        return None
    layers: list[nn.Module] = []
    node = source[0]
    while (following := list(node.users)) != [output]:
        layer = _layer(following[0], module, node) if len(following) == 1 else None
        if layer is None:
            return None
        node = following[0]
        layers.append(layer)
    # What is computed beside the chain may be meant to raise, or to count.
    return layers if len(graph.nodes) == len([*inputs, *source, *layers, output]) else None


def _is_read(node: fx.Node, inputs: Sequence[fx.Node], modality: str) -> bool:
    return node.target is operator.getitem and node.args == (inputs[0], modality)


def _layer(node: fx.Node, module: nn.Module, before: fx.Node) -> nn.Module | None:
    """Return the layer that a node stands for, or None if the engine does not know it."""
    if node.args != (before,):
        return None
    if node.op == "call_module":
        layer = module.get_submodule(str(node.target))
        known = type(layer) in _LAYERS and not has_hooks(layer, "forward")
        return layer if known and not node.kwargs else None
    is_relu = node.target in _RELU or (node.op == "call_method" and node.target == "relu")
    return nn.ReLU() if is_relu and set(node.kwargs) <= {"inplace"} else None


def _links(layers: Sequence[nn.Module]) -> list[Link] | None:
    """Cut a chain before each Linear."""
    links: list[Link] = []
    for layer in layers:
        if isinstance(layer, nn.Linear):
            links.append(Link(layer))
        elif isinstance(layer, (nn.Identity, nn.Flatten)):
            continue
        elif not links or not _append(links[-1], layer):
            return None
    plain_end = bool(links) and links[-1] == Link(links[-1].linear)
    return links if plain_end else None


def _append(link: Link, layer: nn.Module) -> bool:
    """Add a layer behind what a link has, if it may stand there."""
    if isinstance(layer, nn.BatchNorm1d):
        if layer.running_mean is None or not layer.affine:
            return False
        name = "after" if link.relu else "before"
    else:
        name = "relu" if isinstance(layer, nn.ReLU) else "dropout"
    if any(getattr(link, later) for later in _ORDER[_ORDER.index(name) :]):
        return False
    setattr(link, name, layer if name != "relu" else True)
    return True
