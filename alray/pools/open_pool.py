"""A pool that is being labelled: all objects of its files, with a label or without."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.features import FeatureReader
from alray.pools.columns.labels import NO_LABEL, Labels, read_labels
from alray.pools.columns.metadata import DEFAULT_ID, Metadata, read_ids
from alray.pools.columns.modality_columns import about_modalities, modality_columns
from alray.pools.columns.texts import read_texts
from alray.pools.files.parquet import PoolFile, open_pool
from alray.pools.files.unreadable import unreadable
from alray.pools.pool import Indices, Modality, Texts
from alray.pools.reading import PoolContent
from alray.settings.common import PoolSpec


@dataclass(frozen=True, eq=False)
class OpenLabels:
    """Ids of all objects of a pool, and the labels that some have.

    Attributes:
        path: The file or files, as messages name them.
        ids: (objects,) text, unique.
        labels: (objects,) positions in `classes`, or NO_LABEL.
        classes: Class names, sorted.
    """

    path: str
    ids: Texts
    labels: Indices
    classes: tuple[str, ...]

    def labelled(self) -> dict[str, str]:
        """Return id: label of the objects that have one."""
        there = np.flatnonzero(self.labels != NO_LABEL)
        return {str(self.ids[row]): self.classes[self.labels[row]] for row in there}


@dataclass(frozen=True, eq=False)
class OpenPool:
    """A pool that is being labelled, in memory.

    Attributes:
        known: Ids and labels.
        modalities: As they are read, not standardised.
        groups: (objects,) text of the `group_by` column, "" where an object is alone; None without the column.
        shown: Column: an Arrow array of what assessors see.
        notes: What was taken otherwise than it is written, a line each.
    """

    known: OpenLabels
    modalities: tuple[Modality, ...]
    groups: Texts | None
    shown: Mapping[str, Any]
    notes: tuple[str, ...]

    def show(self, rows: Indices) -> pd.DataFrame:
        """Return what assessors see of these (n,) objects: `id` first, then the shown columns, as texts."""
        return _shown_rows(self.known.ids, self.shown, rows)


def read_open_labels(spec: PoolSpec) -> OpenLabels:
    """Read ids and labels alone, quickly.

    Raises:
        PoolError: As in `read_open_pool`.
    """
    file = open_pool(spec.source)
    try:
        return _known(file, spec)
    except (pa.ArrowException, OSError) as error:
        raise PoolError(unreadable(file.path, error)) from None


def read_open_pool(spec: PoolSpec, show: tuple[str, ...] = ()) -> OpenPool:
    """Read a pool of which some objects, or all, have no label.

    Without a column `label` no object has one; another name has to be there.

    Raises:
        PoolError: There is no column of ids, or the content cannot be used; the message names file, column and ids.
    """
    file = open_pool(spec.source)
    try:
        return _read(file, spec, show)
    except (pa.ArrowException, OSError) as error:
        raise PoolError(unreadable(file.path, error)) from None


def read_shown(spec: PoolSpec, show: tuple[str, ...], wanted: Collection[str]) -> pd.DataFrame:
    """Read what assessors see of some objects, without the features: `id`, then the shown columns, as texts.

    Objects that the pool does not have are left out; the others come in its order.

    Raises:
        PoolError: As in `read_open_pool`.
    """
    file = open_pool(spec.source)
    try:
        ids = _ids(file, spec)
        rows = np.flatnonzero(pd.Index(ids).isin(list(wanted)))
        return _shown_rows(ids, _shown(file, spec, show), rows)
    except (pa.ArrowException, OSError) as error:
        raise PoolError(unreadable(file.path, error)) from None


def _shown_rows(ids: Texts, shown: Mapping[str, Any], rows: Indices) -> pd.DataFrame:
    taken = {name: values.take(pa.array(rows)) for name, values in shown.items()}
    texts = {name: values.to_pylist() for name, values in taken.items()}
    return pd.DataFrame({"id": ids[rows].astype(object), **texts})


def _shown(file: PoolFile, spec: PoolSpec, show: tuple[str, ...]) -> dict[str, Any]:
    """Return column: an Arrow array of what assessors see.

    Raises:
        PoolError: There is no such column, or it cannot be shown.
    """
    for name in show:
        file.field(name, "--show COLUMN")
    if "id" in show and spec.id != "id":
        raise PoolError(
            f"{file.path}: --show id: tasks have the column {spec.id!r} as id; leave it out"
        )
    return {name: read_texts(file, name) for name in show if name != spec.id}


def _read(file: PoolFile, spec: PoolSpec, show: tuple[str, ...]) -> OpenPool:
    known, shown = _known(file, spec), _shown(file, spec, show)
    if spec.group_by is not None:
        file.field(spec.group_by, "--group-by COLUMN")
    columns = modality_columns(file, spec)
    reader = FeatureReader(file, spec, known.ids, np.ones(len(known.ids), dtype=np.bool_))
    found = {name: reader.find(column) for name, column in columns.items()}
    reader.require_room(found.values())
    features = tuple(reader.read(name, each) for name, each in found.items())
    metadata = Metadata(known.ids, known.labels, known.classes, None)
    problems = PoolContent(file.path, metadata, features).feature_problems()
    if problems:
        raise PoolError("\n".join(problems))
    groups = None
    if spec.group_by is not None:
        texts = read_texts(file, spec.group_by).fill_null("")
        groups = np.asarray(texts.to_numpy(zero_copy_only=False))
    notes = tuple(f"{file.path}: {line}" for line in about_modalities(file, spec, columns))
    modalities = tuple(column.modality for column in features)
    return OpenPool(known, modalities, groups, shown, notes)


def _known(file: PoolFile, spec: PoolSpec) -> OpenLabels:
    ids = _ids(file, spec)
    name = file.name_of(spec.label)
    if spec.label == PoolSpec().label and name not in file.schema.names:
        return OpenLabels(file.path, ids, np.full(len(ids), NO_LABEL, np.int64), ())
    file.field(name, "--label COLUMN")
    labels: Labels = read_labels(file, name, ids)
    return OpenLabels(file.path, ids, labels.codes, labels.classes)


def _ids(file: PoolFile, spec: PoolSpec) -> Texts:
    column = file.name_of(spec.id)
    if spec.id == DEFAULT_ID and column not in file.schema.names:
        raise PoolError(
            f"{file.path}: there is no column {DEFAULT_ID!r}, and answers come back by the ids of objects, which row "
            "numbers are not: they change as the file does; name a column of ids with --id COLUMN"
        )
    file.field(column, "--id COLUMN")
    return read_ids(file, column)
