"""Open files of named tensors: safetensors, and dictionaries that PyTorch has saved. Nothing is unpickled."""

import pickle  # noqa: TID251 -- the name of an error; PyTorch's reader of plain tensors raises it
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from alray.errors import PoolError
from alray.pools.imports.arrow_columns import text_array
from alray.pools.imports.rows import Array, Rows, rows_of

_BROKEN = (
    pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError,
    IndexError, AssertionError, OverflowError, MemoryError,
)  # fmt: skip
"""What PyTorch's reader raises for files that are damaged, or hold more than tensors and lists."""

_SAFETENSORS_TYPES = {"F16": "f2", "F32": "f4", "F64": "f8", "BF16": "f4", "U8": "u1", "I8": "i1", "I16": "i2",
    "I32": "i4", "I64": "i8", "U16": "u2", "U32": "u4", "U64": "u8", "BOOL": "?"}  # fmt: skip


def open_safetensors(path: Path) -> dict[str, Rows]:
    """Return the tensors of a file by name; they are mapped into memory. bfloat16 becomes float32.

    Raises:
        PoolError: It is no such file, or a tensor has a type that NumPy lacks.
    """
    try:
        with safe_open(path, framework="numpy") as tensors:
            slices = {name: tensors.get_slice(name) for name in tensors.keys()}  # noqa: SIM118 -- no mapping
            found = {
                name: (tensor.get_dtype(), tuple(tensor.get_shape()))
                for name, tensor in slices.items()
            }
    except (SafetensorError, OSError) as error:
        raise PoolError(
            f"{path}: cannot be read as safetensors ({error}); write or copy it again"
        ) from None
    for name, (kind, _) in found.items():
        if kind not in _SAFETENSORS_TYPES:
            raise PoolError(f"{path}:{name}: of type {kind}; save it as float32")
    return {name: _safetensors_rows(path, name, *kind) for name, kind in found.items() if kind[1]}


def _safetensors_rows(path: Path, name: str, kind: str, shape: tuple[int, ...]) -> Rows:
    framework = "pt" if kind == "BF16" else "numpy"  # NumPy has no bfloat16

    def chunks(size: int) -> Iterator[Array]:
        with safe_open(path, framework=framework) as tensors:
            values = tensors.get_slice(name)
            for start in range(0, shape[0], size):
                part = values[start : min(start + size, shape[0])]
                yield part.float().numpy() if kind == "BF16" else np.asarray(part)

    return Rows(f"{path}:{name}", shape[0], shape[1:], np.dtype(_SAFETENSORS_TYPES[kind]), chunks)


def open_torch(path: Path) -> dict[str, Rows]:
    """Return the tensors and lists of a dictionary that `torch.save` has written, by name.

    Raises:
        PoolError: It is no dictionary of tensors and lists, or would run code when loaded.
    """
    import torch  # noqa: PLC0415 -- seconds that other layouts need not pay

    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        RuntimeError,
        OSError,
        EOFError,
        ValueError,
        KeyError,
    ) as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        if found is None:
            raise PoolError(
                f"{path}: damaged, or not a file of torch.save; save tensors again, such as with safetensors"
            ) from None
        raise PoolError(
            f"{path}: needs {found[1]}, so it holds more than tensors and lists, and loading it could run code; save "
            "tensors and whole-number labels as safetensors: "
            "safetensors.torch.save_file({'image': image, 'label': label}, 'pool.safetensors')"
        ) from None
    if not isinstance(content, dict):
        raise PoolError(
            f"{path}: holds a {type(content).__name__}; save a dictionary with labels: "
            "torch.save({'image': image, 'label': label}, path)"
        )
    rows = {str(name): _torch_rows(f"{path}:{name}", value) for name, value in content.items()}
    return {name: value for name, value in rows.items() if value is not None}


def _torch_rows(origin: str, value: Any) -> Rows | None:
    """Return the rows of a tensor or a list, or None for a single value, which has no rows."""
    if isinstance(value, str | int | float | bool | None):
        return None
    if isinstance(value, list | tuple):
        return rows_of(origin, _from_list(origin, list(value)))
    if not _is_dense(value):
        raise PoolError(
            f"{origin}: neither a dense tensor nor a list; save tensors and lists of labels, a name for each"
        )
    return rows_of(origin, _for_numpy(value).detach().numpy()) if value.ndim else None


def _is_dense(value: Any) -> bool:
    import torch  # noqa: PLC0415 -- seconds that other layouts need not pay

    is_tensor = isinstance(value, torch.Tensor)
    return is_tensor and value.layout == torch.strided and not value.is_quantized


def _for_numpy(tensor: Any) -> Any:
    """Return the tensor, as float32 if NumPy lacks its type (bfloat16, float8); other types stay as they are."""
    import torch  # noqa: PLC0415 -- seconds that other layouts need not pay

    known = {torch.float16, torch.float32, torch.float64}
    return tensor.float() if tensor.is_floating_point() and tensor.dtype not in known else tensor


def _from_list(origin: str, values: list[Any]) -> Array:
    import torch  # noqa: PLC0415 -- seconds that other layouts need not pay

    if values and all(map(_is_dense, values)):
        if len({value.shape for value in values}) > 1:
            raise PoolError(
                f"{origin}: tensors of different shapes; save one tensor with a row per object"
            )
        return np.asarray(_for_numpy(torch.stack(values)).detach().numpy())
    kinds = {type(value) for value in values}
    if not (kinds <= {str} or kinds <= {bool} or kinds <= {int} or kinds <= {int, float}):
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise PoolError(
            f"{origin}: a list of {names}; save a dense tensor, or a list of texts or of numbers"
        )
    if kinds <= {int} and values:
        small, natural = min(values) >= -(2**63) and max(values) < 2**63, min(values) >= 0
        exact = np.int64 if small else np.uint64 if natural and max(values) < 2**64 else np.str_
        return (
            np.asarray([str(value) for value in values])
            if exact is np.str_
            else np.asarray(values, exact)
        )
    return text_array(origin, values) if kinds == {str} else np.asarray(values)
