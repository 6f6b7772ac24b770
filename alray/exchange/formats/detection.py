"""Which tool has written a file, by its content: names end in .json or .csv whatever the tool."""

from itertools import islice
from pathlib import Path

from alray.errors import ExchangeError
from alray.exchange.formats.records import json_records
from alray.pools.imports.delimited import open_csv
from alray.pools.imports.text_files import open_text

_MOST_RECORDS = 100
_OF_PRODIGY = {"options", "accept", "_task_hash", "_input_hash"}
_OF_LABEL_STUDIO = {"annotation_id", "annotator", "lead_time"}


def find_format(path: Path) -> str:
    """Return the name of a file's format, one of the registry's.

    Raises:
        AlrayError: It is an archive, cannot be read, or a table that has lost what it is about.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"PAR1":
        return "parquet"
    if start == b"PK\x03\x04":
        raise ExchangeError(
            f"{path} is an archive (.zip or .xlsx); unpack it, or save the table as CSV, and name the file in it"
        )
    with open_text(path) as text:
        first = text.read(1 << 16).lstrip()[:1]
    return _of_records(path) if first in {"[", "{"} else _of_table(path)


def _of_records(path: Path) -> str:
    keys: set[str] = set()
    lists: set[str] = set()
    for _, record in islice(json_records(path), _MOST_RECORDS):
        keys |= record.keys()
        lists |= {key for key, value in record.items() if isinstance(value, list)}
    if "annotation_id" in keys or keys >= {"data", "annotations"}:
        return "label-studio"
    if "fields" in keys and keys & {"responses", "suggestions"}:
        return "argilla"
    if "answer" in keys and keys & _OF_PRODIGY:
        return "prodigy"
    return "doccano" if "label" in lists else "jsonl"


def _of_table(path: Path) -> str:
    names = {*open_csv(path).schema.names}
    if any(name.startswith("ASSIGNMENT:") for name in names):
        return "toloka"
    if names >= {"HITId", "AssignmentId"}:
        return "mturk"
    if names >= _OF_LABEL_STUDIO:
        # Its `id` is a number of Label Studio's own, which could be taken for the pool's.
        raise ExchangeError(f"{path} is a table that Label Studio wrote; export as JSON")
    return "csv"
