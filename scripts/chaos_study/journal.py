"""The journal of the workers: which rounds were begun, when and on which process, and which of them again.

A strategy writes it on the workers, so that rounds that never reached the driver are counted too.
"""

import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from alray.seeding import seed as seed_of
from alray.settings.common import LossPredictionSpec
from alray.strategies import Query, Strategy, parse
from alray.strategies.signals import Needs, Signals
from chaos_study.processes import Process, birth

JOURNAL = "ALRAY_CHAOS_JOURNAL"
"""Environment variable: the file to write to; without it nothing is written and no round waits."""

PAUSE = "ALRAY_CHAOS_PAUSE"
"""Environment variable: seconds that a round takes longer, so that a study lasts without keeping processors busy."""

Run = tuple[str, int]
"""Strategy and seed."""


@dataclass(frozen=True)
class RecordingStrategy:
    """Chooses as the strategy `of`, and records each round in the journal, where there is one."""

    of: str = "random"
    oracle: ClassVar[bool] = False

    @property
    def needs(self) -> Needs:
        return self._other().needs

    @property
    def loss_prediction(self) -> LossPredictionSpec | None:
        return self._other().loss_prediction

    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        journal = os.environ.get(JOURNAL)
        if journal:
            record(journal, self.of, rng)
            time.sleep(float(os.environ.get(PAUSE, "0")))
        return self._other().select(signals, k, rng)

    def _other(self) -> Strategy:
        return parse(self.of)


def record(journal: str, strategy: str, rng: np.random.Generator) -> None:
    """Add a line: when, which process, and which round, known by the key of its generator.

    The clock is the machine's monotonic one, which every namespace shares and no skew moves. One write to the end of
    the file: lines of several processes do not mix.
    """
    low, high = (int(word) for word in rng.bit_generator.state["state"]["key"])
    line = {
        "time": time.monotonic(),
        "process": (platform.node(), os.getpid(), birth()),
        "strategy": strategy,
        "key": f"{(high << 64) | low:032x}",
    }
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, (json.dumps(line) + "\n").encode())
    finally:
        os.close(file)


@dataclass(frozen=True)
class Entry:
    """A round of a run was begun by a worker's process, at a time of the machine's monotonic clock."""

    time: float
    process: Process
    run: Run
    round: int


class Journal:
    """Reads the file, which need not exist yet, as it grows; the numbers are those of the study."""

    def __init__(self, path: Path, study_seed: int, seeds: int, rounds: int) -> None:
        self.path = path
        self._keys = {
            f"{seed_of(study_seed, one, 'strategy', number):032x}": (one, number)
            for one in range(seeds)
            for number in range(1, rounds + 1)
        }
        self._bytes_read = 0
        self._entries: list[Entry] = []

    def entries(self) -> Sequence[Entry]:
        """Return all entries up to now, oldest first."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._bytes_read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._bytes_read += len(whole)
            lines = (json.loads(line) for line in whole.splitlines())
            # A strategy is tried while its study is planned, with a generator that is no round's.
            self._entries += [self._entry(line) for line in lines if line["key"] in self._keys]
        return self._entries

    def since(self, moment: float) -> list[Entry]:
        """Return the entries after a moment."""
        return [entry for entry in self.entries() if entry.time > moment]

    def _entry(self, written: Mapping[str, Any]) -> Entry:
        seed, number = self._keys[written["key"]]
        host, process, began = written["process"]
        return Entry(written["time"], (host, process, began), (written["strategy"], seed), number)


def count_repeated(entries: Iterable[Entry], moments: Sequence[float]) -> list[int]:
    """Return how many rounds were begun again because of the fault at each of these moments.

    A run that was broken off may wait, and go on only after later faults. Its fault is the one nearest to its last
    entry before it went back.

    Args:
        entries: In order.
        moments: When each fault came; at least one.
    """
    counts = [0] * len(moments)
    begun: set[tuple[Run, int]] = set()
    before: dict[Run, Entry] = {}
    broken_off: dict[Run, float] = {}
    for entry in entries:
        last = before.get(entry.run, entry)
        if last.process != entry.process or last.round >= entry.round:
            broken_off[entry.run] = last.time
        if (entry.run, entry.round) in begun:
            gaps = [abs(moment - broken_off[entry.run]) for moment in moments]
            counts[gaps.index(min(gaps))] += 1
        begun.add((entry.run, entry.round))
        before[entry.run] = entry
    return counts


def repeated_although_saved(entries: Sequence[Entry], saved: Mapping[Run, int]) -> list[Entry]:
    """Return the entries of rounds that were on the disk already.

    Args:
        entries: The rounds begun after the disk was read.
        saved: The last round that was on it, per run.
    """
    return [entry for entry in entries if entry.round <= saved.get(entry.run, -1)]


def resumption_times(
    entries: Iterable[Entry], interrupted: Mapping[Run, Process], repaired: float
) -> dict[Run, float]:
    """Return when each of these runs went on: on another process at any time, on the same one after the repair."""
    times: dict[Run, float] = {}
    for entry in entries:
        old = interrupted.get(entry.run)
        if old is not None and (entry.process != old or entry.time > repaired):
            times.setdefault(entry.run, entry.time)
    return times
