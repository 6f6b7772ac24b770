"""Strategies of the tests' own: random choice that misbehaves when so many candidates are left."""

import gc
import os
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import Tensor, nn
from typing_extensions import override

from alray.signals import Signals
from alray.strategies.base import Query
from alray.strategies.random import Random
from alray.tensors import PoolTensors


@dataclass(frozen=True)
class Misbehaving(Random):
    """Draws at random; in the round that begins with `left` candidates it does something else first.

    Attributes:
        act: Raise an error, end the process, or write into the shared pool.
        left: Candidates of the round in which this happens.
        pause: Seconds that every round takes longer.
    """

    act: Literal["nothing", "raise", "exit", "corrupt"] = "nothing"
    left: int = -1
    pause: float = 0.0

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        time.sleep(self.pause)
        if len(signals.candidates) == self.left:
            if self.act == "raise":
                raise ValueError(f"no more than {self.left}\nsecond line")
            if self.act == "exit":
                os._exit(9)
            if self.act == "corrupt":
                corrupt_pools()
        return super().select(signals, k, rng)


def corrupt_pools() -> None:
    """Write into every pool of this process in place, as only code that goes around alray's copies can."""
    for found in gc.get_objects():
        if type(found) is PoolTensors:
            found.modalities[0]._features[0, 0] += 1


def broken_model(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    """Return a module that builds but cannot be called."""
    return Broken()


class Broken(nn.Module):
    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        raise RuntimeError("broken on purpose")
