"""The audit part: objects that are drawn at random, asked about like others, and never learnt from.

Each object without a label at the start belongs to it with probability `audit`, by a number that is drawn for its id,
or for its group, which stays together. So objects that join the pool later are treated alike. The part is asked about
in the order of these numbers, so that what has been asked is a simple random sample of the pool's objects without a
label at the start (Ohlsson 1995 calls them permanent random numbers); objects that join later with a smaller number
come first, until the sample has its share of them.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alray.seeding import draws_by_id

Places = npt.NDArray[np.float64]


def places(seed: int, names: Sequence[str]) -> Places:
    """Return (objects,) numbers in [0, 1), one for each id or group."""
    drawn = draws_by_id(seed, 0, "audit", np.array(names, dtype=object))
    return (drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53


def audits_wanted(share: float, asked: int, audited: int, n: int) -> int:
    """Return how many of the next n objects are of the audit part, so that it has its share of all that was asked.

    Args:
        share: That share.
        asked: Objects asked about so far.
        audited: Those of them that are of the audit part.
        n: Objects of the next batch.
    """
    return min(n, max(0, round(share * (asked + n)) - audited))
