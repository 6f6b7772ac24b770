"""What a pool's file holds, before anybody has decided whether it can be used."""

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.builtin import pool_name
from alray.pools.duplicates import group_copies
from alray.pools.features import Block, BlockReader
from alray.pools.metadata import Identities, name_some, read_identities
from alray.pools.parquet import PoolFile, modality_columns, open_pool
from alray.pools.pool import Modality, Pool
from alray.settings.common import PoolSpec

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PoolContent:
    """The objects of a file, usable or not.

    Attributes:
        path: The file.
        identities: Ids, labels and groups.
        blocks: A modality each.
        notes: What was left out as asked, a line each.
    """

    path: Path
    identities: Identities
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        """Return why this is no pool to experiment on, a line each; empty if it is one."""
        found = [*self._without_classes(), *self._unusable_values(), *self._without_modality()]
        return [f"{self.path}: {line}" for line in found]

    def _without_classes(self) -> list[str]:
        classes = self.identities.classes
        if len(classes) >= 2:
            return []
        held = f"the only class is {classes[0]!r}" if classes else "no class is left"
        return [f"{held}; an experiment needs at least two (min_class_size too high?)"]

    def _unusable_values(self) -> list[str]:
        ids = self.identities.ids
        return [
            f"column {block.column!r} has NaN, null or infinite values in {len(block.unusable):,} objects: "
            f"{name_some(ids[block.unusable])}; make the whole list null where a modality is absent"
            for block in self.blocks
            if len(block.unusable)
        ]

    def _without_modality(self) -> list[str]:
        empty = [
            f"column {block.column!r} is absent from every object; leave the modality out with --modality"
            for block in self.blocks
            if not len(block.features)
        ]
        bare = np.logical_and.reduce([block.rows < 0 for block in self.blocks])
        if bare.any():
            ids = self.identities.ids[bare]
            columns = ", ".join(block.column for block in self.blocks)
            empty.append(
                f"{len(ids):,} objects have no modality (all null in {columns}): {name_some(ids)}; "
                "remove these rows"
            )
        return empty


def read_content(spec: PoolSpec) -> PoolContent:
    """Read a pool's file as it is.

    Args:
        spec: Where it is and which columns hold what.

    Raises:
        PoolError: If the file, a column, an id or a label cannot be read at all.
    """
    file = open_pool(spec.source)
    try:
        return _read(file, spec)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(f"{file.path}: damaged, cannot be read to its end ({reason})") from None


def _read(file: PoolFile, spec: PoolSpec) -> PoolContent:
    columns = modality_columns(file, spec)
    everybody = read_identities(file, spec)
    counts = np.bincount(everybody.labels, minlength=len(everybody.classes))
    kept = counts[everybody.labels] >= spec.min_class_size
    reader = BlockReader(file, everybody.ids, kept)
    notes: tuple[str, ...] = ()
    if not kept.all():
        small = [everybody.classes[code] for code in np.flatnonzero(counts < spec.min_class_size)]
        notes = (
            f"{file.path}: dropped {len(small)} classes with fewer than {spec.min_class_size} objects "
            f"({int((~kept).sum()):,} of {len(kept):,} objects): {name_some(small)}",
        )
        everybody = everybody.keep(kept)
    blocks = tuple(reader.read(name, column) for name, column in columns.items())
    return PoolContent(file.path, everybody, blocks, notes)


def read_pool(spec: PoolSpec) -> Pool:
    """Read a built-in pool or a Parquet file.

    Features keep the file's type (float64 becomes float32) and lie compactly: present objects only. Classes that
    `min_class_size` drops are logged.

    Args:
        spec: Where it is and which columns hold what.

    Raises:
        PoolError: Naming file, column and ids of everything that keeps the content from being used.
    """
    content = read_content(spec)
    for note in content.notes:
        _logger.info(note)
    problems = content.problems()
    if problems:
        raise PoolError("\n".join(problems))
    who = content.identities
    if spec.copies == "together":
        who = replace(who, groups=group_copies(content.blocks, who.groups))
    modalities = tuple(
        Modality(block.name, block.features, block.rows, block.shape) for block in content.blocks
    )
    return Pool(
        name=pool_name(spec.source),
        ids=who.ids,
        labels=who.labels,
        classes=who.classes,
        modalities=modalities,
        groups=who.groups,
        fingerprint=_fingerprint(who, content.blocks),
    )


def _fingerprint(who: Identities, blocks: tuple[Block, ...]) -> str:
    """Return the SHA-256 of all that makes the data; names of file and columns do not count."""
    digest = hashlib.sha256()
    parts = [(block.name, block.shape, str(block.features.dtype)) for block in blocks]
    # JSON keeps "a", "b" apart from "a, b"; plain concatenation would not.
    digest.update(json.dumps([who.ids.tolist(), who.classes, parts]).encode())
    digest.update(who.labels.data)
    if who.groups is not None:
        digest.update(b"groups")
        digest.update(who.groups.data)
    for block in blocks:
        digest.update(block.rows.data)
        digest.update(np.ascontiguousarray(block.features).view(np.uint8).data)
    return digest.hexdigest()
