"""A pool that is being labelled: all objects of its files, with a label or without."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
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
from alray.pools.open_parts import OpenParts
from alray.pools.pool import Indices, Modality, Texts
from alray.pools.reading import PoolContent
from alray.pools.reading_parts import candidate_pool
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
    """A pool that is being labelled.

    Attributes:
        known: Ids and labels.
        features: As they are read, not standardised: in memory, or in their files.
        groups: (objects,) text of the `group_by` column, "" where an object is alone; None without the column.
        shown: What assessors see of some objects.
        notes: What was taken otherwise than it is written, a line each.
    """

    known: OpenLabels
    features: tuple[Modality, ...] | OpenParts
    groups: Texts | None
    shown: Callable[[Indices], pd.DataFrame]
    notes: tuple[str, ...]

    def show(self, rows: Indices) -> pd.DataFrame:
        """Return what assessors see of these (n,) objects: `id` first, then the shown columns, as texts."""
        return self.shown(rows)


def read_open_labels(spec: PoolSpec) -> OpenLabels:
    """Read ids and labels alone, quickly.

    Raises:
        PoolError: As in `read_open_pool`.
    """
    file = open_pool(spec.source)
    with _explained(file):
        return _known(file, spec)


def read_open_pool(
    spec: PoolSpec, show: tuple[str, ...] = (), *, in_parts: bool = False
) -> OpenPool:
    """Read a pool of which some objects, or all, have no label.

    Without a column `label` no object has one; another name has to be there.

    Args:
        spec: The pool's settings.
        show: Columns that assessors see.
        in_parts: Whether features, and what assessors see, stay in the files.

    Raises:
        PoolError: There is no column of ids, or the content cannot be used; the message names file, column and ids.
    """
    file = open_pool(spec.source)
    with _explained(file):
        return _in_parts(file, spec, show) if in_parts else _read(file, spec, show)


def read_shown(spec: PoolSpec, show: tuple[str, ...], wanted: Collection[str]) -> pd.DataFrame:
    """Read what assessors see of some objects, without the features: `id`, then the shown columns, as texts.

    Objects that the pool does not have are left out; the others come in its order.

    Raises:
        PoolError: As in `read_open_pool`.
    """
    file = open_pool(spec.source)
    with _explained(file):
        ids = _ids(file, spec)
        rows = np.flatnonzero(pd.Index(ids).isin(list(wanted)))
        return _shown_rows(ids, _shown(file, spec, show), rows)


@contextmanager
def _explained(file: PoolFile) -> Iterator[None]:
    """Raise what goes wrong in reading a file as a PoolError that says what can be done."""
    try:
        yield
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
    _check_shown(file, spec, show)
    return {name: read_texts(file, name) for name in show if name != spec.id}


def _check_shown(file: PoolFile, spec: PoolSpec, show: tuple[str, ...]) -> None:
    for name in show:
        file.field(name, "--show COLUMN")
    if "id" in show and spec.id != "id":
        raise PoolError(
            f"{file.path}: --show id: tasks have the column {spec.id!r} as id; leave it out"
        )


def _in_parts(file: PoolFile, spec: PoolSpec, show: tuple[str, ...]) -> OpenPool:
    """Return a pool whose features stay in its files; these say what cannot be used when they are read."""
    known, groups = _known(file, spec), _groups(file, spec)
    _check_shown(file, spec, show)
    columns = modality_columns(file, spec)
    reader = FeatureReader(file, spec, known.ids, np.ones(len(known.ids), dtype=np.bool_))
    shapes = {name: reader.find(column).shape for name, column in columns.items()}
    parts = replace(candidate_pool(spec, shapes), labelled_too=True)

    def shown(rows: Indices) -> pd.DataFrame:
        with _explained(file):
            return _shown_rows(known.ids, _shown(file, spec, show), rows)

    return OpenPool(known, OpenParts(parts), groups, shown, _notes(file, spec, columns))


def _read(file: PoolFile, spec: PoolSpec, show: tuple[str, ...]) -> OpenPool:
    known, shown = _known(file, spec), _shown(file, spec, show)
    groups = _groups(file, spec)
    columns = modality_columns(file, spec)
    reader = FeatureReader(file, spec, known.ids, np.ones(len(known.ids), dtype=np.bool_))
    found = {name: reader.find(column) for name, column in columns.items()}
    reader.require_room(found.values())
    features = tuple(reader.read(name, each) for name, each in found.items())
    metadata = Metadata(known.ids, known.labels, known.classes, None)
    problems = PoolContent(file.path, metadata, features).feature_problems()
    if problems:
        raise PoolError("\n".join(problems))
    modalities = tuple(column.modality for column in features)
    shows = partial(_shown_rows, known.ids, shown)
    return OpenPool(known, modalities, groups, shows, _notes(file, spec, columns))


def _groups(file: PoolFile, spec: PoolSpec) -> Texts | None:
    if spec.group_by is None:
        return None
    file.field(spec.group_by, "--group-by COLUMN")
    texts = read_texts(file, spec.group_by).fill_null("")
    return np.asarray(texts.to_numpy(zero_copy_only=False))


def _notes(file: PoolFile, spec: PoolSpec, columns: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{file.path}: {line}" for line in about_modalities(file, spec, columns))


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
