"""The pool of a sweep as it lies once in memory, and how each run sees it: by the split of its seed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from alray.pools.pool import (
    TEST,
    TRAIN,
    VALIDATION,
    FeatureFile,
    Indices,
    Modality,
    Parts,
    PreparedPool,
    SharedArrays,
)
from alray.settings.run import RunSpec


class ViewKey(NamedTuple):
    """What decides how a run sees the pool.

    Attributes:
        fingerprint: The pool's.
        dtype: Type of the standardised features.
        validation: Share of the pool.
        test: Share of the pool.
        seed: The run seed, None where all seeds have one split.
    """

    fingerprint: str
    dtype: str
    validation: float
    test: float
    seed: int | None


def view_key(run: RunSpec) -> ViewKey:
    """Return what decides how this run sees the pool."""
    split = run.split
    seed = run.seed if split.per == "seed" else None
    return ViewKey(run.pool_fingerprint, run.pool_dtype, split.validation, split.test, seed)


@dataclass(frozen=True, eq=False)
class View:
    """A split of the pool.

    Attributes:
        modalities: Their features belong to several views; offset and scale standardise them for this train part.
        parts: (objects,) the part of each object.
    """

    modalities: tuple[Modality, ...]
    parts: Parts

    def sizes(self) -> tuple[int, int, int]:
        """Return how many objects the train, validation and test part have."""
        train, validation, test = (
            int((self.parts == part).sum()) for part in (TRAIN, VALIDATION, TEST)
        )
        return train, validation, test


@dataclass(frozen=True, eq=False)
class SharedPool(SharedArrays):
    """Labels, features and all splits of a sweep. NumPy arrays only.

    Attributes:
        labels: (objects,) int64, positions in the pool's classes.
        views: How runs see it.
        confusions: (assessors, classes, classes) P(answer | truth) of those whose answers a table gives, if any.
    """

    labels: Indices
    class_count: int
    views: Mapping[ViewKey, View]
    confusions: npt.NDArray[np.float64] | None = None

    @classmethod
    def of(cls, prepared: PreparedPool, keys: Iterable[ViewKey]) -> "SharedPool":
        """Return a pool of which all runs of these keys have the same view; objects may be in no part."""
        parts = np.full(len(prepared), -1, dtype=np.int8)
        for part, objects in (
            (TRAIN, prepared.train),
            (VALIDATION, prepared.validation),
            (TEST, prepared.test),
        ):
            parts[objects] = part
        view = View(prepared.modalities, parts)
        views = dict.fromkeys(keys, view)
        return cls(prepared.labels, prepared.class_count, views, prepared.confusions)

    def view(self, run: RunSpec) -> PreparedPool:
        """Return the pool as a run sees it; features and labels are not copied."""
        view = self.views[view_key(run)]
        train, validation, test = (
            np.flatnonzero(view.parts == part) for part in (TRAIN, VALIDATION, TEST)
        )
        parts = train, validation, test
        return PreparedPool(
            view.modalities, self.labels, self.class_count, *parts, confusions=self.confusions
        )

    @override
    def arrays(self) -> Sequence[npt.NDArray[np.generic]]:
        found: list[npt.NDArray[np.generic]] = [self.labels]
        if self.confusions is not None:
            found.append(self.confusions)
        for view in self.views.values():
            found.append(view.parts)
            for each in view.modalities:
                scaling = (each.offset, each.scale)
                of_split = [array for array in scaling if isinstance(array, np.ndarray)]
                found += [*each.in_memory, *of_split]
        return list({id(array): array for array in found}.values())

    @override
    def files(self) -> Sequence[FeatureFile]:
        every = [each.file for view in self.views.values() for each in view.modalities]
        return list({file.path: file for file in every if file is not None}.values())

    def opened(self, find: Callable[[FeatureFile], FeatureFile]) -> "SharedPool":
        """Return the pool in a process to which it was sent, with its files of features open.

        Args:
            find: Returns a file, or the copy of it that this process can open.

        Raises:
            OSError: A file cannot be opened here.
        """
        here = {file.path: find(file).opened() for file in self.files()}
        if not here:
            return self

        def with_files(view: View) -> View:
            each = view.modalities
            return replace(
                view,
                modalities=tuple(m.with_file(*here[m.file.path]) if m.file else m for m in each),
            )

        return replace(self, views={key: with_files(view) for key, view in self.views.items()})
