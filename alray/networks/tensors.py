"""Tensors from the shared, read-only NumPy pool: only indexed copies leave this module.

The arrays of the object store are mapped writable for every process on the node, so an in-place write through a view
would corrupt the pool for all of them without an error. Therefore no function here returns a view of the pool, except
`as_tensor`, whose results must only be indexed.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from alray.pools.pool import Indices, Modality, PreparedPool


@dataclass(frozen=True)
class Batch:
    """The features of a batch of objects.

    Attributes:
        size: Number of objects.
        features: Per modality (present objects, *shape), float32: only the objects that have it.
        rows: Per modality (present objects,) int64 positions within the batch, or None where all have it.
    """

    size: int
    features: Mapping[str, Tensor]
    rows: Mapping[str, Tensor | None]


def as_tensor(array: npt.NDArray[np.generic]) -> Tensor:
    """Return a view of a read-only array, for indexing only."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


@dataclass(frozen=True)
class Scaling:
    """What standardises the features of a modality for a train part: scale * x + shift, both (dimension,) float32."""

    scale: Tensor
    shift: Tensor


class ArrayTensors:
    """The pool's arrays as tensors on a device: on a GPU one copy of each, for all runs of a process.

    Attributes:
        device: The device.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        # With its array, whose address would else be another one's once it is gone.
        self._copies: dict[int, tuple[npt.NDArray[np.generic], Tensor]] = {}

    def of(self, array: npt.NDArray[np.generic]) -> Tensor:
        """Return an array on the device; on the CPU a view, for indexing only."""
        if self.device.type == "cpu":
            return as_tensor(array)
        if id(array) not in self._copies:
            self._copies[id(array)] = array, as_tensor(array).to(self.device)
        return self._copies[id(array)][1]


class ModalityTensors:
    """One modality of the pool, from which rows are gathered.

    Attributes:
        rows: (objects,) the row of `features` for each object, -1 where absent.
        complete: Whether every object of the pool has it.
        scaling: Where the modality has an offset and a scale for each feature; a first layer can hold it instead.
    """

    def __init__(self, modality: Modality, arrays: ArrayTensors | None = None) -> None:
        arrays = arrays or ArrayTensors(torch.device("cpu"))
        self.name = modality.name
        self.shape = modality.shape
        self.dimension = modality.dimension
        self.rows = modality.rows
        self.complete = bool((modality.rows >= 0).all())
        self._device = arrays.device
        self._features = arrays.of(modality.features)
        self._rows = arrays.of(modality.rows)
        self.scaling: Scaling | None = None
        self._offset, self._scale = 0.0, 1.0
        offset, scale = modality.offset, modality.scale
        if isinstance(offset, np.ndarray) and isinstance(scale, np.ndarray):
            shift = torch.tensor(-offset * scale)
            self.scaling = Scaling(torch.tensor(scale).to(self._device), shift.to(self._device))
        else:
            self._offset, self._scale = float(offset), float(scale)

    def gather(
        self, objects: Indices, out: Float[Tensor, "n dimension"] | None = None
    ) -> Float[Tensor, "n dimension"]:
        """Return a copy of the features of objects that have the modality, standardised float32; in `out` where given.

        Every matrix product then starts from memory that PyTorch aligned itself, for any address of the pool, which
        keeps results equal to the bit between a worker on the object store and this process.
        """
        block = self.gather_unscaled(objects, out)
        if self.scaling is not None:
            torch.addcmul(self.scaling.shift, block, self.scaling.scale, out=block)
        return block

    def gather_unscaled(
        self, objects: Indices, out: Float[Tensor, "n dimension"] | None = None
    ) -> Float[Tensor, "n dimension"]:
        """Return the same without `scaling`, for a first layer that holds it."""
        rows = torch.from_numpy(self.rows[objects].astype(np.int64)).to(self._device)
        if self._features.dtype == torch.float32:
            block = torch.index_select(self._features, 0, rows, out=out)
        else:
            block = self._features.index_select(0, rows).to(torch.float32)
            block = block if out is None else out.copy_(block)
        if self._offset != 0.0 or self._scale != 1.0:
            block.sub_(self._offset).mul_(self._scale)
        return block

    def linear_scaling(self) -> Float[Tensor, "2 1 dimension"]:
        """Return what standardises features: x times the first row, plus the second."""
        if self.scaling is not None:
            return torch.stack([self.scaling.scale, self.scaling.shift]).unsqueeze(1)
        numbers = torch.tensor([self._scale, -self._offset * self._scale], device=self._device)
        return numbers.view(2, 1, 1).expand(2, 1, self.dimension)

    def select(self, objects: Int64[Tensor, " n"]) -> tuple[Tensor, Tensor | None]:
        """Return (n, dimension) float32 features of objects on the device, and (n,) whether each has any.

        The features lack `linear_scaling`. An absent object's row is another object's: nothing may depend on it. None
        where every object has the modality. Nothing waits for the device.
        """
        rows = self._rows.index_select(0, objects)
        x = self._features.index_select(0, rows.clamp_min(0)).to(torch.float32)
        return x, None if self.complete else rows >= 0


def side_by_side(batch: "Batch") -> Float[Tensor, "n features"]:
    """Return the features of all modalities in a row, zeros, the train part's mean, where one is absent."""
    parts = []
    for name, values in batch.features.items():
        x, rows = values.flatten(1), batch.rows[name]
        if rows is not None:
            x = x.new_zeros(batch.size, x.shape[1]).index_copy(0, rows, x)
        parts.append(x)
    return torch.cat(parts, dim=1)


class PoolTensors:
    """The prepared pool as tensors on a device.

    Attributes:
        all_labels: (objects,) the classes, for indexing only.
    """

    def __init__(self, pool: PreparedPool, arrays: ArrayTensors | None = None) -> None:
        """Take a pool; `arrays` are those of a process with several runs, on the CPU if not given."""
        self.pool = pool
        arrays = arrays or ArrayTensors(torch.device("cpu"))
        self.device = arrays.device
        self.modalities = tuple(ModalityTensors(modality, arrays) for modality in pool.modalities)
        self.all_labels = arrays.of(pool.labels)

    def arrays_seen(self) -> tuple[int, ...]:
        """Return what is equal for pools that see the same arrays, of which only scalings and splits may differ."""
        arrays = [array for each in self.pool.modalities for array in (each.features, each.rows)]
        return tuple(id(array) for array in (*arrays, self.pool.labels))

    def labels(self, indices: Indices) -> Int64[Tensor, " n"]:
        """Return a copy of the labels of these objects."""
        return self.all_labels.index_select(0, as_tensor(indices).to(self.device))

    def batch(self, indices: Indices) -> Batch:
        """Return a copy of these objects' features."""
        features: dict[str, Tensor] = {}
        rows: dict[str, Tensor | None] = {}
        for modality in self.modalities:
            present = np.flatnonzero(modality.rows[indices] >= 0)
            complete = len(present) == len(indices)
            gathered = modality.gather(indices[present])
            features[modality.name] = gathered.view(-1, *modality.shape)
            rows[modality.name] = None if complete else torch.from_numpy(present).to(self.device)
        return Batch(len(indices), features, rows)

    def patterns(self, indices: Indices) -> npt.NDArray[np.int64]:
        """Return (n,) a bit mask per object: bit m is set where modality m is present."""
        code = np.zeros(len(indices), dtype=np.int64)
        for bit, modality in enumerate(self.modalities):
            code |= (modality.rows[indices] >= 0).astype(np.int64) << bit
        return code

    def by_pattern(self, indices: Indices) -> Iterator[tuple[list[str], Indices]]:
        """Yield the modalities of each pattern among these objects, and the positions of the objects that have it."""
        patterns = self.patterns(indices)
        for code in np.unique(patterns):
            names = [modality.name for m, modality in enumerate(self.modalities) if code >> m & 1]
            yield names, np.flatnonzero(patterns == code)
