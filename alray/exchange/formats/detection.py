"""Which tool has written a file, by its content: names end in .json or .csv whatever the tool."""

from pathlib import Path


def find_format(path: Path) -> str:
    """Return the name of a file's format, one of the registry's."""
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"PAR1":
        return "parquet"
    return "jsonl" if start.lstrip(b"\xef\xbb\xbf").startswith(b"{") else "csv"
