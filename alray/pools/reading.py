"""Read a pool's file: its content as it is, and as a pool if it can be used."""

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
from alray.pools.features import FeatureColumn, FeatureReader
from alray.pools.metadata import Metadata, name_some, read_metadata
from alray.pools.modality_columns import modality_columns
from alray.pools.parquet import PoolFile, open_pool
from alray.pools.pool import Modality, Pool
from alray.settings.common import PoolSpec

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PoolContent:
    """The objects of a file, usable or not.

    Attributes:
        notes: What was left out as asked, a line each.
    """

    path: Path
    metadata: Metadata
    columns: tuple[FeatureColumn, ...]
    notes: tuple[str, ...] = ()

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The features of all columns."""
        return tuple(column.modality for column in self.columns)

    def problems(self) -> list[str]:
        """Return why an experiment would refuse this pool, a line each; empty if it would not."""
        ids, classes = self.metadata.ids, self.metadata.classes
        found = []
        if len(classes) < 2:
            left = f"the only class is {classes[0]!r}" if classes else "no class is left"
            found.append(
                f"{left}; an experiment needs at least two: lower --min-class-size, or add classes"
            )
        found += [
            f"column {column.name!r} has NaN, null or infinite values in {len(column.unusable):,} objects: "
            f"{name_some(ids[column.unusable])}; make the whole list null where a modality is absent"
            for column in self.columns
            if len(column.unusable)
        ]
        found += [
            f"column {column.name!r} is absent from every object; leave the modality out with --modality"
            for column in self.columns
            if not len(column.modality.features)
        ]
        bare = ids[~np.logical_or.reduce([modality.present for modality in self.modalities])]
        if len(bare):
            names = ", ".join(column.name for column in self.columns)
            found.append(
                f"{len(bare):,} objects have no modality (all null in {names}): {name_some(bare)}; "
                "remove these rows"
            )
        return [f"{self.path}: {line}" for line in found]


def read_content(spec: PoolSpec) -> PoolContent:
    """Read a pool's file as it is.

    Raises:
        PoolError: The file, a column, an id or a label cannot be read.
    """
    file = open_pool(spec.source)
    try:
        return _read(file, spec)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(
            f"{file.path}: damaged, cannot be read to its end ({reason}); make or copy it again"
        ) from None


def _read(file: PoolFile, spec: PoolSpec) -> PoolContent:
    columns = modality_columns(file, spec)
    metadata = read_metadata(file, spec)
    counts = np.bincount(metadata.labels, minlength=len(metadata.classes))
    kept = counts[metadata.labels] >= spec.min_class_size
    reader = FeatureReader(file, metadata.ids, kept)
    notes: tuple[str, ...] = ()
    if not kept.all():
        small = [metadata.classes[code] for code in np.flatnonzero(counts < spec.min_class_size)]
        notes = (
            f"{file.path}: dropped {len(small)} classes with fewer than {spec.min_class_size} objects "
            f"({int((~kept).sum()):,} of {len(kept):,} objects): {name_some(small)}",
        )
        metadata = metadata.keep(kept)
    features = tuple(reader.read(name, column) for name, column in columns.items())
    return PoolContent(file.path, metadata, features, notes)


def read_pool(spec: PoolSpec) -> Pool:
    """Read a built-in pool or a Parquet file.

    Features keep the file's type (float64 becomes float32), and memory holds those of present objects only. Classes
    that `min_class_size` drops are logged.

    Raises:
        PoolError: The content cannot be used; the message names file, column and ids of all reasons.
    """
    content = read_content(spec)
    for note in content.notes:
        _logger.info(note)
    problems = content.problems()
    if problems:
        raise PoolError("\n".join(problems))
    return pool_of(content, spec)


def pool_of(content: PoolContent, spec: PoolSpec) -> Pool:
    """Return the content of a file, which has no problems, as a pool."""
    metadata, modalities = content.metadata, content.modalities
    if spec.copies == "together":
        metadata = replace(metadata, groups=group_copies(modalities, metadata.groups))
    return Pool(
        name=pool_name(spec.source),
        ids=metadata.ids,
        labels=metadata.labels,
        classes=metadata.classes,
        modalities=modalities,
        groups=metadata.groups,
        fingerprint=_fingerprint(metadata, modalities),
    )


def _fingerprint(metadata: Metadata, modalities: tuple[Modality, ...]) -> str:
    """Return the SHA-256 of all data; names of file and columns are not part of it."""
    digest = hashlib.sha256()
    kinds = [
        (modality.name, modality.shape, str(modality.features.dtype)) for modality in modalities
    ]
    # In JSON "a", "b" differs from "a, b"; in a plain concatenation it would not.
    digest.update(json.dumps([metadata.ids.tolist(), metadata.classes, kinds]).encode())
    digest.update(metadata.labels.data)
    if metadata.groups is not None:
        digest.update(b"groups")
        digest.update(metadata.groups.data)
    for modality in modalities:
        digest.update(modality.rows.data)
        digest.update(np.ascontiguousarray(modality.features).view(np.uint8).data)
    return digest.hexdigest()
