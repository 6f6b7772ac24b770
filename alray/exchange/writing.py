"""Write tasks into a file that a labelling tool imports."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from alray.errors import ExchangeError
from alray.exchange.reading import format_named
from alray.exchange.tasks import checked_tasks
from alray.settings.files import expand_home


def write_tasks(
    tasks: pd.DataFrame,
    path: str | Path,
    format: str,  # noqa: A002 -- what users call it
    classes: Sequence[str],
) -> tuple[Path, ...]:
    """Write tasks whole, those with the largest priority first; a file that is there is replaced.

    Args:
        tasks: A row per object: `id`; `predicted` (a class), `probability` and `priority` (larger is first) where they
            are known; all other columns are shown to the worker.
        path: The file to write.
        format: One of `alray.exchange.formats.registry.FORMATS`.
        classes: What a worker may answer.

    Returns:
        The files written: the path, and what else the tool needs, such as Label Studio's project settings beside it.

    Raises:
        ExchangeError: There is no such format, the tasks cannot be written in it, or the file cannot be written.
    """
    content = format_named(format).write(checked_tasks(tasks, classes))
    target = Path(expand_home(str(path)))
    written = []
    for ending, data in content.items():
        file = target.with_name(f"{target.stem}{ending}") if ending else target
        _write(file, data)
        written.append(file)
    return tuple(written)


def _write(path: Path, content: bytes) -> None:
    """Write a file under a hidden name, and rename it: a reader sees all of it or nothing."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ExchangeError(
            f"cannot write {path}: {error.strerror or error}; choose another --out"
        ) from None
