"""Names that a part of a network can have."""

import re
import unicodedata
from collections.abc import Collection

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_RESERVED = "fused"  # the fused head's name


def can_name_a_modality(name: str) -> bool:
    """Return whether a name has letters, digits, _ and - alone, starts with no digit or -, and is free."""
    return bool(_NAME.fullmatch(name)) and name != _RESERVED


def cleaned_name(column: str, taken: Collection[str]) -> str:
    """Return a name for the modality of a column that is like the column's, and is not taken."""
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_-")
    if not name or not can_name_a_modality(name):
        name = f"modality_{name}".rstrip("_")
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free
