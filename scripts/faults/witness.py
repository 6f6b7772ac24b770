"""A strategy that chooses as another one does, and takes down each round that it is asked in, where a journal is wished.

Written by the workers themselves: what the driver never heard of is counted too.
"""

import json
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from alray.settings.common import LossPredictionSpec
from alray.strategies import Query, Strategy, parse
from alray.strategies.signals import Needs, Signals

JOURNAL = "ALRAY_FAULTS_JOURNAL"
"""Environment variable: the file to write to; without it nothing is written and nobody waits."""

PAUSE = "ALRAY_FAULTS_PAUSE"
"""Environment variable: seconds that a round takes longer, so that a study lasts without keeping processors busy."""


@dataclass(frozen=True)
class Witnessed:
    """Chooses as another strategy.

    Attributes:
        of: The other strategy's name.
    """

    of: str = "random"
    oracle: ClassVar[bool] = False

    @property
    def needs(self) -> Needs:
        """What the other one needs."""
        return self._other().needs

    @property
    def loss_prediction(self) -> LossPredictionSpec | None:
        """What the other one wants."""
        return self._other().loss_prediction

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        """Take the round down, and choose."""
        journal = os.environ.get(JOURNAL)
        if journal:
            take_down(journal, self.of, rng)
            time.sleep(float(os.environ.get(PAUSE, "0")))
        return self._other().select(signals, k, rng)

    def _other(self) -> Strategy:
        return parse(self.of)


def birth(process: int | str = "self") -> int:
    """Return when a process began, in ticks of the machine: numbers of processes are given again on a new node."""
    # The command's name stands in brackets and may hold anything.
    text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    return int(text.rpartition(")")[2].split()[19])


def take_down(journal: str, strategy: str, rng: np.random.Generator) -> None:
    """Add a line: when, where, and which round, known by the key of its generator.

    The clock is the machine's monotonic one, which every namespace shares and no skew moves. One write to the end of the
    file: lines of several processes do not mix.
    """
    low, high = (int(word) for word in rng.bit_generator.state["state"]["key"])
    line = {
        "time": time.monotonic(),
        "host": platform.node(),
        "process": os.getpid(),
        "born": birth(),
        "strategy": strategy,
        "key": f"{(high << 64) | low:032x}",
    }
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, (json.dumps(line) + "\n").encode())
    finally:
        os.close(file)
