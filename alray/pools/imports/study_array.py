"""Import one array that holds labels and features: the original study's layout."""

from pathlib import Path

from alray.errors import PoolError
from alray.pools.imports.npy import map_npy
from alray.pools.imports.rows import rows_of
from alray.pools.imports.scalars import as_labels
from alray.pools.imports.source import ImportOptions, ImportSource, name_modalities, row_numbers

STUDY_COLUMNS = {"text": (1, 301), "image": (301, 1325)}
"""The original study's layout: column 0 is the topic, then come 300 text and 1,024 image features."""


def from_study_array(path: Path, options: ImportOptions) -> ImportSource:
    """Return the label's column and those of the modalities.

    Raises:
        PoolError: The array has no two dimensions, or columns do not lie within it.
    """
    array = map_npy(path)
    if array.ndim != 2:
        raise PoolError(
            f"{path}: an array of shape {array.shape}; save it with two dimensions and a row per object"
        )
    columns = dict(options.columns) or STUDY_COLUMNS
    width = array.shape[1]
    if not options.columns and width != 1325:
        raise PoolError(
            f"{path}: {width:,} columns, and the original layout has 1,325 (topic, 300 text, 1,024 image); "
            "name yours with --columns NAME=FIRST:END, such as --columns text=1:301; labels in a file of their own: "
            "put both into a folder, as labels.npy or labels.txt, and import the folder"
        )
    for name, (first, end) in columns.items():
        if not 0 <= first < end <= width or first <= options.label_column < end:
            raise PoolError(
                f"{path}: --columns {name}={first}:{end} must lie within the {width:,} columns "
                f"and leave out the label's, {options.label_column}"
            )
    if not 0 <= options.label_column < width:
        raise PoolError(
            f"{path}: there is no column {options.label_column} among {width:,}; name another one with --label-column"
        )
    name_modalities(
        path, {name: f"{first}:{end}" for name, (first, end) in columns.items()}, given=True
    )
    labels = as_labels(f"{path}: column {options.label_column}", array[:, options.label_column])
    rows = {
        name: rows_of(f"{path}:{name}", array[:, first:end])
        for name, (first, end) in columns.items()
    }
    return ImportSource(str(path), row_numbers(len(array)), labels, rows)
