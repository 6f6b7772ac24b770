"""Read a pool's file: its content as it is, and as a pool if it can be used."""

import hashlib
import json
import logging
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.builtin import pool_name
from alray.pools.columns.features import FeatureColumn, FeatureReader
from alray.pools.columns.given_split import read_parts
from alray.pools.columns.labels import NO_LABEL
from alray.pools.columns.metadata import Metadata, name_some, read_metadata
from alray.pools.columns.modality_columns import about_modalities, modality_columns
from alray.pools.duplicates import group_copies
from alray.pools.files.parquet import PoolFile, open_pool
from alray.pools.files.unreadable import unreadable
from alray.pools.label_leakage import LabelColumn, leakage_warnings
from alray.pools.outliers import outlier_warnings
from alray.pools.pool import Modality, Parts, Pool
from alray.settings.common import PoolSpec

SMALLEST_CLASS = 3
"""Objects that a class needs, so that each part of a split has one."""

_logger = logging.getLogger(__name__)

ENOUGH_TO_VARY = 50
"""A modality that is constant in so many objects is a mistake; in fewer it may be chance."""


@dataclass(frozen=True, eq=False)
class PoolContent:
    """The objects of a file, usable or not.

    Attributes:
        path: The file or files, as messages name them.
        notes: What was left out or taken otherwise than it is written, a line each.
        warnings: What would mislead an experiment, a line each.
        class_sizes: Labelled objects of each class before small ones were dropped, the largest first.
        parts: (objects,) the part of each, where a column gives the split.
    """

    path: str
    metadata: Metadata
    columns: tuple[FeatureColumn, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    class_sizes: tuple[int, ...] = ()
    parts: Parts | None = None

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The features of all columns."""
        return tuple(column.modality for column in self.columns)

    def problems(self) -> list[str]:
        """Return why an experiment would refuse this pool, a line each; empty if it would not."""
        classes = self.metadata.classes
        few = [] if len(classes) > 1 else [f"{self.path}: {self._too_few_classes()}"]
        # Without objects there is nothing else to be said.
        return [*few, *self.feature_problems()] if classes else few

    def feature_problems(self) -> list[str]:
        """Return why no network could learn from these features, a line each."""
        ids = self.metadata.ids
        found = [
            f"column {column.name!r} has NaN, null or infinite values in {len(column.unusable):,} objects: "
            f"{name_some(ids[column.unusable])}; "
            + (
                "numbers beyond 3.4e38 are infinite in float32: scale the column down"
                if column.overflowed
                else "make the whole list null where a modality is absent"
            )
            for column in self.columns
            if len(column.unusable)
        ]
        found += [
            f"column {column.name!r} is absent from every object; leave the modality out with --modality"
            for column in self.columns
            if not len(column.modality.features)
        ]
        found += [
            f"column {column.name!r} has the same features in all {len(column.modality.features):,} objects that "
            "have any; check how it was made, or leave the modality out with --modality"
            for column in self.columns
            if len(column.modality.features) >= ENOUGH_TO_VARY
            and len(column.constant) == column.modality.dimension
        ]
        bare = ids[~np.logical_or.reduce([modality.present for modality in self.modalities])]
        if len(bare):
            names = ", ".join(column.name for column in self.columns)
            found.append(
                f"{len(bare):,} objects have no modality (all null in {names}): {name_some(bare)}; "
                "remove these rows"
            )
        return [f"{self.path}: {line}" for line in found]

    def _too_few_classes(self) -> str:
        classes, sizes = self.metadata.classes, self.class_sizes
        left = f"the only class is {classes[0]!r}" if classes else "no class is left"
        if len(sizes) < 2:
            return f"{left}; an experiment needs at least two: add objects of another class"
        largest = f"the two largest have {sizes[0]:,} and {sizes[1]:,} objects"
        if sizes[1] < SMALLEST_CLASS:
            advice = f"add objects: a class needs {SMALLEST_CLASS}, one for each part of the split"
        else:
            advice = f"lower --min-class-size to {sizes[1]} or less"
        return f"{left}, and an experiment needs at least two: {largest}; {advice}"


def read_content(spec: PoolSpec, split_column: str | None = None) -> PoolContent:
    """Read a pool's file as it is; `split_column` gives the split, if it is named.

    Raises:
        PoolError: The file, a column, an id or a label cannot be read.
    """
    file = open_pool(spec.source)
    try:
        return _read(file, spec, split_column)
    except (pa.ArrowException, OSError) as error:
        raise PoolError(unreadable(file.path, error)) from None


def _read(file: PoolFile, spec: PoolSpec, split_column: str | None) -> PoolContent:
    columns = modality_columns(file, spec)
    metadata = read_metadata(file, spec)
    labelled = metadata.labels != NO_LABEL
    counts = np.bincount(metadata.labels[labelled], minlength=len(metadata.classes))
    kept = labelled & (counts[metadata.labels] >= spec.min_class_size)
    reader = FeatureReader(file, spec, metadata.ids, kept)
    notes = (*_about_files(file), *metadata.notes)
    if int(kept.sum()) < int(labelled.sum()):
        small = [metadata.classes[code] for code in np.flatnonzero(counts < spec.min_class_size)]
        notes += (
            f"{file.path}: dropped {len(small)} classes with fewer than {spec.min_class_size} objects "
            f"({int((labelled & ~kept).sum()):,} of {int(labelled.sum()):,} objects): {name_some(small)}",
        )
    parts = None if split_column is None else read_parts(file, split_column, metadata.ids, kept)
    if not kept.all():
        metadata = metadata.keep(kept)
    notes += tuple(f"{file.path}: {line}" for line in about_modalities(file, spec, columns))
    found = {name: reader.find(column) for name, column in columns.items()}
    reader.require_room(found.values())
    features = tuple(reader.read(name, each) for name, each in found.items())
    label = LabelColumn(
        spec.label, metadata.labels, frozenset({len(counts), len(metadata.classes)})
    )
    warnings = leakage_warnings(features, label, chosen=bool(spec.modalities))
    warnings += outlier_warnings(features, metadata.ids)
    named = tuple(f"{file.path}: {line}" for line in warnings)
    sizes = tuple(sorted(counts.tolist(), reverse=True))
    return PoolContent(file.path, metadata, features, notes, named, sizes, parts)


def _about_files(file: PoolFile) -> tuple[str, ...]:
    if len(file.shards) < 2:
        return ()
    return (f"{file.path}: {len(file.shards):,} files are one pool, in the order of their names",)


def read_pool(spec: PoolSpec, split_column: str | None = None) -> Pool:
    """Read a built-in pool or a Parquet file; `split_column` gives the split, if it is named.

    Features keep the file's type (float64 becomes float32), and memory holds those of present objects only. Classes
    that `min_class_size` drops are logged.

    Raises:
        PoolError: The content cannot be used; the message names file, column and ids of all reasons.
    """
    return pool_of(read_usable(spec, split_column), spec)


def read_usable(spec: PoolSpec, split_column: str | None = None) -> PoolContent:
    """Read the content of a pool that can be used, see `read_pool`."""
    content = read_content(spec, split_column)
    for note in content.notes:
        _logger.info(note)
    for warning in content.warnings:
        _logger.warning(warning)
    problems = content.problems()
    if problems:
        raise PoolError("\n".join(problems))
    return content


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
        fingerprint=_fingerprint(metadata, modalities, content.parts),
        parts=content.parts,
    )


def _fingerprint(metadata: Metadata, modalities: tuple[Modality, ...], parts: Parts | None) -> str:
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
    if parts is not None:
        digest.update(b"parts")
        digest.update(parts.data)
    for modality in modalities:
        digest.update(modality.rows.data)
        digest.update(np.ascontiguousarray(modality.features).view(np.uint8).data)
    return digest.hexdigest()
