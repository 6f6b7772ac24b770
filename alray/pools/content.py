"""What a pool's file holds, before anybody has decided whether it can be used."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.blocks import Block, BlockReader
from alray.pools.identities import Identities, name_some, read_identities
from alray.pools.opening import PoolFile, modality_columns, open_pool
from alray.spec import PoolSpec

Warn = Callable[[str], None]
"""Takes a line that a person should read."""


def ignore(_: str) -> None:
    """Drop the line: the default `warn`."""


@dataclass(frozen=True, eq=False)
class PoolContent:
    """The objects of a file, usable or not."""

    path: Path
    identities: Identities
    blocks: tuple[Block, ...]

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


def read_content(spec: PoolSpec, warn: Warn = ignore) -> PoolContent:
    """Read a pool's file as it is.

    Args:
        spec: Where it is and which columns hold what.
        warn: Told about classes that `min_class_size` drops.

    Raises:
        PoolError: If the file, a column, an id or a label cannot be read at all.
    """
    file = open_pool(spec.source)
    try:
        return _read(file, spec, warn)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(f"{file.path}: damaged, cannot be read to its end ({reason})") from None


def _read(file: PoolFile, spec: PoolSpec, warn: Warn) -> PoolContent:
    columns = modality_columns(file, spec)
    everybody = read_identities(file, spec)
    counts = np.bincount(everybody.labels, minlength=len(everybody.classes))
    kept = counts[everybody.labels] >= spec.min_class_size
    reader = BlockReader(file, everybody.ids, kept)
    if not kept.all():
        small = [everybody.classes[code] for code in np.flatnonzero(counts < spec.min_class_size)]
        warn(
            f"{file.path}: dropped {len(small)} classes with fewer than {spec.min_class_size} objects "
            f"({int((~kept).sum()):,} of {len(kept):,} objects): {name_some(small)}"
        )
        everybody = everybody.keep(kept)
    blocks = tuple(reader.read(name, column) for name, column in columns.items())
    return PoolContent(file.path, everybody, blocks)
