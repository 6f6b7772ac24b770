"""Which faults come in which order, where and when: everything that is left to chance, decided before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from faults.kinds import KINDS, Kind

FIRST, LAST = 0.5, 8.0
"""Between these seconds after runs went on the next fault comes."""


@dataclass(frozen=True)
class Fault:
    """A fault that will happen.

    Attributes:
        kind: Its name.
        node: Where.
        delay: Seconds after runs went on.
    """

    kind: str
    node: int
    delay: float


def planned(count: int, seed: int, names: Sequence[str]) -> list[Fault]:
    """Return so many faults of these kinds, each as often as its weight says, in random order."""
    rng = np.random.default_rng(seed)
    kinds = {name: KINDS[name] for name in names}
    order = [name for name, times in shares(count, kinds).items() for _ in range(times)]
    rng.shuffle(order)
    return [
        Fault(name, int(rng.choice(KINDS[name].nodes)), round(float(rng.uniform(FIRST, LAST)), 1))
        for name in order
    ]


def shares(count: int, kinds: Mapping[str, Kind]) -> dict[str, int]:
    """Divide so many faults by the kinds' weights: next comes who is furthest behind; so every kind has one early."""
    times = dict.fromkeys(kinds, 0)
    for _ in range(count):
        behind = min(kinds, key=lambda name: times[name] / kinds[name].weight)
        times[behind] += 1
    return times
