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


class ModalityTensors:
    """One modality of the pool, from which rows are gathered.

    Attributes:
        scaling: Where the modality has an offset and a scale for each feature; a first layer can hold it instead.
    """

    def __init__(self, modality: Modality) -> None:
        self.name = modality.name
        self.shape = modality.shape
        self.dimension = modality.dimension
        self.rows = modality.rows
        self._features = as_tensor(modality.features)
        self.scaling: Scaling | None = None
        self._offset, self._scale = 0.0, 1.0
        offset, scale = modality.offset, modality.scale
        if isinstance(offset, np.ndarray) and isinstance(scale, np.ndarray):
            self.scaling = Scaling(torch.tensor(scale), torch.tensor(-offset * scale))
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
        rows = torch.from_numpy(self.rows[objects].astype(np.int64))
        if self._features.dtype == torch.float32:
            block = torch.index_select(self._features, 0, rows, out=out)
        else:
            block = self._features.index_select(0, rows).to(torch.float32)
            block = block if out is None else out.copy_(block)
        if self._offset != 0.0 or self._scale != 1.0:
            block.sub_(self._offset).mul_(self._scale)
        return block


class PoolTensors:
    """The prepared pool as tensors on a device."""

    def __init__(self, pool: PreparedPool, device: torch.device | None = None) -> None:
        self.pool = pool
        self.device = device or torch.device("cpu")
        self.modalities = tuple(ModalityTensors(modality) for modality in pool.modalities)
        self._labels = as_tensor(pool.labels)

    def labels(self, indices: Indices) -> Int64[Tensor, " n"]:
        """Return a copy of the labels of these objects."""
        return self._labels.index_select(0, as_tensor(indices)).to(self.device)

    def batch(self, indices: Indices) -> Batch:
        """Return a copy of these objects' features."""
        features: dict[str, Tensor] = {}
        rows: dict[str, Tensor | None] = {}
        for modality in self.modalities:
            present = np.flatnonzero(modality.rows[indices] >= 0)
            complete = len(present) == len(indices)
            gathered = modality.gather(indices[present])
            features[modality.name] = gathered.view(-1, *modality.shape).to(self.device)
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
