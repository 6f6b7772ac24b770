"""Describe a pool as plain data, also one that an experiment would refuse."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alray.errors import PoolError
from alray.pools.builtin import pool_name, with_own_settings
from alray.pools.duplicates import Duplicates, find_duplicates
from alray.pools.pool import TEST, TRAIN, VALIDATION, Parts, Pool
from alray.pools.preparing import split_by_seed
from alray.pools.reading import PoolContent, pool_of, read_content
from alray.pools.split import split_pool
from alray.settings.common import PoolSpec
from alray.settings.sweep import SweepSpec, SweepSplitSpec

USUAL_SEEDS = SweepSpec().seeds


@dataclass(frozen=True)
class ModalityDescription:
    """One modality.

    Attributes:
        absent: Objects that lack it.
        unusable: Objects with NaN, null or infinite values in it.
        constant: Positions of the features that are equal in all objects.
    """

    name: str
    column: str
    shape: tuple[int, ...]
    dtype: str
    absent: int
    unusable: int
    constant: tuple[int, ...] = ()


@dataclass(frozen=True)
class GroupDescription:
    """The `group_by` column: how many groups, how large, and how many objects share theirs."""

    column: str
    groups: int
    largest: int
    objects_sharing: int


@dataclass(frozen=True)
class SplitDescription:
    """The split that a column gives: the objects of each part.

    Attributes:
        taken: Objects of the train part that a study takes for validation, where the column names none for it.
    """

    column: str
    train: int
    validation: int
    test: int
    taken: int


@dataclass(frozen=True)
class PoolDescription:
    """Counts of a pool.

    Attributes:
        classes: Class name: objects, in class order.
        groups: If the settings name a `group_by` column.
        notes: Lines about dropped classes.
        warnings: Lines about modalities that seem to hold the label, and about values that hide all others.
        problems: Why an experiment would refuse the pool, a line each.
        train: Objects in the train part of a study, the smallest of its splits; 0 where there is a problem.
        split: If a column gives it.
    """

    name: str
    path: str
    objects: int
    classes: dict[str, int]
    modalities: tuple[ModalityDescription, ...]
    duplicates: Duplicates
    groups: GroupDescription | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    train: int
    split: SplitDescription | None = None


def describe(
    spec: PoolSpec, split: SweepSplitSpec | None = None, seeds: Sequence[int] = USUAL_SEEDS
) -> PoolDescription:
    """Read a pool, count its objects, classes, copies and groups, and split it as a sweep would, by default as usual.

    Raises:
        PoolError: The file, a column, an id, a label or the column of the split cannot be read.
    """
    split, spec = split or SweepSplitSpec(), with_own_settings(spec)
    content = read_content(spec, split.column)
    metadata = content.metadata
    problems = content.problems()
    parts: Parts | None = None
    if not problems:
        try:
            parts = _split_with_fewest_to_learn_from(pool_of(content, spec), split, seeds)
        except PoolError as error:
            problems.append(str(error))
    counts = np.bincount(metadata.labels, minlength=len(metadata.classes)).tolist()
    return PoolDescription(
        name=pool_name(spec.source),
        path=str(content.path),
        objects=len(metadata.labels),
        classes=dict(zip(metadata.classes, counts, strict=True)),
        modalities=tuple(
            ModalityDescription(
                name=column.modality.name,
                column=column.name,
                shape=column.modality.shape,
                dtype=str(column.modality.features.dtype),
                absent=int((~column.modality.present).sum()),
                unusable=len(column.unusable),
                constant=tuple(column.constant.tolist()),
            )
            for column in content.columns
        ),
        duplicates=find_duplicates(content.modalities, metadata.labels),
        groups=_groups(content, spec.group_by),
        notes=content.notes,
        warnings=content.warnings,
        problems=tuple(problems),
        train=0 if parts is None else int((parts == TRAIN).sum()),
        split=_split(content.parts, parts, split.column),
    )


def _split_with_fewest_to_learn_from(
    pool: Pool, split: SweepSplitSpec, seeds: Sequence[int]
) -> Parts:
    """Return the part of each object in the split, of those that a sweep draws, whose train part is smallest."""
    if split.per == "study":
        return split_pool(pool, split, study_seed=0)
    parts = split_by_seed(pool, split, 0, seeds)
    return min(parts, key=lambda part: int((part == TRAIN).sum()))


def _split(given: Parts | None, used: Parts | None, column: str | None) -> SplitDescription | None:
    if given is None or column is None:
        return None
    train, validation, test = (int((given == part).sum()) for part in (TRAIN, VALIDATION, TEST))
    taken = 0 if used is None else int(((used == VALIDATION) & (given == TRAIN)).sum())
    return SplitDescription(column, train, validation, test, taken)


def _groups(content: PoolContent, column: str | None) -> GroupDescription | None:
    codes = content.metadata.groups
    if codes is None or column is None:
        return None
    sizes = np.unique(codes, return_counts=True)[1]
    return GroupDescription(
        column, len(sizes), int(sizes.max(initial=0)), int(sizes[sizes > 1].sum())
    )
