"""Write tasks into a file that a labelling tool imports."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from alray.errors import ExchangeError
from alray.exchange.reading import format_named
from alray.exchange.tasks import checked_tasks
from alray.pools.files.whole import whole_file
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
        try:
            with whole_file(file) as temporary:
                temporary.write_bytes(data)
        except OSError as error:
            raise ExchangeError(
                f"cannot write {file}: {error.strerror or error}; choose another --out"
            ) from None
        written.append(file)
    return tuple(written)
