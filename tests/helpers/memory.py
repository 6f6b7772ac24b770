"""How much memory a computation takes, alike on every machine: what it allocates, not what the process holds."""

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from typing_extensions import override

MEGABYTE = 1e6


class Peak(NamedTuple):
    """Megabytes.

    Attributes:
        tensor: Of the largest tensor that any operation of PyTorch returns.
        besides: Of all that Python and NumPy allocate, at their peak.
    """

    tensor: float
    besides: float


class _Largest(TorchDispatchMode):
    """Remembers the bytes of the largest tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    @override
    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        tensors = [each for each in tree_leaves(found) if isinstance(each, torch.Tensor)]
        self.size = max([self.size, *(each.untyped_storage().nbytes() for each in tensors)])
        return found


def peak_of(act: Callable[[], object], before: Callable[[], object] = lambda: None) -> Peak:
    """Return what an act takes, once something small before has imported what is needed, which counts too."""
    with _Largest():
        before()
    tracemalloc.start()
    try:
        with _Largest() as largest:
            act()
        besides = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Peak(largest.size / MEGABYTE, besides / MEGABYTE)
