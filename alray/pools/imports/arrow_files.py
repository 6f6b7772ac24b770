"""Open Feather files and Arrow IPC files and streams, mapped into memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from alray.errors import PoolError
from alray.pools.imports.tables import Table


def open_arrow(path: Path) -> Table:
    """Return the table of a Feather file (version 2), or of an Arrow IPC file or stream.

    Raises:
        PoolError: It is none, or damaged.
    """
    with path.open("rb") as stream:
        if stream.read(4) == b"FEA1":
            raise PoolError(
                f"{path}: Feather of version 1; write it again with pandas.read_feather(path).to_feather(path)"
            )

    def batches() -> Iterator[Any]:
        with _naming_errors(path), pa.memory_map(str(path)) as file:
            for batch in _batches(_reader(file)):
                batch.validate(
                    full=True
                )  # offsets that point out of a damaged file would end the process
                yield batch

    with _naming_errors(path), pa.memory_map(str(path)) as file:
        schema = _reader(file).schema
        schema.names  # noqa: B018 -- names that are not UTF-8 show themselves here
    return Table(str(path), schema, batches)


def _reader(file: Any) -> Any:
    is_file = file.read(6) == b"ARROW1"
    file.seek(0)
    return pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)


def _batches(reader: Any) -> Iterator[Any]:
    if isinstance(reader, pa.ipc.RecordBatchFileReader):
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)
    else:
        yield from reader


@contextmanager
def _naming_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise PoolError(
            f"{path}: cannot be read as Feather or Arrow IPC ({reason}); write or copy it again"
        ) from None
