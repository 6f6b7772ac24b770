"""What a pool looks like, as plain data: also of pools that an experiment would refuse."""

from dataclasses import dataclass

import numpy as np

from alray.pools.builtin import pool_name
from alray.pools.duplicates import Duplicates, find_duplicates
from alray.pools.features import Block
from alray.pools.reading import PoolContent, read_content
from alray.settings.common import PoolSpec


@dataclass(frozen=True)
class ModalityDescription:
    """One modality.

    Attributes:
        name: As the settings call it.
        column: As the file calls it.
        shape: Of one object's features.
        dtype: How they lie in memory.
        absent: Objects without it.
        unusable: Objects with NaN, null or infinite values in it.
    """

    name: str
    column: str
    shape: tuple[int, ...]
    dtype: str
    absent: int
    unusable: int


@dataclass(frozen=True)
class GroupDescription:
    """The `group_by` column: how many groups, how large, and how many objects share theirs."""

    column: str
    groups: int
    largest: int
    objects_sharing: int


@dataclass(frozen=True)
class PoolDescription:
    """A pool's facts.

    Attributes:
        name: The pool's.
        path: Its file.
        objects: Their number.
        classes: Class name: objects, in class order.
        modalities: In order.
        duplicates: Objects with the same features.
        groups: If the settings name a `group_by` column.
        notes: Lines about dropped classes.
        problems: Why an experiment would refuse the pool, a line each.
    """

    name: str
    path: str
    objects: int
    classes: dict[str, int]
    modalities: tuple[ModalityDescription, ...]
    duplicates: Duplicates
    groups: GroupDescription | None
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def describe(spec: PoolSpec) -> PoolDescription:
    """Read a pool and count what is in it.

    Raises:
        PoolError: If the file, a column, an id or a label cannot be read at all.
    """
    content = read_content(spec)
    who = content.identities
    counts = np.bincount(who.labels, minlength=len(who.classes)).tolist()
    return PoolDescription(
        name=pool_name(spec.source),
        path=str(content.path),
        objects=len(who.labels),
        classes=dict(zip(who.classes, counts, strict=True)),
        modalities=tuple(_modality(block) for block in content.blocks),
        duplicates=find_duplicates(content.blocks, who.labels),
        groups=_groups(content, spec.group_by),
        notes=content.notes,
        problems=tuple(content.problems()),
    )


def _modality(block: Block) -> ModalityDescription:
    return ModalityDescription(
        name=block.name,
        column=block.column,
        shape=block.shape,
        dtype=str(block.features.dtype),
        absent=int((block.rows < 0).sum()),
        unusable=len(block.unusable),
    )


def _groups(content: PoolContent, column: str | None) -> GroupDescription | None:
    codes = content.identities.groups
    if codes is None or column is None:
        return None
    sizes = np.unique(codes, return_counts=True)[1]
    return GroupDescription(
        column, len(sizes), int(sizes.max(initial=0)), int(sizes[sizes > 1].sum())
    )
