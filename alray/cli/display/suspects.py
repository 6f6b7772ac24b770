"""The labels that are likely wrong, in a terminal."""

from pathlib import Path
from shlex import quote

import pandas as pd
from rich.console import Console
from rich.text import Text

from alray.analysis.wording import Row, count, is_or_are, share
from alray.cli.display.suspects_truth import said_of_truth
from alray.cli.display.tables import Column, FittingTable, breakable
from alray.cli.visible import visible_line
from alray.studies.suspects.finding import Planted, Suspects

KNOWN = (
    "On two pools whose right labels are known, 82 to 94 of 100 labels that were made wrong were suspect, and up to 6 "
    "of 100 right ones"
)
"""As `results/reference/suspects` has it."""


def print_suspects(console: Console, found: Suspects, top: int, target: Path | None) -> None:
    """Print the first suspects, how many there are, and what that is worth."""
    shown = found.table[found.table["suspect"]].head(top)
    if len(shown):
        console.print(_listed(shown))
        hidden = found.count - len(shown)
        if hidden:
            more = f"... {count(hidden, 'more suspect')}"
            console.print(f"{more} (--top {found.count} shows them all)", style="dim")
        console.print()
    for sentence in said(found):
        console.print(breakable(Text(sentence), console.width))
    if target is not None:
        wrote = f"wrote {quote(str(target))}: {count(len(found.table), 'label')}, suspects first"
        console.print(visible_line(wrote), soft_wrap=True)


def _listed(shown: pd.DataFrame) -> FittingTable:
    truths = "truth" in shown.columns
    columns = [
        Column("rank"),
        Column("id"),  # to be copied: never broken into lines
        Column("label", "name"),
        Column("network says", "name"),
        *([Column("truth", "name"), Column("wrong")] if truths else []),
        Column("p of\nlabel"),
        Column("p of\nother"),
    ]
    table = FittingTable(columns, titles=2)
    for row in shown.to_dict("records"):
        table.add(
            str(row["rank"]),
            *(visible_line(str(row[name])) for name in ("id", "label", "suggested")),
            *(_truth_cells(row) if truths else []),
            share(row["self_confidence"]),
            share(row["suggested_confidence"]),
        )
    return table


def _truth_cells(row: Row) -> tuple[str, str]:
    """Return the truth and whether the label is wrong; both are empty where that is not known."""
    if not isinstance(row["truth"], str):
        return "", ""
    return visible_line(str(row["truth"])), "yes" if row["wrong"] else "no"


def said(found: Suspects) -> list[str]:
    """Return what is found, in sentences."""
    labels, suspects = len(found.table), found.count
    rate = f" ({100 * suspects / labels:.1f} %)" if labels else ""
    lines = [
        f"{suspects:,} of {count(labels, 'label')}{rate} {is_or_are(suspects)} suspect: confident learning counts so "
        "many, by networks that had not learned the labels they judge."
    ]
    if found.not_judged:
        verb = is_or_are(found.not_judged)
        lines.append(
            f"{count(found.not_judged, 'label')} {verb} not judged: all objects of the class are in one fold."
        )
    lines.append(
        "A suspect label may be right: where classes are hard to tell apart, right labels are suspect too, and wrong "
        "ones are missed."
    )
    planted, checked = found.planted, found.checked
    lines += [] if checked is None else said_of_truth(checked)
    if planted is not None:
        lines.append(_planted(planted))
    elif checked is None or checked.uneven:
        lines.append(f"{KNOWN}; for this pool: --plant 100.")
    return lines


def _planted(planted: Planted) -> str:
    what = {
        "structured": "each now a class that is easily taken for it",
        "uniform": "each now any other class",
    }[planted.errors]
    return (
        f"Tried on this pool: of {count(planted.labels, 'label')} that {_was(planted.labels)} made wrong ({what}), "
        f"{planted.found:,} {_was(planted.found)} among the {count(planted.suspects, 'suspect')} then, and "
        f"{planted.first:,} {_was(planted.first)} among the first {planted.labels:,}."
    )


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
