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

    Accents are removed, runs of other characters become `_`, and a number is appended where the name is taken.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    bare = re.sub(r"[^A-Za-z0-9_-]+", "_", plain).strip("_-") or "modality"
    first = bare if re.match(r"[A-Za-z_]", bare) else f"_{bare}"
    names = (first, *(f"{first}_{number}" for number in range(2, len(taken) + 4)))
    return next(name for name in names if can_name_modality(name) and name not in taken)
