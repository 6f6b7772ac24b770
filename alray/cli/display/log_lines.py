"""What the library logs, as lines on the terminal."""

import contextlib
import logging
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text
from typing_extensions import override


class ConsoleHandler(logging.Handler):
    """Prints each message as a line; above a live display where there is one."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Text(record.getMessage()))


@contextlib.contextmanager
def logged_to(console: Console) -> Iterator[None]:
    """Print within the block what alray logs at level INFO and above."""
    logger = logging.getLogger("alray")
    handler, level = ConsoleHandler(console), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
