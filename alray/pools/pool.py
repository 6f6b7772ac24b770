"""The pool in memory: per modality a compact array of features, and the row of each object in it."""

import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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


class FeatureFile(ABC):
    """A file on a node's disk that holds features; it may be sent to other processes, which open it.

    Attributes:
        path: Where it is opened; files of one study differ in it.
    """

    path: str

    @property
    @abstractmethod
    def nbytes(self) -> int:
        """Bytes on the disk."""

    @abstractmethod
    def opened(self) -> tuple["FeatureFile", npt.NDArray[np.generic]]:
        """Return the file as this process has it open, and its features, read-only and not in memory.

        Raises:
            OSError: It cannot be opened here.
        """

    @abstractmethod
    def require_unchanged(self) -> None:
        """Check that nothing has written into the file.

        Raises:
            RuntimeError: Something has.
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
        file: What holds the features where they are not in memory. Without it another process would get a copy; with
            it that has no features until `opened`.
    """

    name: str
    features: npt.NDArray[np.generic]
    rows: npt.NDArray[np.int32]
    shape: tuple[int, ...]
    offset: float | PerFeature = 0.0
    scale: float | PerFeature = 1.0
    file: FeatureFile | None = None

    @property
    def dimension(self) -> int:
        """Number of features of one object."""
        return math.prod(self.shape)

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """(objects,) True where the object has this modality."""
        return self.rows >= 0

    @property
    def in_memory(self) -> list[npt.NDArray[np.generic]]:
        """The arrays that are in memory: features without a file, and rows."""
        return [self.features, self.rows] if self.file is None else [self.rows]

    def with_file(self, file: FeatureFile, features: npt.NDArray[np.generic]) -> "Modality":
        """Return the modality in a process that has its file open."""
        return replace(self, file=file, features=features)

    def release(self) -> None:
        """Let go of a file: its features have been standardised, and there are no others of this modality any more."""
        if self.file is not None:
            object.__delattr__(self, "features")
            object.__setattr__(self, "file", None)

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to other processes: features in a file stay there."""
        kept = dict(self.__dict__)
        if self.file is not None:
            del kept["features"]
        return kept


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
    """Arrays that lie once in a node's memory for all who read them, and of which no one may change anything.

    Features may lie in files instead, which are mapped read-only: nothing that a run does can write into them.
    """

    @abstractmethod
    def arrays(self) -> Sequence[npt.NDArray[np.generic]]:
        """Return every array in memory once, in a fixed order."""

    def files(self) -> Sequence[FeatureFile]:
        """Return every file of features that are not in memory once, in a fixed order."""
        return ()

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays: the memory of one copy."""
        return sum(array.nbytes for array in self.arrays())

    @property
    def bytes_on_disk(self) -> int:
        """Bytes of all files of features: the room that one copy of them takes on a disk."""
        return sum(file.nbytes for file in self.files())

    def checksum(self) -> int:
        """Return the CRC-32 over every array: it shows whether a run has written into the shared pool."""
        value = 0
        for array in self.arrays():
            value = zlib.crc32(np.ascontiguousarray(array).data, value)
        return value

    def verify(self, checksum: int) -> None:
        """Compare the arrays with the checksum that they were shared with, and files with their size and time.

        Raises:
            RuntimeError: They differ.
        """
        for file in self.files():
            file.require_unchanged()
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
        confusions: (assessors, classes, classes) P(answer | truth) of those whose answers a table gives, if any.
    """

    modalities: tuple[Modality, ...]
    labels: Indices
    class_count: int
    train: Indices
    validation: Indices
    test: Indices
    confusions: npt.NDArray[np.float64] | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.labels)

    @override
    def arrays(self) -> Sequence[npt.NDArray[np.generic]]:
        features = [array for m in self.modalities for array in m.in_memory]
        answered = [] if self.confusions is None else [self.confusions]
        return [*features, self.labels, self.train, self.validation, self.test, *answered]
