"""A split that the pool gives itself: a column that says train, validation or test of each object."""

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.columns.texts import read_texts
from alray.pools.files.arrow_types import decoded, is_bytes, is_text
from alray.pools.files.parquet import PoolFile
from alray.pools.pool import TEST, TRAIN, VALIDATION, Parts, Texts

OPTION = "--split-column COLUMN"

_PARTS = {
    "train": TRAIN,
    **dict.fromkeys(("validation", "valid", "val", "dev"), VALIDATION),
    "test": TEST,
}
"""How a part is written, in any case of letters."""


def read_parts(file: PoolFile, column: str, ids: Texts, kept: npt.NDArray[np.bool_]) -> Parts:
    """Return the part of each object that is kept.

    Raises:
        PoolError: There is no such column, it is no text, or it holds another word or none for an object.
    """
    kind = file.field(column, OPTION).type
    if not (is_text(decoded(kind)) or is_bytes(decoded(kind))):
        raise PoolError(
            f"{file.path}: column {column!r} is {kind}, and a column of the split holds the words train, validation "
            f"and test; write them, or name another column with {OPTION}"
        )
    encoded = pc.fill_null(read_texts(file, column), "").dictionary_encode()
    words = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy()[kept]
    parts: Parts = np.asarray([_PARTS.get(word.strip().lower(), -1) for word in words], np.int8)[
        codes
    ]
    unknown = np.flatnonzero(parts < 0)
    if len(unknown):
        found = [repr(words[code]) for code in np.unique(codes[unknown])]
        raise PoolError(
            f"{file.path}: column {column!r} holds {name_some(found)} for {len(unknown):,} objects: "
            f"{name_some(ids[kept][unknown])}; write train, validation (or valid, val, dev) or test, "
            "or remove these rows"
        )
    return parts
