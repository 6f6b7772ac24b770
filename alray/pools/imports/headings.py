"""Tell a heading in the first line of a file of labels from the label of the first object."""

from collections.abc import Sequence
from pathlib import Path

from alray.errors import PoolError

_NO_CLASS = {"label", "labels"}
"""Headings that hardly name a class, as `y` (for yes), `target` or `id` (a language) may."""


def is_heading(
    path: Path, column: Sequence[str], wanted: int, *, spare: int = 0, clear: str = "label"
) -> bool:
    """Return whether the first of these cells, which could be a heading, is one.

    What the cells below hold and the number of objects decide: a value that comes again is a label.

    Args:
        path: The file, for messages.
        column: The cells of a column, from the first line on.
        wanted: How many objects there are; 0 if that is not known.
        spare: How many empty lines at the end may stand for objects without a label.
        clear: A first line that can only be a heading, for messages.

    Raises:
        PoolError: Both are possible.
    """
    again = column[0] in column[1:]
    fits_as_label = 0 <= wanted - len(column) <= spare
    fits_as_heading = 0 <= wanted - (len(column) - 1) <= spare
    if column[0].lower() in _NO_CLASS:
        return not (again and fits_as_label)
    if again != fits_as_label and (fits_as_label or fits_as_heading):
        raise PoolError(
            f"{path}: {column[0]!r} in the first line may be a heading or a value of the first of {wanted:,} objects; "
            f"write the line {clear} in its place if it is a heading, and else above it"
        )
    return not again
