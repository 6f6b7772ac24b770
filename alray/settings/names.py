"""Names of studies, which are names of folders on every file system and in every object store."""

import re
import unicodedata

_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")

LONGEST = 255
"""Most characters of a name: file systems allow no more."""

FALLBACK = "pool"
"""The name that is made of a text without any letter or digit that a name may have."""


def check_study_name(name: str) -> str:
    """Return a name that can name a study's folder as it is.

    Raises:
        ValueError: It has other characters, begins with another one, or is too long.
    """
    if not _VALID.fullmatch(name) or len(name) > LONGEST:
        raise ValueError(
            "a study's name has letters from a to z, digits, '.', '_' and '-', begins with a letter or a digit, and "
            f"has at most {LONGEST} characters; {study_name(name)!r} would do"
        )
    return name


def study_name(text: str, ending: str = "") -> str:
    """Return the name of a study that is made of a pool's name: valid names stay as they are, others are cleaned.

    Accents are left out; one '-' stands in the place of other characters that a name cannot have.
    """
    plain = "".join(
        each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each)
    )
    if not _VALID.fullmatch(plain):
        plain = _OTHER.sub("-", plain).strip("._-") or FALLBACK
    return plain[: LONGEST - len(ending)] + ending
