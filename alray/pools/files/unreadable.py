"""Say why PyArrow cannot read a file, and what to do: a damaged file, one that is too new, or another format."""

import re
from pathlib import Path

import pyarrow as pa

from alray.pools.files.layouts import import_command, supported
from alray.pools.files.shard import ShardSource, begins_as_parquet
from alray.remote.failures import explanation
from alray.settings.secrets import without_secrets

_DAMAGED = re.compile(
    r"corrupt|thrift|unexpected end|end of stream|eof|checksum|crc|uncompress|decompress|"
    r"page was smaller|not a parquet file|footer",
    re.IGNORECASE,
)
"""Words of errors that a file without damage does not cause."""


def unreadable(path: str, error: Exception) -> str:
    """Return the message for a Parquet file that has been opened and cannot be read."""
    reason = without_secrets(first_line(error))
    if isinstance(error, pa.ArrowNotImplementedError):
        return (
            f"{path}: PyArrow {pa.__version__} cannot read something in it ({reason}); "
            "try a newer one (pip install -U pyarrow), or write the column in another type"
        )
    if _DAMAGED.search(reason):
        return f"{path}: damaged, cannot be read to its end ({reason}); make or copy it again"
    return (
        f"{path}: cannot be read by PyArrow {pa.__version__} ({reason}); "
        "if other programs can read it, try a newer PyArrow (pip install -U pyarrow), or else write it again"
    )


def not_parquet(source: ShardSource, error: Exception) -> str:
    """Return the message for a file that cannot be opened as Parquet."""
    known = explanation(error)
    if known is not None:
        return f"{source.name} cannot be read: {known}"
    reason = f"{source.name}: not a readable Parquet file ({without_secrets(first_line(error))})"
    if begins_as_parquet(source):
        return (
            f"{reason}; it begins as one, so its end is missing or changed: make or copy it again"
        )
    if command := import_command(Path(source.name)):
        return f"{source.name}: not Parquet, which pools are; convert it with `{command}`"
    return f"{reason}; write it as Parquet, or as what can be imported: {supported()}"


def first_line(error: Exception) -> str:
    """Return an error's own words in one line."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
