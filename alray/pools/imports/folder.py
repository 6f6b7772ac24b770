"""Import a folder of arrays: one `.npy` per modality, and labels in a file of arrays, text, CSV or Parquet."""

from dataclasses import replace
from pathlib import Path

from alray.errors import PoolError
from alray.pools.imports.label_files import LINES, LabelTable, read_label_table, read_lines
from alray.pools.imports.named_arrays import from_parts
from alray.pools.imports.npy import map_npy
from alray.pools.imports.rows import Rows, rows_of
from alray.pools.imports.scalars import as_ids
from alray.pools.imports.source import (
    ID_NAMES,
    LABEL_NAMES,
    Further,
    ImportOptions,
    ImportSource,
    find_name,
    in_chunks,
)


def from_folder(path: Path, options: ImportOptions) -> ImportSource:
    """Return the objects of a folder.

    Raises:
        PoolError: Arrays, labels and ids do not fit together.
    """
    arrays = {file.stem: rows_of(str(file), map_npy(file)) for file in sorted(path.glob("*.npy"))}
    files = {
        file.stem: file
        for kind in ("parquet", "txt", "csv")
        for file in sorted(path.glob(f"*.{kind}"))
    }
    for name in sorted(files.keys() & {options.id, *ID_NAMES}):
        if files[name].suffix != ".parquet":
            ids = read_lines(files[name], headings=ID_NAMES)
            arrays.setdefault(name, rows_of(str(files[name]), ids))
    file = _label_file(files, arrays, options)
    if file is None:
        return from_parts(path, arrays, options)
    wanted = next((rows.count for rows in arrays.values()), 0)
    table = read_label_table(file, options, wanted)
    further = _add_labels(arrays, file.stem, table, options)
    label, id_name = options.label, options.id
    options = replace(
        options,
        label=label if label in arrays else file.stem,
        id=id_name if id_name in arrays else None,
    )
    return from_parts(path, arrays, options, further)


def _label_file(
    files: dict[str, Path], arrays: dict[str, Rows], options: ImportOptions
) -> Path | None:
    """Return the file of text that holds the labels, if no array does."""
    if options.label in files and options.label not in arrays:
        return files[options.label]
    if options.label in arrays or any(name in arrays for name in LABEL_NAMES):
        return None
    return next((files[name] for name in LABEL_NAMES if name in files), None)


def _add_labels(
    arrays: dict[str, Rows], stem: str, table: LabelTable, options: ImportOptions
) -> dict[str, Further]:
    """Add labels and ids to the arrays, and return the further columns."""
    named = options.id if options.id in arrays else None
    id_name = find_name("", "array", list(arrays), named, ID_NAMES)
    if id_name is not None:
        table = table.in_order_of(
            as_ids(arrays[id_name].origin, arrays[id_name].whole()), arrays[id_name].origin
        )
    elif table.ids is not None:
        _check_count(table, next(iter(arrays.values())))
        arrays["id"] = rows_of(f"{table.origin}: ids", table.ids)
    arrays[stem] = rows_of(table.origin, table.labels)
    return {name: in_chunks(values) for name, values in table.further.items()}


def _check_count(table: LabelTable, rows: Rows) -> None:
    if len(table.labels) != rows.count:
        raise PoolError(
            f"{table.file}: {LINES}, for each of the {rows.count:,} rows of {rows.origin}; it has {len(table.labels):,}"
        )
