"""Read a file of a crowd's answers: task, worker, label, and where it is known the truth."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alray.errors import SpecError
from alray.pools.answer_cells import Texts, cell_texts, read_csv, read_parquet
from alray.pools.answer_table import UNKNOWN, AnswerTable
from alray.pools.columns.metadata import name_some
from alray.pools.pool import Indices
from alray.settings.base import nearest
from alray.settings.files import expand_home

TASK, WORKER, LABEL, TRUTH = "task", "worker", "label", "truth"
COLUMNS = (TASK, WORKER, LABEL)
PARQUET = (".parquet", ".pq")


def read_answer_table(name: str, classes: Sequence[str]) -> AnswerTable:
    """Read a CSV or Parquet file of answers.

    Args:
        name: The file's path.
        classes: The pool's classes.

    Raises:
        AlrayError: There is no such file, it cannot be read, lacks a column, has no answer, names no class of the
            pool, has two truths of a task, or two answers of a worker about one; names file, column and value.
    """
    origin = f"crowd.table: {name}"
    columns = _read(name, origin)
    given = [row for row, label in enumerate(columns[LABEL]) if label is not None]
    if not given:
        raise SpecError(
            f"{origin} has no answers; write a row for each, with {', '.join(COLUMNS)}"
        )
    tasks, workers, labels = (_complete(origin, columns, each, given) for each in COLUMNS)
    truths = [columns[TRUTH][row] for row in given]
    codes = {each: position for position, each in enumerate(classes)}
    for column, texts in ((LABEL, labels), (TRUTH, truths)):
        _require_classes(origin, column, texts, codes)
    names, answered_by = np.unique(np.array(workers, dtype=np.str_), return_inverse=True)
    task_names, numbers = np.unique(np.array(tasks, dtype=np.str_), return_inverse=True)
    _require_one_answer(origin, task_names[numbers], names[answered_by])
    return AnswerTable(
        tuple(names.tolist()),
        numbers.astype(np.int64),
        answered_by.astype(np.int64),
        np.array([codes[each] for each in labels], dtype=np.int64),
        _truths(origin, task_names, numbers, [_code(codes, each) for each in truths], classes),
        _content(zip(tasks, workers, labels, truths, strict=True)),
        len(columns[LABEL]) - len(given),
    )


def _read(name: str, origin: str) -> dict[str, Texts]:
    """Return the columns as texts; the truth is unknown everywhere where there is no such column."""
    path = Path(expand_home(name))
    if not path.is_file():
        hint = "; copy it to this machine" if "://" in name else "; check the path"
        raise SpecError(f"{origin}: there is no such file{hint}")
    if not path.stat().st_size:
        raise SpecError(
            f"{origin} is empty; write a row for each answer, with {', '.join(COLUMNS)}"
        )
    table = read_parquet(path, origin) if path.suffix.lower() in PARQUET else read_csv(path)
    names = table.schema.names
    missing = [each for each in COLUMNS if each not in names]
    if missing:
        raise SpecError(
            f"{origin} has no column {' and no column '.join(missing)}; its columns are {', '.join(names)}: name those "
            f"of tasks, workers and answers {', '.join(COLUMNS)}, and one of known classes {TRUTH}"
        )
    found = {each: cell_texts(origin, each, table.column(each)) for each in COLUMNS}
    unknown: Texts = [None] * table.num_rows
    found[TRUTH] = cell_texts(origin, TRUTH, table.column(TRUTH)) if TRUTH in names else unknown
    return found


def _complete(
    origin: str, columns: dict[str, Texts], column: str, given: Sequence[int]
) -> list[str]:
    """Return a column of the rows that have a label; refuse one that lacks a value there."""
    found = [(row, columns[column][row]) for row in given]
    empty = [row for row, each in found if each is None]
    if empty:
        raise SpecError(
            f"{origin}: column {column!r} is empty in {len(empty):,} rows with a label ({name_some(empty)}, counted "
            "from 0); fill them in, or leave the rows out"
        )
    return [each for _, each in found if each is not None]


def _require_classes(
    origin: str, column: str, texts: Sequence[str | None], codes: dict[str, int]
) -> None:
    unknown = sorted({each for each in texts if each is not None and each not in codes})
    if unknown:
        near = nearest(unknown[0], codes)
        hint = f"did you mean {near!r}?" if near else f"its classes are {name_some([*codes])}"
        raise SpecError(
            f"{origin}: column {column!r} names {len(unknown):,} classes that the pool does not have: "
            f"{name_some([repr(each) for each in unknown])}; {hint}"
        )


def _require_one_answer(origin: str, tasks: Any, workers: Any) -> None:
    seen: set[tuple[str, str]] = set()
    for pair in zip(tasks.tolist(), workers.tolist(), strict=True):
        if pair in seen:
            raise SpecError(
                f"{origin}: worker {pair[1]!r} has two answers about task {pair[0]!r}; keep one of them"
            )
        seen.add(pair)


def _code(codes: dict[str, int], name: str | None) -> int:
    return UNKNOWN if name is None else codes[name]


def _truths(
    origin: str, tasks: Any, numbers: Indices, truths: Sequence[int], classes: Sequence[str]
) -> Indices:
    """Return the class of each task; some of its rows may say nothing, and the others have to agree."""
    found = np.full(len(tasks), UNKNOWN, dtype=np.int64)
    for number, truth in zip(numbers.tolist(), truths, strict=True):
        if truth == UNKNOWN or found[number] in (UNKNOWN, truth):
            found[number] = max(found[number], truth)
            continue
        raise SpecError(
            f"{origin}: column {TRUTH!r} has two classes for task {str(tasks[number])!r}: "
            f"{classes[found[number]]!r} and {classes[truth]!r}; keep the right one"
        )
    return found


def _content(rows: Any) -> str:
    lines = sorted("\t".join(repr(each) for each in row) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
