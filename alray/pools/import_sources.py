"""The sources of an import: labels, ids and rows of features, from each of the supported layouts."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from alray.errors import PoolError
from alray.pools.arrays import Array, Rows, concatenate_rows, map_npy, open_idx, open_npz, rows_of
from alray.pools.metadata import name_some
from alray.pools.pool import Indices, Texts
from alray.settings.base import unknown_name

STUDY_COLUMNS = {"text": (1, 301), "image": (301, 1325)}
"""The original study's layout: column 0 is the topic, then come 300 text and 1,024 image features."""

_LABEL_NAMES = ("label", "labels", "y", "target", "targets")
_ID_NAMES = ("id", "ids")
_IDX_IMAGES = re.compile(r"(?:(?P<part>.*?)[-_.])?images[-_.]idx3[-_.]ubyte(?:\.gz)?")


@dataclass(frozen=True)
class ImportOptions:
    """The user's options for a source, with the names of its arrays of labels and ids.

    Attributes:
        modalities: Modality name: array name; all other arrays with a row per object if empty.
        columns: Modality name: (first, last + 1) column, for one array that holds labels and features.
        label_column: The label's column in such an array.
    """

    label: str | None = None
    id: str | None = None
    modalities: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    label_column: int = 0


@dataclass(frozen=True, eq=False)
class ImportSource:
    """Objects to import.

    Attributes:
        origin: The file or folder, for messages.
        ids: (objects,) text.
        labels: (objects,) text or integers.
        rows: Modality name: its features.
    """

    origin: str
    ids: Texts
    labels: Texts | Indices
    rows: Mapping[str, Rows]


def open_source(path: Path, options: ImportOptions) -> ImportSource:
    """Open a file or folder of a supported layout.

    Raises:
        PoolError: There is no such file or folder, or its layout is not supported.
    """
    if not path.exists():
        raise PoolError(f"{path}: no such file or folder; check the path")
    if path.is_dir():
        images = [file for file in path.iterdir() if _IDX_IMAGES.fullmatch(file.name)]
        return _from_idx(images, path) if images else _from_folder(path, options)
    if path.suffix == ".npy":
        return _from_study_array(path, options)
    if path.suffix == ".npz":
        return _from_arrays(path, _join_train_and_test(open_npz(path)), options)
    if _IDX_IMAGES.fullmatch(path.name):
        return _from_idx([path], path)
    raise PoolError(
        f"{path}: not a supported file; convert it: an import reads .npy (topic, text and image columns), .npz, "
        "a folder of .npy files with labels, or MNIST's idx files (...images-idx3-ubyte[.gz])"
    )


def _from_study_array(path: Path, options: ImportOptions) -> ImportSource:
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
            "name yours with --columns NAME=FIRST:END, such as --columns text=1:301"
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
    labels = as_labels(f"{path}: column {options.label_column}", array[:, options.label_column])
    rows = {
        name: rows_of(f"{path}:{name}", array[:, first:end])
        for name, (first, end) in columns.items()
    }
    return ImportSource(str(path), _row_numbers(len(array)), labels, rows)


def _from_folder(path: Path, options: ImportOptions) -> ImportSource:
    arrays = {file.stem: rows_of(str(file), map_npy(file)) for file in sorted(path.glob("*.npy"))}
    texts = {file.stem: file for kind in ("txt", "csv") for file in sorted(path.glob(f"*.{kind}"))}
    wanted = {options.label, options.id, *_LABEL_NAMES, *_ID_NAMES}
    for name in sorted(texts.keys() & wanted):
        arrays.setdefault(name, rows_of(str(texts[name]), _read_lines(texts[name])))
    if not arrays:
        raise PoolError(
            f"{path}: no .npy and no idx files in this folder; put one .npy per modality and labels.npy there"
        )
    return _from_arrays(path, arrays, options)


def _from_arrays(path: Path, arrays: dict[str, Rows], options: ImportOptions) -> ImportSource:
    label = _array_name(path, arrays, options.label, _LABEL_NAMES)
    if label is None:
        raise PoolError(
            f"{path}: no array of labels (named {', '.join(_LABEL_NAMES)}); arrays are {', '.join(arrays)}; "
            "name yours with --label"
        )
    id_name = _array_name(path, arrays, options.id, _ID_NAMES)
    labels = as_labels(arrays[label].origin, arrays[label].whole())
    for wanted in options.modalities.values():
        _array_name(path, arrays, wanted, ())
    others = {name: name for name in arrays if name not in {label, id_name}}
    chosen = {name: arrays[key] for name, key in (dict(options.modalities) or others).items()}
    if not chosen:
        raise PoolError(f"{path}: no array besides {label!r}, so there is no modality; add one")
    lengths = {rows.origin: rows.count for rows in chosen.values()}
    if id_name is not None:
        lengths[arrays[id_name].origin] = arrays[id_name].count
    for origin, count in lengths.items():
        if count != len(labels):
            raise PoolError(
                f"{origin}: {count:,} rows, and {arrays[label].origin} has {len(labels):,}; "
                "both need a row per object (to leave an array out, name the others with --modality)"
            )
    ids = _row_numbers(len(labels)) if id_name is None else arrays[id_name].whole().astype(np.str_)
    return ImportSource(str(path), ids, labels, chosen)


def _array_name(
    path: Path, arrays: Mapping[str, Rows], named: str | None, usual: tuple[str, ...]
) -> str | None:
    """Return the name that the user has given, or else the first usual name that exists."""
    if named is not None and named not in arrays:
        raise PoolError(f"{path}: {unknown_name('array', named, list(arrays))}")
    return named or next((name for name in usual if name in arrays), None)


def _join_train_and_test(arrays: dict[str, Rows]) -> dict[str, Rows]:
    """Join arrays named `..._train` and `..._test`; `x`, as in files of digits, becomes `image`."""
    merged = {}
    for name, rows in arrays.items():
        stem, _, part = name.rpartition("_")
        if part == "train" and f"{stem}_test" in arrays:
            merged["image" if stem == "x" else stem] = concatenate_rows(
                [rows, arrays[f"{stem}_test"]]
            )
        elif not (part == "test" and f"{stem}_train" in arrays):
            merged[name] = rows
    return merged


def _from_idx(images: list[Path], origin: Path) -> ImportSource:
    # Ids begin with the part, so "t10k/7" and "train/7" differ. The train part comes first, as in all layouts.
    images = sorted(images, key=lambda file: (not file.name.startswith("train"), file.name))
    parts, labels, ids = [], [], []
    for file in images:
        rows = open_idx(file)
        names = file.with_name(file.name.replace("images", "labels").replace("idx3", "idx1"))
        if not names.exists():
            raise PoolError(f"{file}: its labels are missing; put {names.name} beside it")
        found = open_idx(names)
        if found.count != rows.count or found.shape:
            raise PoolError(
                f"{names}: {found.count:,} labels, and {file.name} has {rows.count:,} images; download both again"
            )
        match = _IDX_IMAGES.fullmatch(file.name)
        part = match["part"] if match and match["part"] else "image"
        parts.append(rows)
        labels.append(found.whole().astype(np.int64))
        ids.append(np.char.mod(f"{part}/%d", np.arange(rows.count)))
    return ImportSource(
        str(origin),
        np.concatenate(ids),
        np.concatenate(labels),
        {"image": concatenate_rows(parts)},
    )


def _row_numbers(count: int) -> Texts:
    return np.arange(count).astype(np.str_)


def _read_lines(path: Path) -> Texts:
    """Return the only value of each line; a heading such as `label` is skipped."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            lines = (
                list(csv.reader(stream))
                if path.suffix == ".csv"
                else [[line.rstrip("\r\n")] for line in stream]
            )
    except UnicodeDecodeError as error:
        raise PoolError(f"{path}: not UTF-8 text ({error}); save it as UTF-8") from None
    if any(len(cells) != 1 for cells in lines):
        raise PoolError(
            f"{path}: write one value per line, without empty lines and further columns"
        )
    values = [cells[0] for cells in lines]
    if path.suffix == ".csv" and values and values[0].lower() in {*_LABEL_NAMES, *_ID_NAMES}:
        values = values[1:]
    return np.asarray(values, np.str_)


def as_labels(origin: str, values: Array) -> Texts | Indices:
    """Return (objects,) or (objects, 1) numbers or text as labels: (objects,) text or integers.

    Raises:
        PoolError: They have a second dimension, or are numbers that are not whole.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise PoolError(
            f"{origin}: labels of shape {values.shape}; save one per object (for one-hot rows: argmax(axis=1))"
        )
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind in "iub":
        return values.astype(np.int64)
    if values.dtype.kind == "U":
        return _integers_if_all_are(values)
    with np.errstate(invalid="ignore"):
        broken = ~(np.isfinite(values) & (values == np.rint(values)))
    if broken.any():
        raise PoolError(
            f"{origin}: {int(broken.sum()):,} labels are no whole numbers: {name_some(values[broken])} "
            f"(rows {name_some(np.flatnonzero(broken))}, counted from 0); save classes as whole numbers or text"
        )
    return values.astype(np.int64)


def _integers_if_all_are(texts: Texts) -> Texts | Indices:
    """Return integers where all texts are integers, so that class 10 comes after class 9."""
    try:
        numbers = texts.astype(np.int64)
    except (ValueError, OverflowError):
        return texts
    return numbers if (numbers.astype(np.str_) == texts).all() else texts
