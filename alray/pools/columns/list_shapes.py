"""Find the one shape that all lists of a column have."""

import numpy as np

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.columns.number_lists import UNEQUAL
from alray.pools.columns.vector_sources import VectorSource
from alray.pools.files.parquet import PoolFile
from alray.pools.pool import Indices, Texts

_ROWS_AT_A_TIME = 8192
_MEAN = "make one vector of all vectors of an object, such as their mean"


def common_shape(file: PoolFile, column: str, source: VectorSource, ids: Texts) -> tuple[int, ...]:
    """Return the shape of the lists of all rows, by reading the column once.

    Raises:
        PoolError: All rows are null, or their lists have different shapes; the message names their ids.
    """
    batches = [(lists.sizes, lists.present) for lists in source.batches(_ROWS_AT_A_TIME)]
    sizes, present = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    shapes, which, counts = np.unique(
        sizes[present], axis=0, return_inverse=True, return_counts=True
    )
    if not len(shapes):
        raise PoolError(
            f"{file.path}: column {column!r} is absent from every object; leave the modality out with --modality"
        )
    # Lists that are empty or unequal in themselves are mistakes, also where they are the most.
    usual = int(np.where((shapes > 0).all(axis=1), counts, 0).argmax())
    others = which.reshape(-1) != usual  # some versions of NumPy return a column
    if UNEQUAL in shapes[usual]:
        raise PoolError(
            f"{file.path}: column {column!r} has lists of different sizes within all {len(others):,} objects; "
            f"{_MEAN}, or leave the modality out with --modality"
        )
    if others.any():
        _refuse_ragged(file, column, shapes, usual, ids[present][others])
    return tuple(shapes[usual].tolist())


def _refuse_ragged(
    file: PoolFile, column: str, shapes: Indices, usual: int, others: Texts
) -> None:
    rest = np.delete(shapes, usual, axis=0)
    step = "mend or remove these rows"
    if shapes.shape[1] > 1:
        have = f"most lists have the shape {_shape(shapes[usual])}, {len(others):,} objects have "
        have += " or ".join([_shape(shape) for shape in rest[:3]] + ["others"] * (len(rest) > 3))
        if (shapes[:, 1:] == shapes[usual, 1:]).all():
            step = _MEAN
    else:
        least, most = int(rest.min()), int(rest.max())
        between = f"between {least} and {most}" if least < most else f"{least}"
        have = f"most lists have {shapes[usual, 0]} values, {len(others):,} objects have {between}"
    if (rest == 0).any():
        step = f"make an empty list null if the modality is absent, {step}"
    raise PoolError(
        f"{file.path}: column {column!r} is ragged: {have}: {name_some(others)}; {step}"
    )


def _shape(sizes: Indices) -> str:
    return " x ".join("unequal" if size == UNEQUAL else str(size) for size in sizes.tolist())
