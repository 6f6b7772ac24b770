"""The batches of an epoch."""

import math
from collections.abc import Iterator

import numpy as np

from alray.pools.pool import Indices
from alray.settings.common import TrainingSpec


def batches(n: int, spec: TrainingSpec, rng: np.random.Generator) -> Iterator[Indices]:
    """Yield one epoch's positions 0 to n-1, in random order, cut by the batch rule.

    `even`: floor(n / b) batches, at least one, whose sizes differ by one at most: from b to 2b - 1 for n >= b.
    `published`: batches of b' = b + ceil((n mod b) / floor(n / b)) for n >= b, else one of n; where the rounding takes
    more than there is, the last one is smaller, down to a few objects for n near b^2.
    `fixed`: batches of b, the last one smaller. `upsample`: the order is filled up to a multiple of b with objects
    drawn again.
    """
    b = spec.batch_size
    order = rng.permutation(n)
    if spec.batch_rule == "even":
        yield from np.array_split(order, max(1, n // b))
        return
    if spec.batch_rule == "published":
        b = n if n < b else b + math.ceil((n % b) / (n // b))
    elif spec.batch_rule == "upsample" and n % b:
        order = np.concatenate([order, rng.integers(0, n, b - n % b)])
    for start in range(0, len(order), b):
        yield order[start : start + b]
