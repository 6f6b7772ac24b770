"""Everything of PyTorch that its documentation does not promise, and nothing of it anywhere else.

A later PyTorch may lack some of it. `available` names what this build has, so that a caller can choose the documented
way instead; `tests/networks/test_kernels.py` compares each kernel with that way.

oneDNN, which comes with PyTorch, computes linear layers on the CPU in float32, as `addmm` does, bfloat16 and int8. It
compiles a program for each shape that it meets: a millisecond, half a megabyte, and a thousand of them are kept. So its
callers keep to few shapes (`round_up`, `few_sizes`).
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

PATHS = {
    "onednn_linear": "ops.mkldnn._linear_pointwise",
    "bf16_supported": "ops.mkldnn._is_mkldnn_bf16_supported",
    "int8_pack": "ops.onednn.qlinear_prepack",
    "int8_linear": "ops.onednn.qlinear_pointwise",
    "fused_adam": "_fused_adam_",
    "batch_norm": "native_batch_norm",
    "batch_norm_backward": "ops.aten.native_batch_norm_backward",
    "threshold_backward": "ops.aten.threshold_backward",
}
"""Kernel: where torch has it."""

INT8 = frozenset({"int8_pack", "int8_linear"})
"""Kernels that scoring in int8 calls."""

GRADIENTS = frozenset({"batch_norm", "batch_norm_backward", "threshold_backward"})
"""Kernels that manual training steps call."""

HOOKS = frozenset({"hooks"})
"""The private lists of a module's hooks, which `has_hooks` reads."""


def _find(path: str) -> Callable[..., Any] | None:
    """Return what torch has at a path, or None where this build has nothing there."""
    onednn = path.startswith(("ops.mkldnn.", "ops.onednn."))
    if onednn and not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]  # not typed in PyTorch
        return None
    found: Any = torch
    for name in path.split("."):
        found = getattr(found, name, None)
    kernel: Callable[..., Any] | None = found
    return kernel


FOUND = {name: _find(path) for name, path in PATHS.items()}
"""Kernel: itself, or None where this build has none."""


def available() -> frozenset[str]:
    """Return the names of what this build of PyTorch has, of `PATHS` and `HOOKS`."""
    module = nn.Identity()
    lists = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    hooks = HOOKS if all(hasattr(module, name) for name in lists) else frozenset()
    return hooks | {name for name, kernel in FOUND.items() if kernel is not None}


def _kernel(name: str) -> Callable[..., Any]:
    kernel = FOUND[name]
    if kernel is None:
        raise RuntimeError(f"this build of PyTorch has no torch.{PATHS[name]}")
    return kernel


def round_up(size: int, step: int) -> int:
    """Return the next multiple of `step`, `size` itself if it is one."""
    return -(-size // step) * step


def few_sizes(size: int) -> int:
    """Return the next of eight sizes per doubling: at most an eighth more."""
    return round_up(size, max(1, 2 ** (size.bit_length() - 1) // 8))


def padded_rows(matrix: Tensor, rows: int) -> Tensor:
    """Return a matrix with rows of zeros appended, so that it has `rows` of them; itself where it has."""
    if rows == len(matrix):
        return matrix
    padded = matrix.new_empty(rows, matrix.shape[1])
    padded[: len(matrix)] = matrix
    padded[len(matrix) :] = 0
    return padded


def has_onednn() -> bool:
    """Return whether this build of PyTorch computes linear layers by oneDNN."""
    return FOUND["onednn_linear"] is not None


def onednn_linear(x: Tensor, weight: Tensor, bias: Tensor | None, *, rectified: bool) -> Tensor:
    """Return x weight^T + bias on the CPU, and its positive part where `rectified`; without gradient.

    Args:
        x: (n, inputs), n >= 1.
        weight: (outputs, inputs), not empty.
        bias: (outputs,) or None for zero.
        rectified: Whether to take the positive part.
    """
    activation = "relu" if rectified else "none"
    found: Tensor = _kernel("onednn_linear")(_dense(x), _dense(weight), bias, activation, [], "")
    return found


def has_int8() -> bool:
    """Return whether this build of PyTorch has linear layers in int8."""
    return available() >= INT8


def bf16_linear(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the positive part of x weight^T + bias in bfloat16, by oneDNN where it has this for the processor.

    Args:
        x: (n, inputs) bfloat16, n >= 1.
        weight: (outputs, inputs) bfloat16, not empty.
        bias: (outputs,) bfloat16.
    """
    if has_bf16():
        return onednn_linear(x, weight, bias, rectified=True)
    return nn.functional.linear(x, weight, bias).relu_()


def has_bf16() -> bool:
    """Return whether oneDNN computes linear layers in bfloat16 here: it needs AVX-512 or its like."""
    supported = FOUND["bf16_supported"]
    return has_onednn() and supported is not None and bool(supported())


def _dense(matrix: Tensor) -> Tensor:
    """Return a copy of what is neither dense nor the transpose of a dense matrix.

    For a slice of a weight's columns oneDNN falls back to a plain loop: a second instead of a third of a millisecond.
    """
    return matrix if matrix.is_contiguous() or matrix.t().is_contiguous() else matrix.contiguous()


Int8Weights = tuple[Tensor, Tensor, Tensor, Tensor]
"""A linear layer in int8, as `int8_linear` takes it: levels, steps, zeros (level 0 means 0), bias."""


def int8_weights(levels: Tensor, steps: Tensor, bias: Tensor) -> Int8Weights:
    """Return a layer for `int8_linear`, on the CPU, with the levels laid out as oneDNN reads them.

    Args:
        levels: (outputs, inputs) int8 from -127 to 127.
        steps: (outputs,) float32: what one more level of an output's weights means.
        bias: (outputs,) float32.
    """
    packed: Tensor = _kernel("int8_pack")(levels, None)
    return packed, steps, torch.zeros(len(levels), dtype=torch.int32), bias


def int8_linear(
    x: Tensor, step: float, zero: int, weights: Int8Weights, output_step: float | None = None
) -> Tensor:
    """Return the layer's output for inputs (x - zero) * step, summed in exact integers.

    Args:
        x: (n, inputs) uint8.
        step: What one more means in x.
        zero: The byte that means 0 in x.
        weights: The layer.
        output_step: None for (n, outputs) float32. Else the positive part is returned as (n, outputs) uint8, in which
            one more means this number; values beyond the range are cut to it.
    """
    kind, activation = (torch.float32, "none") if output_step is None else (torch.uint8, "relu")
    scale = 1.0 if output_step is None else output_step
    found: Tensor = _kernel("int8_linear")(
        x, step, zero, *weights, scale, 0, kind, activation, [], ""
    )
    return found


def adam_step(
    weights: Sequence[Tensor],
    gradients: Sequence[Tensor],
    moments: tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]],
    *,
    lr: float,
    decay: float,
) -> None:
    """Move weights by a step of `torch.optim.Adam(..., fused=True)`, to the bit; call it without gradient.

    A round's steps are small: what PyTorch's function looks up anew in each takes as long as a third of the arithmetic.

    Args:
        weights: At least one.
        gradients: Of each weight.
        moments: The number of this step for each weight, float32 scalars; the running means of its gradients and of
            their squares, which are changed.
        lr: The learning rate.
        decay: This times a weight is added to its gradient.
    """
    options: dict[str, Any] = {"lr": lr, "weight_decay": decay, "beta1": 0.9, "beta2": 0.999}
    options |= {"eps": 1e-8, "amsgrad": False, "maximize": False}
    steps, means, squares = moments
    lists = [list(each) for each in (weights, gradients, means, squares, (), steps)]
    kernel = FOUND["fused_adam"]
    if kernel is not None:
        kernel(*lists, **options)
        return
    lists[-1] = [step - 1 for step in steps]  # the documented function counts by itself
    documented: Callable[..., None] = partial(adam, fused=True)
    documented(*lists, **options)


class NormStep:
    """BatchNorm on one batch, forward and backward.

    Attributes:
        output: (n, units).
    """

    def __init__(self, norm: nn.BatchNorm1d, x: Tensor, *, live: bool) -> None:
        """Normalise x (n, units) by its own statistics, which the running ones follow, or by these if not `live`."""
        self._norm, self._x, self._live = norm, x, live
        statistics = (norm.running_mean, norm.running_var, live, norm.momentum or 0.0, norm.eps)
        self.output: Tensor
        self.output, *self._saved = _kernel("batch_norm")(x, norm.weight, norm.bias, *statistics)
        if live and norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)

    def backward(self, gradient: Tensor) -> Tensor:
        """Set the gradients of scale and shift, for that of the output (n, units); return that of x."""
        norm = self._norm
        of_x: Tensor
        of_x, norm.weight.grad, norm.bias.grad = _kernel("batch_norm_backward")(
            gradient,
            self._x,
            norm.weight,
            norm.running_mean,
            norm.running_var,
            *self._saved,
            self._live,
            norm.eps,
            [True, True, True],
        )
        return of_x


def relu_backward(gradient: Tensor, rectified: Tensor) -> Tensor:
    """Return the gradient of a ReLU's input, for that of its output and the output itself."""
    found: Tensor = _kernel("threshold_backward")(gradient, rectified, 0)
    return found


def has_hooks(module: nn.Module, direction: Literal["forward", "backward"]) -> bool:
    """Return whether something is called before or after a module's pass in this direction."""
    return bool(
        getattr(module, f"_{direction}_hooks") or getattr(module, f"_{direction}_pre_hooks")
    )
