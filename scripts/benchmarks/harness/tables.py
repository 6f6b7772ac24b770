"""A table's two forms, for a terminal of 80 columns and as Markdown, and the files that keep measurements."""

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from textwrap import wrap

import click
import pandas as pd

from alray.studies.machine import processor
from benchmarks.harness.programs import ROOT

REFERENCE = ROOT / "results" / "reference" / "bench"
WIDTH = 80

write_option = click.option(
    "--write", is_flag=True, help=f"Keep the tables in {REFERENCE.relative_to(ROOT)}."
)


@dataclass(frozen=True)
class Table:
    """Measurements to read.

    Attributes:
        title: One line.
        columns: Headings.
        rows: As many cells each.
        notes: Lines below it.
        text_columns: How many of the first columns hold text; the others hold numbers and end at the right.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    text_columns: int = 1

    def lines(self) -> list[str]:
        """Return it for a terminal."""
        cells = [self.columns, *self.rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(self.columns))]
        alignments = ["<"] * self.text_columns + [">"] * (len(widths) - self.text_columns)
        formats = [f"  {{:{a}{w}}}" for a, w in zip(alignments, widths, strict=True)]
        aligned = ["".join(formats).format(*row) for row in cells]
        notes = [
            line
            for note in self.notes
            for line in wrap(note, WIDTH, initial_indent="  ", subsequent_indent="    ")
        ]
        return [*wrap(self.title, WIDTH), *aligned, *notes]

    def markdown(self) -> str:
        """Return it as Markdown."""
        numbers = len(self.columns) - self.text_columns
        rule = ["---"] * self.text_columns + ["---:"] * numbers
        lines = [f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows)]
        notes = "".join(f"- {note}\n" for note in self.notes)
        return f"## {self.title}\n\n" + "\n".join(lines) + "\n" + (f"\n{notes}" if notes else "")


def print_table(table: Table) -> None:
    """Print a table below an empty line."""
    print("\n" + "\n".join(table.lines()), flush=True)


def verdict(*, met: bool) -> str:
    """Return the word for a target that is met or missed."""
    return "met" if met else "missed"


def machine(packages: Sequence[str] = ("torch", "numpy", "ray")) -> list[str]:
    """Return the processor and the versions that measurements depend on, a line each."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {version(name)}" for name in ("alray", *packages)]
    return [f"{processor()}, {len(os.sched_getaffinity(0))} cores", ", ".join(versions)]


def write_report(path: Path, introduction: str, tables: Sequence[Table]) -> None:
    """Write tables as Markdown below an introduction, which ends with a line break."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join([introduction, *(table.markdown() for table in tables)])
    path.write_text(text, encoding="utf-8")
    print(f"written: {path}", file=sys.stderr)


def write_reference(
    name: str, frame: pd.DataFrame, tables: Sequence[Table], packages: Sequence[str]
) -> None:
    """Write tables as Markdown with the machine and the command, and every measurement as CSV beside it."""
    command = " ".join(["scripts/bench", *sys.argv[1:]])
    introduction = (
        f"# {name.capitalize()}\n\nWritten by `{command}`. {'; '.join(machine(packages))}.\n"
    )
    write_report(REFERENCE / f"{name}.md", introduction, tables)
    frame.to_csv(REFERENCE / f"{name}.csv", index=False)
