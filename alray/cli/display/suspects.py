"""The labels that are likely wrong, in a terminal."""

from pathlib import Path
from shlex import quote

from rich.console import Console
from rich.text import Text

from alray.analysis.wording import count, is_or_are, share
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
        table = FittingTable(
            [
                Column("rank"),
                Column("id"),  # to be copied: never broken into lines
                Column("label", "name"),
                Column("network says", "name"),
                Column("p of\nlabel"),
                Column("p of\nother"),
            ],
            titles=2,
        )
        for row in shown.to_dict("records"):
            table.add(
                str(row["rank"]),
                *(visible_line(str(row[name])) for name in ("id", "label", "suggested")),
                share(row["self_confidence"]),
                share(row["suggested_confidence"]),
            )
        console.print(table)
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
    planted = found.planted
    lines.append(f"{KNOWN}; for this pool: --plant 100." if planted is None else _planted(planted))
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
