"""Records of files in JSON: a list of objects, or an object a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alray.errors import ExchangeError
from alray.exchange.cells import as_text
from alray.exchange.notes import Notes
from alray.exchange.tasks import KEY
from alray.pools.imports.json_lines import is_unicode, read_records
from alray.pools.imports.text_files import open_text

Record = dict[str, Any]


def json_records(path: Path) -> Iterator[tuple[str, Record]]:
    """Return for each record its place, for messages, and its content.

    Raises:
        AlrayError: The file is no JSON, or a record is no object.
    """
    with open_text(path) as stream:
        is_list = _first_letter(stream.read(1 << 16)) == "["
    records = _of_list(path) if is_list else read_records(path)
    for number, record in enumerate(records, 1):
        yield f"{path}: record {number}", record


def json_lines(records: list[Record]) -> bytes:
    """Return records as a file with an object a line."""
    return ("\n".join(json.dumps(each, ensure_ascii=False) for each in records) + "\n").encode()


def json_list(records: list[Record]) -> bytes:
    """Return records as a file with a list of objects."""
    return json.dumps(records, ensure_ascii=False, indent=1).encode()


def task_id(record: Record, keys: tuple[str, ...], place: str, notes: Notes) -> str | None:
    """Return the id of the object that a record is about, by the first of the keys that it has; None is noted."""
    for key in keys:
        found = as_text(record.get(key), f"{place}, {key!r}")
        if found is not None:
            return found
    notes.add("without_id", place.rpartition(": ")[2])
    return None


def part(record: Record, key: str, kind: type, place: str) -> Any:
    """Return a list or an object in a record, empty where it is missing.

    Raises:
        ExchangeError: It is something else.
    """
    found = record.get(key)
    if found is None:
        return kind()
    if not isinstance(found, kind):
        what = "a list" if kind is list else "an object"
        raise ExchangeError(
            f"{place}, {key!r} is {str(found)[:60]!r}, not {what}; export the answers again, or name the tool's format"
        )
    return found


def require_ids(found: int, path: Path, notes: Notes, where: str = KEY) -> None:
    """Refuse a file none of whose records says which object it is about.

    Raises:
        ExchangeError: There are records, and all of them lack the id.
    """
    if not found and any(note.kind == "without_id" for note in notes.found()):
        raise ExchangeError(
            f"{path}: no record says which object it is about; keep the field {where!r} of the tasks that alray wrote"
        )


def _of_list(path: Path) -> Iterator[Record]:
    with open_text(path) as stream:
        text = stream.read()
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExchangeError(f"{path} is no JSON ({error}); export the answers again") from None
    if not is_unicode(records):
        raise ExchangeError(f"{path} holds half a character (\\ud800 or such); mend the text")
    for number, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise ExchangeError(
                f"{path}: record {number} is {str(record)[:60]!r}, not an object; export the answers again"
            )
        yield record


def _first_letter(text: str) -> str:
    return text.lstrip()[:1]
