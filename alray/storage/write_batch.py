"""Changes to files that wait, and are then made many at a time."""

import functools
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor

from alray.storage.protocols import Storage

AT_ONCE = 16
"""Files that are written at a time: a store far away, and a disk that has to flush, take their time over each."""

MOST_BYTES = 256_000_000
"""What waits is written at once when it has become so much."""


class Batch:
    """Changes that wait.

    Files of one stem, as those of a run are, are changed in the order in which that was asked for; others side by side.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._chains: defaultdict[str, list[Callable[[], None]]] = defaultdict(list)
        self._bytes = 0

    def write(self, name: str, content: bytes) -> None:
        """Take down that a file is to be written."""
        self._chains[_stem(name)].append(functools.partial(self._storage.write, name, content))
        self._bytes += len(content)
        if self._bytes >= MOST_BYTES:
            self.make()

    def remove(self, names: Collection[str]) -> None:
        """Take down that files are to be removed."""
        for name in names:
            self._chains[_stem(name)].append(functools.partial(self._storage.remove, [name]))

    def make(self) -> None:
        """Make all changes; where one cannot be made, those of other stems are made all the same.

        Raises:
            StoreError: The first that could not be made.
        """
        chains = list(self._chains.values())
        self._chains.clear()
        self._bytes = 0
        if len(chains) == 1:
            _make(chains[0])
        elif chains:
            with ThreadPoolExecutor(min(AT_ONCE, len(chains))) as pool:
                futures = [pool.submit(_make, chain) for chain in chains]
            for future in futures:
                future.result()


def _make(chain: Sequence[Callable[[], None]]) -> None:
    for change in chain:
        change()


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]
