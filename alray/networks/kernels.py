"""Linear layers on the CPU by oneDNN, which comes with PyTorch: the same float32 sums as `addmm`, faster on some machines.

PyTorch's own products call MKL, which leaves the widest vector units of AMD's processors idle: there oneDNN takes half
the time for 500 objects, and two thirds of it for 100. Where a build of PyTorch has no oneDNN, or tensors lie elsewhere
than on the CPU, `addmm` does the same.

oneDNN compiles a program for each shape that it meets: a millisecond, half a megabyte, and a thousand of them are kept.
So what calls it keeps to few shapes (`round_up`, `few_sizes`).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _find_onednn() -> Callable[..., Tensor] | None:
    """Return oneDNN's linear layer with a fused activation, or None where this build has none."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # not typed in PyTorch
        return None
    operators: Any = torch.ops.mkldnn
    found: Callable[..., Tensor] | None = getattr(operators, "_linear_pointwise", None)
    return found


_ONEDNN = _find_onednn()


def round_up(size: int, step: int) -> int:
    """Return the next multiple of `step`, `size` itself if it is one."""
    return -(-size // step) * step


def few_sizes(size: int) -> int:
    """Return the next of eight sizes per doubling: at most an eighth more."""
    return round_up(size, max(1, 2 ** (size.bit_length() - 1) // 8))


def padded_rows(matrix: Tensor, rows: int) -> Tensor:
    """Return a matrix with rows of zeros added, so that it has `rows` of them."""
    if rows == len(matrix):
        return matrix
    room = matrix.new_empty(rows, matrix.shape[1])
    room[: len(matrix)] = matrix
    room[len(matrix) :] = 0
    return room


def linear(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, rectified: bool = False
) -> Tensor:
    """Return x weight^T + bias, and its positive part where `rectified`; without gradient.

    Args:
        x: (n, inputs), n >= 1.
        weight: (outputs, inputs).
        bias: (outputs,) or None for zero.
        rectified: Whether to take the positive part.
    """
    wanted = x.device.type == "cpu" and weight.numel() > 0
    if _ONEDNN is not None and wanted:
        return _ONEDNN(_dense(x), _dense(weight), bias, "relu" if rectified else "none", [], "")
    product = x @ weight.t() if bias is None else torch.addmm(bias, x, weight.t())
    return product.relu_() if rectified else product


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return a b for a of (n, m), n >= 1, and b of (m, k); without gradient."""
    return linear(a, b.t())


def _dense(matrix: Tensor) -> Tensor:
    """Copy what is neither dense nor the transpose of a dense matrix.

    For a slice of a weight's columns oneDNN falls back to a plain loop: a second instead of a third of a millisecond.
    """
    return matrix if matrix.is_contiguous() or matrix.t().is_contiguous() else matrix.contiguous()
