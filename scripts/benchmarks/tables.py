"""A table's two forms, for a terminal of 80 columns and as Markdown, and the files that keep what was measured."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from textwrap import wrap

import pandas as pd

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference" / "bench"
WIDTH = 80


@dataclass(frozen=True)
class Table:
    """What people read.

    Attributes:
        title: One line.
        columns: Headings; the first column is text, the others are numbers.
        rows: As many cells each.
        notes: Lines below it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def lines(self) -> list[str]:
        """Return it for a terminal."""
        cells = [list(self.columns), *(list(row) for row in self.rows)]
        widths = [max(len(row[place]) for row in cells) for place in range(len(self.columns))]
        aligned = []
        for first, *others in cells:
            numbers = "".join(
                f"  {cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)
            )
            aligned.append(f"  {first:<{widths[0]}}{numbers}")
        notes = [
            line
            for note in self.notes
            for line in wrap(note, WIDTH, initial_indent="  ", subsequent_indent="    ")
        ]
        return [*wrap(self.title, WIDTH), *aligned, *notes]

    def markdown(self) -> str:
        """Return it as Markdown."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = [f"| {' | '.join(row)} |" for row in (self.columns, rule, *self.rows)]
        notes = "".join(f"- {note}\n" for note in self.notes)
        return f"## {self.title}\n\n" + "\n".join(lines) + "\n" + (f"\n{notes}" if notes else "")


def print_table(table: Table) -> None:
    """Print a table below an empty line."""
    print("\n" + "\n".join(table.lines()), flush=True)


def processor() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def machine(packages: Sequence[str] = ("torch", "numpy", "ray")) -> list[str]:
    """Return the processor and the versions that a figure depends on, a line each."""
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {version(name)}" for name in ("alray", *packages)]
    return [f"{processor()}, {len(os.sched_getaffinity(0))} cores", ", ".join(versions)]


def parser_for(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the option that all of these scripts have."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--write", action="store_true", help="keep the figures in results/reference/bench"
    )
    return parser


def count(text: str) -> int:
    """Read a whole number of at least 1 from the command line."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: at least 1 is needed")
    return number


def counts(text: str) -> list[int]:
    """Read `10,30,100` from the command line."""
    return [count(word) for word in text.split(",")]


def keep(name: str, frame: pd.DataFrame, tables: Sequence[Table], packages: Sequence[str]) -> None:
    """Write every measurement as CSV and the tables as Markdown, with the machine and the command."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    frame.to_csv(REFERENCE / f"{name}.csv", index=False)
    command = " ".join([f"scripts/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    head = f"# {name.replace('-', ' ').capitalize()}\n\nWritten by `{command}`. {'; '.join(machine(packages))}.\n"
    text = "\n".join([head, *(table.markdown() for table in tables)])
    (REFERENCE / f"{name}.md").write_text(text, encoding="utf-8")
    print(f"written: {REFERENCE}/{name}.csv, {name}.md", file=sys.stderr)
