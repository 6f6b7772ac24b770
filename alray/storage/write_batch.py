"""Changes to files that are collected, and then made many at a time."""

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from alray.storage.protocols import Storage

PARALLEL = 16
"""Files that are written at a time: a distant store, and a disk that has to flush, take long for each."""


class WriteBatch:
    """Collects changes to files, and makes all at once when their content comes to `max_bytes`.

    Files of one stem, such as those of a run, are changed in the order of the calls; several stems in parallel.
    """

    def __init__(self, storage: Storage, max_bytes: int = 256_000_000) -> None:
        self._storage = storage
        self._max_bytes = max_bytes
        self._changes: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)
        self._bytes = 0

    def write(self, name: str, content: bytes) -> None:
        """Write a file later."""
        self._changes[_stem(name)].append(functools.partial(self._storage.write, name, content))
        self._bytes += len(content)
        if self._bytes >= self._max_bytes:
            self.flush()

    def remove(self, names: Collection[str]) -> None:
        """Remove files later."""
        for name in names:
            self._changes[_stem(name)].append(functools.partial(self._storage.remove, [name]))

    def flush(self) -> None:
        """Make all changes. Where one fails, later ones of its stem are not made, those of other stems are.

        Raises:
            StoreError: The first change that failed.
        """
        by_stem = list(self._changes.values())
        self._changes.clear()
        self._bytes = 0
        if len(by_stem) == 1:
            _make(by_stem[0])
        elif by_stem:
            with ThreadPoolExecutor(min(PARALLEL, len(by_stem))) as pool:
                futures = [pool.submit(_make, changes) for changes in by_stem]
            for future in futures:
                future.result()


def _make(changes: Sequence[Callable[[], None]]) -> None:
    for change in changes:
        change()


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
