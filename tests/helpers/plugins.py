"""Strategies for tests: random choice that misbehaves when a given number of candidates is left."""

import gc
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Literal

import numpy as np
from torch import Tensor, nn
from typing_extensions import override

from alray.api import plan_sweep
from alray.networks.tensors import PoolTensors
from alray.strategies.base import Query
from alray.strategies.random import Random
from alray.strategies.signals import Signals
from tests.helpers.own_modules import OwnNetwork
from tests.helpers.studies import settings

NODE = "ALRAY_TEST_NODE"
"""Environment variable that is set on one node of a cluster only."""


@dataclass(frozen=True)
class Misbehaving(Random):
    """Draws at random; in the round that begins with `left` candidates it first misbehaves.

    Attributes:
        act: Raise an error, kill the process, write into the shared pool, or hang.
        left: Candidates of the round in which this happens.
        pause: Seconds that every round takes longer.
        node: Misbehaves only where the environment variable ALRAY_TEST_NODE is this; `any` stands for everywhere.
    """

    act: Literal["nothing", "raise", "exit", "corrupt", "hang"] = "nothing"
    left: int = -1
    pause: float = 0.0
    node: str = "any"

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        sleep(self.pause)
        on_node = self.node in ("any", os.environ.get(NODE))
        if on_node and len(signals.candidates) == self.left:
            if self.act == "raise":
                raise ValueError(f"no more than {self.left}\nsecond line")
            if self.act == "exit":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.act == "hang":
                sleep(1000.0)
            if self.act == "corrupt":
                corrupt_pools()
        return super().select(signals, k, rng)


def misbehaving(pool: Path, act: str, round_number: int, **fields: object) -> str:
    """Return the text of a strategy that misbehaves in this round of a study as `settings` makes it."""
    given = settings(pool)
    train = len(plan_sweep(given).prepared.train)
    left = train - given["initial"] - given["query"] * (round_number - 1)
    words = {"act": act, "left": left, **fields}
    return ":".join(
        [f"{__name__}:Misbehaving", *(f"{name}={value}" for name, value in words.items())]
    )


def corrupt_pools() -> None:
    """Write into every pool of this process in place, which only code that bypasses alray's copies can."""
    for found in gc.get_objects():
        if type(found) is PoolTensors:
            found.modalities[0]._features[0, 0] += 1


def deadly_model(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    """Return a small network that kills its process on the bad node."""
    return Deadly(shapes, classes)


class Deadly(OwnNetwork):
    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        if os.environ.get(NODE) == "bad":
            sleep(0.3)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(features, present)
