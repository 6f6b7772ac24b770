"""What a custom module changes in training besides its parameters and persistent buffers."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

_PYTORCHS = {"training"}
"""Attributes of every module that change with its mode."""


def unsaved_buffers(module: nn.Module) -> set[str]:
    """Return the names of the buffers that `state_dict` leaves out."""
    return {name for name, _ in module.named_buffers()} - set(module.state_dict())


def snapshot(module: nn.Module) -> dict[str, object]:
    """Return copies of what checkpoints do not hold, by dotted name: unsaved buffers, tensors, arrays and numbers."""
    return {name: _copied(value) for name, value in _found(module).items()}


def changed(module: nn.Module, before: Mapping[str, object]) -> list[str]:
    """Return the names of those that are not as they were in a snapshot, or new."""
    return [
        name
        for name, value in _found(module).items()
        if name not in before or not _equal(before[name], value)
    ]


def numbers(module: nn.Module, names: Iterable[str]) -> list[str]:
    """Return those of these names that are plain numbers."""
    found = _found(module)
    return [name for name in names if isinstance(found[name], (int, float))]


def _found(module: nn.Module) -> dict[str, object]:
    found: dict[str, object] = {}
    unsaved = unsaved_buffers(module)
    found |= {name: value for name, value in module.named_buffers() if name in unsaved}
    for path, layer in module.named_modules():
        for name, value in vars(layer).items():
            kept = isinstance(value, (int, float, Tensor, np.ndarray)) and name not in _PYTORCHS
            if kept:
                found[f"{path}.{name}" if path else name] = value
    return found


def _copied(value: object) -> object:
    if isinstance(value, Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


def _equal(one: object, other: object) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return torch.equal(one, other)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return type(one) is type(other) and one == other
