"""A console that shows texts as they are: no markup, no highlighting, and nothing that the terminal would obey."""

from typing import Any

from rich.console import Console
from rich.text import Text
from typing_extensions import override

from alray.cli.visible import visible


class PlainConsole(Console):
    """A rich console for texts that may come from data."""

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, markup=False, **options)

    @override
    def print(self, *objects: Any, **options: Any) -> None:
        super().print(*map(_shown, objects), **options)

    @override
    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(visible(text), **options)


def _shown(printed: object) -> object:
    """Return a text without control characters, and anything else as it is: its texts come to `render_str`."""
    if isinstance(printed, Text) and visible(printed.plain) != printed.plain:
        return Text(visible(printed.plain), style=printed.style)
    return printed
