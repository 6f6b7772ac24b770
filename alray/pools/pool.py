"""The pool in memory: per modality a compact array of features, and the row of each object in it."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from typing_extensions import override

Indices = npt.NDArray[np.int64]

TRAIN, VALIDATION, TEST = 0, 1, 2
Parts = npt.NDArray[np.int8]
"""TRAIN, VALIDATION or TEST."""

PerFeature = npt.NDArray[np.float32]
"""(dimension,) a number for each feature of a modality."""

Texts = npt.NDArray[np.character] | npt.NDArray[np.object_]
"""Text, of NumPy's fixed width or as objects.

As objects where it comes from a file: at a fixed width a single long id would make all of them as long. (`np.str_`
would mean width 0 when types are checked at run time.)
"""


@dataclass(frozen=True, eq=False)
class Modality:
    """A named array of features; an object may lack it.

    Attributes:
        name: Its name in the settings, and that of the model's head.
        features: (present, dimension), float32, float16 or uint8: only the objects that have the modality.
        rows: (objects,) int32, the row of `features` for each object, -1 where absent.
        shape: Shape of one object's features: `(dimension,)`, or `(28, 28)` for an image array.
        offset: Subtracted from the features when they are read: one number for all (uint8 stays as it is in memory),
            or one for each feature, where splits of several run seeds share the features.
        scale: Multiplied after the subtraction.
    """

    name: str
    features: npt.NDArray[np.generic]
    rows: npt.NDArray[np.int32]
    shape: tuple[int, ...]
    offset: float | PerFeature = 0.0
    scale: float | PerFeature = 1.0

    @property
    def dimension(self) -> int:
        """Number of features of one object."""
        return int(self.features.shape[1])

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """(objects,) True where the object has this modality."""
        return self.rows >= 0


@dataclass(frozen=True, eq=False)
class Pool:
    """A labelled pool as its file holds it, neither standardised nor split.

    Attributes:
        name: Short name for file names and titles.
        ids: (objects,) text, unique.
        labels: (objects,) int64, positions in `classes`.
        classes: Class names, sorted.
        modalities: At least one; every object has at least one of them.
        groups: (objects,) int64 codes of the `group_by` column: equal codes stay on one side of the split.
        fingerprint: SHA-256 over ids, labels, groups, parts and features: equal for equal data.
        parts: (objects,) the part of each, where a column of the pool gives the split.
    """

    name: str
    ids: Texts
    labels: Indices
    classes: tuple[str, ...]
    modalities: tuple[Modality, ...]
    groups: Indices | None
    fingerprint: str
    parts: Parts | None = None

    def __len__(self) -> int:
        return len(self.labels)


class SharedArrays(ABC):
    """Arrays that lie once in a node's memory for all who read them, and of which no one may change anything."""

    @abstractmethod
    def arrays(self) -> Sequence[npt.NDArray[np.generic]]:
        """Return every array once, in a fixed order."""

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays: the memory of one copy."""
        return sum(array.nbytes for array in self.arrays())

    def checksum(self) -> int:
        """Return the CRC-32 over every array: it shows whether a run has written into the shared pool."""
        value = 0
        for array in self.arrays():
            value = zlib.crc32(np.ascontiguousarray(array).data, value)
        return value

    def verify(self, checksum: int) -> None:
        """Compare the arrays with the checksum that they were shared with.

        Raises:
            RuntimeError: They differ.
        """
        if self.checksum() != checksum:
            raise RuntimeError(
                "the shared pool's content has changed during the run: something wrote into it in place"
            )


@dataclass(frozen=True, eq=False)
class PreparedPool(SharedArrays):
    """The pool as runs read it: standardised features, labels and a split. NumPy arrays only.

    Attributes:
        modalities: Standardised with statistics of the train part's present objects.
        labels: (objects,) int64, positions in `classes`.
        train: Sorted indices of the part that objects are queried from.
        validation: Sorted indices of the part for validation metrics, and for early stopping by `held_out`.
        test: Sorted indices of the part that metrics are reported on.
    """

    modalities: tuple[Modality, ...]
    labels: Indices
    class_count: int
    train: Indices
    validation: Indices
    test: Indices

    def __len__(self) -> int:
        return len(self.labels)

    @override
    def arrays(self) -> Sequence[npt.NDArray[np.generic]]:
        features = [array for m in self.modalities for array in (m.features, m.rows)]
        return [*features, self.labels, self.train, self.validation, self.test]
