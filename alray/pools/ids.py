"""A set of ids, asked about many at a time."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from alray.pools.pool import Texts


class IdSet:
    """A set of ids, or all others."""

    def __init__(self, ids: Collection[str], *, others: bool = False) -> None:
        self._ids = pa.array(sorted(set(ids)), pa.string())
        self._others = others

    def __call__(self, ids: Texts) -> npt.NDArray[np.bool_]:
        """Return (n,) which of (n,) ids are in the set."""
        found = pc.is_in(pa.array(ids, pa.string()), value_set=self._ids)
        among = np.asarray(found.to_numpy(zero_copy_only=False), np.bool_)
        return ~among if self._others else among
