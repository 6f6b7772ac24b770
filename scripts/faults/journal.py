"""What the workers have taken down: which rounds were begun, when and where, and which of them again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alray.seeding import seed as seed_of

Run = tuple[str, int]
"""Strategy and seed."""

Process = tuple[str, int, int]
"""Host, the number of the process there, and when it began."""


@dataclass(frozen=True)
class Entry:
    """A round was begun.

    Attributes:
        time: On the machine's monotonic clock.
        process: By whom.
        run: Of which run.
        round: Its number.
    """

    time: float
    process: Process
    run: Run
    round: int


class Journal:
    """Reads the file as it grows.

    Args:
        path: The file; it need not exist yet.
        study_seed: Seed of the study that is played.
        seeds: Its runs' seeds.
        rounds: Its rounds.
    """

    def __init__(self, path: Path, study_seed: int, seeds: int, rounds: int) -> None:
        self.path = path
        self._keys = {
            f"{seed_of(study_seed, one, 'strategy', number):032x}": (one, number)
            for one in range(seeds)
            for number in range(1, rounds + 1)
        }
        self._read = 0
        self._entries: list[Entry] = []

    def entries(self) -> Sequence[Entry]:
        """Return all entries up to now, oldest first."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            self._entries += [self._entry(line) for line in whole.splitlines()]
        return self._entries

    def since(self, moment: float) -> list[Entry]:
        """Return the entries after a moment."""
        return [entry for entry in self.entries() if entry.time > moment]

    def _entry(self, line: bytes) -> Entry:
        written = json.loads(line)
        seed, number = self._keys[written["key"]]
        process = (written["host"], written["process"], written["born"])
        return Entry(written["time"], process, (written["strategy"], seed), number)


def latest(entries: Iterable[Entry]) -> dict[Run, Entry]:
    """Return each run's last entry."""
    return {entry.run: entry for entry in entries}


def again(entries: Iterable[Entry], moments: Sequence[float]) -> list[int]:
    """Return how many rounds were begun again for the sake of each of these moments' faults.

    A run that was broken off may wait, and go on only after later faults. The fault is the one nearest to the last sign
    of life before the run went back.

    Args:
        entries: In order.
        moments: When each fault came; at least one.
    """
    counts = [0] * len(moments)
    seen: set[tuple[Run, int]] = set()
    before: dict[Run, Entry] = {}
    broken: dict[Run, float] = {}
    for entry in entries:
        last = before.get(entry.run, entry)
        if last.process != entry.process or last.round >= entry.round:
            broken[entry.run] = last.time
        if (entry.run, entry.round) in seen:
            counts[_nearest(moments, broken[entry.run])] += 1
        seen.add((entry.run, entry.round))
        before[entry.run] = entry
    return counts


def _nearest(moments: Sequence[float], time: float) -> int:
    return min(range(len(moments)), key=lambda place: abs(moments[place] - time))


def needless(entries: Sequence[Entry], kept: Mapping[Run, int]) -> list[Entry]:
    """Return the entries whose round was safe on the disk already.

    Args:
        entries: What was begun after the files were looked at.
        kept: The last round that was safe then, per run.
    """
    return [entry for entry in entries if entry.round <= kept.get(entry.run, -1)]


def went_on(
    entries: Iterable[Entry], victims: Mapping[Run, Process], mended: float
) -> dict[Run, float]:
    """Return when each of these runs was played on: by another process at any time, by the same after the repair."""
    times: dict[Run, float] = {}
    for entry in entries:
        old = victims.get(entry.run)
        if old is not None and (entry.process != old or entry.time > mended):
            times.setdefault(entry.run, entry.time)
    return times
