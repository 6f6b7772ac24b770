"""Labels and ids from arrays of any type; a value that cannot be kept exactly is refused."""

from typing import Any

import numpy as np

from alray.errors import PoolError
from alray.pools.columns.metadata import LONGEST_ID, name_some
from alray.pools.imports.rows import Array
from alray.pools.imports.source import Integers, Labels
from alray.pools.pool import Texts

_LARGEST_INT64 = np.iinfo(np.int64).max


def as_labels(origin: str, values: Array) -> Labels:
    """Return (objects,) or (objects, 1) labels as text or integers; dates become text.

    Empty text, NaN and a missing date are no label: they are masked.

    Raises:
        PoolError: They have a second dimension or another type, are numbers that are not whole or not exact, or texts
            that differ in spaces only.
    """
    values = _one_per_object(origin, "labels", values)
    kind = values.dtype.kind
    if kind == "f":
        return _whole_numbers(origin, values)
    if kind in "biu":
        large = kind == "u" and values.max(initial=0) > _LARGEST_INT64
        return np.ma.masked_array(values.astype(np.uint64 if large else np.int64))
    texts = _as_text(origin, "labels", values)
    missing = np.char.strip(texts.astype(np.str_, copy=False)) == ""
    _check_spaces(origin, texts[~missing])
    return np.ma.masked_array(_integers_if_all_are(texts, missing), missing)


def as_ids(origin: str, values: Array) -> Texts:
    """Return (objects,) or (objects, 1) ids as text.

    Raises:
        PoolError: They have a second dimension or another type, are empty, too long, or numbers that are not exact.
    """
    values = _one_per_object(origin, "ids", values)
    if values.dtype.kind == "f":
        bad = ~np.isfinite(values) | (np.abs(values) > _largest_exact(values.dtype))
        _refuse(origin, "ids", values, bad, "not exact; save them as integers or text")
    ids = (
        values.astype(np.str_) if values.dtype.kind in "biuf" else _as_text(origin, "ids", values)
    )
    lengths = np.char.str_len(ids.astype(np.str_, copy=False))
    _refuse(origin, "ids", ids, lengths == 0, "empty; give every object an id")
    if (lengths > LONGEST_ID).any():
        raise PoolError(
            f"{origin}: ids of more than {LONGEST_ID:,} characters "
            f"(rows {name_some(np.flatnonzero(lengths > LONGEST_ID))}, counted from 0); "
            "name an array or a column of short ids with --id"
        )
    return ids


def _one_per_object(origin: str, what: str, values: Array) -> Array:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.dtype.names is not None:
        fields = ", ".join(values.dtype.names)
        raise PoolError(
            f"{origin}: {what} are records with the fields {fields}; save one of them, "
            f"such as array[{values.dtype.names[0]!r}]"
        )
    if values.ndim != 1:
        hint = " (for one-hot rows: argmax(axis=1))" if what == "labels" else ""
        raise PoolError(f"{origin}: {what} of shape {values.shape}; save one per object{hint}")
    return values


def _as_text(origin: str, what: str, values: Array) -> Texts:
    """Return text of UTF-8 bytes, dates and text; a missing date becomes an empty text.

    Raises:
        PoolError: Values have another type, or are not valid text.
    """
    kind = values.dtype.kind
    if kind == "M":
        texts: Texts = np.datetime_as_string(values)
        return np.where(np.isnat(values), "", texts)
    if kind not in "SU":
        raise PoolError(
            f"{origin}: {what} are {values.dtype}; save them as whole numbers or text, "
            "such as with array.astype(str)"
        )
    bad = np.asarray([_is_broken(value) for value in values.tolist()], np.bool_)
    step = "decode them, such as with numpy.char.decode(array, 'latin-1'), and save again"
    _refuse(origin, what, values, bad, f"not UTF-8; {step}")
    return np.char.decode(values, "utf-8") if kind == "S" else values.astype(np.str_)


def _is_broken(value: Any) -> bool:
    """Return whether bytes or a text cannot be written as UTF-8."""
    try:
        value.decode("utf-8") if isinstance(value, bytes) else value.encode("utf-8")
    except UnicodeError:
        return True
    return False


def _whole_numbers(origin: str, values: Array) -> Labels:
    missing = np.isnan(values)
    values = np.where(missing, 0, values)
    with np.errstate(invalid="ignore"):
        broken = ~(np.isfinite(values) & (values == np.rint(values)))
    if broken.any():
        raise PoolError(
            f"{origin}: {int(broken.sum()):,} labels are no whole numbers: {name_some(values[broken])} "
            f"(rows {name_some(np.flatnonzero(broken))}, counted from 0); save classes as whole numbers or text"
        )
    largest = _largest_exact(values.dtype)
    reason = (
        f"too large: {values.dtype} is exact up to {largest:,} only, so that classes may be mixed up; "
        "save them as integers or text"
    )
    _refuse(origin, "labels", values, np.abs(values) > largest, reason)
    return np.ma.masked_array(values.astype(np.int64), missing)


def _largest_exact(dtype: np.dtype[Any]) -> int:
    """Return up to where a float type holds every whole number, and int64 too."""
    return int(2 ** min(np.finfo(dtype).nmant + 1, 62))


def _refuse(origin: str, what: str, values: Array, bad: Array, reason: str) -> None:
    if bad.any():
        raise PoolError(
            f"{origin}: {int(bad.sum()):,} {what} are {reason}: {name_some(values[bad])} "
            f"(rows {name_some(np.flatnonzero(bad))}, counted from 0)"
        )


def _check_spaces(origin: str, labels: Texts) -> None:
    """Refuse labels that differ in the spaces around them only: they would be two classes.

    Raises:
        PoolError: There are such labels.
    """
    classes = np.unique(labels)
    bare = np.char.strip(classes.astype(np.str_))
    names, counts = np.unique(bare, return_counts=True)
    repeated = names[counts > 1]
    if len(repeated):
        alike = ", ".join(repr(str(name)) for name in classes[bare == repeated[0]])
        raise PoolError(
            f"{origin}: the labels {alike} differ in spaces only and would be different classes; "
            "remove the spaces, such as with numpy.char.strip(array)"
        )


def _integers_if_all_are(texts: Texts, missing: Array) -> Texts | Integers:
    """Return integers where all texts that are not missing are integers, so that class 10 comes after class 9."""
    texts = np.where(missing, "0", texts)
    try:
        numbers = texts.astype(np.int64)
    except (ValueError, OverflowError):
        return texts
    return numbers if (numbers.astype(np.str_) == texts).all() else texts
