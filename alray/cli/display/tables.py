"""A table that fits the terminal: on a narrow one each row becomes a block of lines, and no number is ever cut."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

_NAME, _LONG_NAME = 12, 30
"""A name may be broken into lines of so many characters, not fewer, to keep its row in one piece, or its picture."""

_GAP = 2


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: May hold line breaks, as may a word: `relia-` and `bility`.
        kind: A `name` may be broken into lines, a `number` may not, a `picture` is left out where it does not fit.
        style: Of its cells, as Rich writes styles.
    """

    heading: str
    kind: Literal["name", "number", "picture"] = "number"
    style: str = ""

    @property
    def heading_in_a_line(self) -> str:
        """The heading without line breaks."""
        return self.heading.replace("-\n", "").replace("\n", " ")


class FittingTable:
    """Rows of cells, in columns where the width allows it, else below each other.

    The first `titles` columns say what a row is about: a title that is that of the row before is not repeated in
    columns, and they stand above the row's other cells where it becomes a block.
    """

    def __init__(self, columns: Sequence[Column], *, titles: int = 1) -> None:
        self._columns = columns
        self._titles = titles
        self._rows: list[list[Text]] = []

    def add(self, *cells: str | Text) -> None:
        """Add a row."""
        self._rows.append([cell if isinstance(cell, Text) else Text(cell) for cell in cells])

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width = options.max_width
        all_columns = range(len(self._columns))
        plain = [at for at in all_columns if self._columns[at].kind != "picture"]
        for columns, name in ((list(all_columns), _LONG_NAME), (plain, _NAME)):
            if self._least_width(columns, name) <= width:
                yield self._in_columns(columns, width)
                return
        for row in self._rows:
            yield from self._as_block(row, width)

    def _least_width(self, columns: Sequence[int], name: int) -> int:
        widths = [self._width(at, name) for at in columns]
        return sum(widths) + _GAP * (len(columns) - 1)

    def _width(self, at: int, name: int | None = None) -> int:
        """Return the width of a column, whose names need not be wider than `name` if that is given."""
        column = self._columns[at]
        heading = max(len(line) for line in column.heading.split("\n"))
        cells = max((row[at].cell_len for row in self._rows), default=0)
        return max(heading, min(cells, name) if name and column.kind == "name" else cells)

    def _in_columns(self, columns: Sequence[int], width: int) -> Table:
        headings = any(self._columns[at].heading for at in columns)
        table = Table(
            box=None, padding=(0, 1), pad_edge=False, header_style="bold", show_header=headings
        )
        for at in columns:
            column = self._columns[at]
            table.add_column(
                column.heading,
                style=column.style,
                justify="right" if column.kind == "number" else "left",
                no_wrap=column.kind != "name",
                overflow="fold",
            )
        whole = {at: self._width(at) for at in columns}
        excess = max(0, sum(whole.values()) + _GAP * (len(columns) - 1) - width)
        before: list[str] = []
        for row in self._rows:
            titles = [cell.plain for cell in row[: self._titles]]
            again = len(titles) > 1 and titles[:1] == before[:1]
            before = titles
            cells = [
                breakable(row[at], whole[at] - excess)
                if self._columns[at].kind == "name"
                else row[at]
                for at in columns
            ]
            table.add_row(*([Text(""), *cells[1:]] if again else cells))
        return table

    def _as_block(self, row: Sequence[Text], width: int) -> Iterator[RenderableType]:
        yield breakable(Text(", ").join(row[: self._titles]), width)
        rest = [
            (column.heading_in_a_line, cell)
            for column, cell in zip(
                self._columns[self._titles :], row[self._titles :], strict=True
            )
            if column.kind != "picture" and cell.plain
        ]
        if not any(heading for heading, _ in rest):
            yield Text("    ") + Text(", ").join(cell for _, cell in rest)
            return
        left = width - 2 * _GAP
        least = max(_longest_word(cell.plain) for _, cell in rest)
        wanted = left - max(_longest_word(heading) for heading, _ in rest)
        cells = min(max(cell.cell_len for _, cell in rest), max(least, wanted), left - 1)
        headings = min(max(len(heading) for heading, _ in rest), left - cells)
        block = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        block.add_column(width=0)
        block.add_column(width=headings, overflow="fold")
        block.add_column(width=cells, overflow="fold")
        for heading, cell in rest:
            block.add_row("", heading, breakable(cell, cells))
        yield block


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def breakable(text: Text, width: int) -> Text:
    """Return a text with line breaks in words that are longer than a width, after `:`, `=`, `_` or `/`.

    A number that is part of a name stays whole.
    """
    width = max(width, _NAME)
    offsets = []
    for word in re.finditer(r"\S+", text.plain):
        start = word.start()
        for part in re.finditer(r"[^:=_/]*[:=_/]*", word[0]):
            begin, end = (word.start() + offset for offset in part.span())
            if end - start > width and begin > start:
                offsets.append(begin)
                start = begin
    return Text("\n").join(text.divide(offsets)) if offsets else text
