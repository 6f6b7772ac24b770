"""Sources in parts (train, validation, test): join them, and keep which object is of which part."""

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa

from alray.pools.imports.rows import Rows, concatenate_rows
from alray.pools.imports.source import Further, in_chunks

PARTS = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "dev": "validation", "test": "test",
}  # fmt: skip
"""Usual name of a part: the name that is written; in the order in which parts are joined."""

_ORDER = ("train", "validation", "test")


def part_rank(name: str) -> tuple[int, str]:
    """Return what orders the names of parts: train, validation, test, then others by name."""
    part = PARTS.get(name.lower(), name)
    return (_ORDER.index(part) if part in _ORDER else len(_ORDER), name)


def split_column(name: str | None, counts: Sequence[tuple[str, int]]) -> dict[str, Further]:
    """Return a further column of this name with the part of each object, or none without a name or with one part.

    Args:
        name: The column's name.
        counts: Name of each part and its number of objects, in order.
    """
    if name is None or len(counts) < 2:
        return {}
    parts = [PARTS.get(part.lower(), part) for part, _ in counts]
    return {name: in_chunks(pa.array(np.repeat(parts, [n for _, n in counts]).tolist()))}


def joining_notes(name: str | None, counts: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Return a line about the parts that were joined, if there are several."""
    if len(counts) < 2:
        return ()
    parts = ", ".join(f"{part} ({count:,})" for part, count in counts)
    kept = (
        f"column {name!r} says which part an object is of"
        if name
        else "--split-column keeps which is which"
    )
    return (f"joined {parts}; {kept}",)


def join_parts(arrays: dict[str, Rows]) -> tuple[dict[str, Rows], list[tuple[str, int]]]:
    """Join arrays such as `y_train`, `y_val` and `y_test`, or `train_y` and `test_y`.

    `x`, as in files of digits, becomes `image`.

    Returns:
        The arrays, and each part's name and number of rows; no parts where nothing was joined.
    """
    groups: dict[str, dict[str, str]] = {}
    for name in arrays:
        stem, part = stem_and_part(name)
        if part:
            groups.setdefault(stem, {}).setdefault(part, name)
    groups = {
        stem: group
        for stem, group in groups.items()
        if "train" in group and len(group) > 1 and stem not in arrays
    }
    member = {name: stem for stem, group in groups.items() for name in group.values()}
    merged: dict[str, Rows] = {}
    counts: list[tuple[str, int]] = []
    for name, rows in arrays.items():
        stem = member.get(name, "")
        if not stem:
            merged[name] = rows
        elif name == groups[stem]["train"]:
            ordered = sorted(groups[stem], key=part_rank)
            merged["image" if stem == "x" else stem] = concatenate_rows(
                [arrays[groups[stem][part]] for part in ordered]
            )
            counts = [(part, arrays[groups[stem][part]].count) for part in ordered]
    return merged, counts


def parts_without_labels(
    arrays: Mapping[str, Rows], labels: Collection[str]
) -> dict[str, dict[str, str]]:
    """Return, by the stem of labels, the parts that they lack and another array of each.

    `X_train`, `X_test` and `y_train` give `{"y": {"test": "X_test"}}`.
    """
    stems: dict[str, set[str]] = {}
    members: dict[str, str] = {}
    for name in arrays:
        stem, part = stem_and_part(name)
        if part:
            stems.setdefault(stem, set()).add(part)
            members.setdefault(part, name)
    return {
        stem: missing
        for stem, there in stems.items()
        if stem in labels and "train" in there and stem not in arrays
        if (missing := {part: members[part] for part in members if part not in there})
    }


def stem_and_part(name: str) -> tuple[str, str | None]:
    """Return `("y", "train")` of `y_train` and of `train_y`, and no part of other names."""
    endings = "|".join(PARTS)
    match = re.fullmatch(
        rf"(?P<stem>.+)_(?P<part>{endings})|(?P<first>{endings})_(?P<rest>.+)", name
    )
    if match is None:
        return name, None
    return match["stem"] or match["rest"], PARTS[match["part"] or match["first"]]
