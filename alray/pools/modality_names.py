"""Names that a modality may have: it names a part of a network."""

import re
import unicodedata
from collections.abc import Collection

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def can_name_modality(name: str) -> bool:
    """Return whether a modality may have this name; `fused` is the name of the fused head."""
    return bool(_NAME.fullmatch(name)) and name != "fused"


def clean_name(name: str, taken: Collection[str]) -> str:
    """Return a name that a modality may have, near to this one and not among those that are taken.

    Accents are removed, runs of other characters become `_`, and a number is appended where the name is taken: an empty
    name becomes `modality`, `2nd` becomes `modality_2nd`.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    first = re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_-")
    if not first or not can_name_modality(first):
        first = f"modality_{first}".rstrip("_")
    free, number = first, 2
    while free in taken:
        free, number = f"{first}_{number}", number + 1
    return free
