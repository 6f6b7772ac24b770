"""Import arrays by name: one of labels, one of ids, and one per modality."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from alray.errors import PoolError
from alray.pools.imports.parts import (
    join_parts,
    joining_notes,
    parts_without_labels,
    split_column,
    stem_and_part,
)
from alray.pools.imports.rows import Rows, rows_of
from alray.pools.imports.scalars import as_ids, as_labels
from alray.pools.imports.source import (
    ID_NAMES,
    LABEL_NAMES,
    Further,
    ImportOptions,
    ImportSource,
    find_name,
    name_modalities,
    renaming_notes,
    row_numbers,
)


def from_parts(
    path: Path,
    arrays: dict[str, Rows],
    options: ImportOptions,
    further: Mapping[str, Further] | None = None,
) -> ImportSource:
    """Return the objects of arrays, those of `_train`, `_val` and `_test` joined, with further columns.

    Raises:
        PoolError: As `from_arrays`, or parts have rows of different shapes.
    """
    arrays = {**arrays, **_labels_of_every_part(arrays)}
    merged, counts = join_parts(arrays)
    split = split_column(options.split_column, counts)
    source = from_arrays(path, merged, options, {**(further or {}), **split})
    return replace(source, notes=(*source.notes, *joining_notes(options.split_column, counts)))


def _labels_of_every_part(arrays: Mapping[str, Rows]) -> dict[str, Rows]:
    """Return labels as text where a part lacks them, as `X_test` often does: its objects have no label."""
    parts: dict[str, Rows] = {}
    for stem, missing in parts_without_labels(arrays, LABEL_NAMES).items():
        for name, rows in arrays.items():
            if stem_and_part(name)[0] == stem:
                labels = as_labels(rows.origin, rows.whole())
                parts[name] = rows_of(rows.origin, np.ma.filled(labels.astype(np.str_), ""))
        for part, origin in missing.items():
            count = arrays[origin].count
            parts[f"{stem}_{part}"] = rows_of(arrays[origin].origin, np.full(count, "", np.str_))
    return parts


def from_arrays(
    path: Path,
    arrays: Mapping[str, Rows],
    options: ImportOptions,
    further: Mapping[str, Further],
) -> ImportSource:
    """Return the objects of arrays; their order among each other means nothing.

    Raises:
        PoolError: Labels or modalities are missing, or arrays differ in length.
    """
    label = find_name(path, "array", list(arrays), options.label, LABEL_NAMES)
    if label is None:
        raise PoolError(
            f"{path}: no array of labels (named {', '.join(LABEL_NAMES)}); arrays are {', '.join(arrays)}; "
            "name yours with --label"
        )
    id_name = find_name(path, "array", list(arrays), options.id, ID_NAMES)
    for wanted in options.modalities.values():
        find_name(path, "array", list(arrays), wanted, ())
        if wanted in {label, id_name}:
            raise PoolError(
                f"{path}: array {wanted!r} holds the labels or ids; name another one with --modality NAME=ARRAY"
            )
    others = {name: name for name in arrays if name not in {label, id_name}}
    given = bool(options.modalities)
    names = name_modalities(path, options.modalities if given else others, given=given)
    chosen = {name: arrays[key] for name, key in names.items()}
    if not chosen:
        raise PoolError(f"{path}: no array besides {label!r}, so there is no modality; add one")
    ids = None if id_name is None else arrays[id_name]
    _check_lengths(arrays[label], [*chosen.values(), *([] if ids is None else [ids])])
    labels = as_labels(arrays[label].origin, arrays[label].whole())
    texts = row_numbers(len(labels)) if ids is None else as_ids(ids.origin, ids.whole())
    notes = () if given else renaming_notes(names)
    return ImportSource(str(path), texts, labels, chosen, further, notes)


def _check_lengths(labels: Rows, others: list[Rows]) -> None:
    for rows in others:
        if rows.count != labels.count:
            raise PoolError(
                f"{rows.origin}: {rows.count:,} rows, and {labels.origin} has {labels.count:,}; "
                "both need a row per object (to leave an array out, name the others with --modality)"
            )
