"""Record batches of a table, read once for several readers that advance together."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

_SCAN_ROWS = 4096


class SharedBatches:
    """Batches of a table for several readers: those that ask for equal sizes in turn share each batch."""

    def __init__(self, batches: Callable[[], Iterator[Any]]) -> None:
        self._open = batches
        self._size = self._number = -1
        self._batch: Any = None
        self._stream: Iterator[Any] = iter(())

    def __iter__(self) -> Iterator[Any]:
        return self.of_size(_SCAN_ROWS)

    def of_size(self, size: int) -> Iterator[Any]:
        """Yield record batches of this number of rows (the last may be shorter)."""
        number = 0
        while (batch := self._at(size, number)) is not None:
            yield batch
            number += 1

    def _at(self, size: int, number: int) -> Any:
        """Return a batch, or None after the last."""
        if size != self._size or number < self._number:
            self._stream = _in_size(self._open(), size)
            self._size, self._number = size, -1
        while self._number < number:
            self._batch = next(self._stream, None)
            self._number += 1
        return self._batch


def _in_size(batches: Iterator[Any], size: int) -> Iterator[Any]:
    waiting: list[Any] = []
    rows = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, size - rows)
            waiting.append(part)
            rows, start = rows + part.num_rows, start + part.num_rows
            if rows == size:
                yield _joined(waiting)
                waiting, rows = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    return pa.Table.from_batches(parts).unify_dictionaries().combine_chunks().to_batches()[0]
