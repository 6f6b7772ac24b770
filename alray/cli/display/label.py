"""A campaign's batches, answers and status, in a terminal."""

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from alray.analysis.campaign.status import CampaignStatus
from alray.analysis.wording import NOTHING, count, interval, is_or_are, joined, share
from alray.cli.display.tables import Column, FittingTable, breakable
from alray.cli.visible import visible
from alray.pools.columns.metadata import name_some
from alray.settings.location import StudyPath
from alray.studies.campaign.adding import Added
from alray.studies.campaign.made_batch import MadeBatch

MOST_CLASSES, MOST_ASSESSORS = 20, 20
"""Rows of a table in a terminal; the largest come first."""


def print_batch(
    console: Console, batch: MadeBatch, files: Sequence[Path], following: str | None = None
) -> None:
    """Print which batch there is, where its file is, if it has one, and what to do next, unless that is said later."""
    number = count(len(batch.tasks), "object")
    for note in batch.notes:
        print_line(console, note)
    if batch.is_new:
        print_line(console, f"batch {batch.number}: {number}")
    else:
        again = "written again" if files else "kept"
        print_line(
            console,
            f"batch {batch.number} ({number}) has no answers yet, so it is {again}; --new chooses another",
        )
    if files:
        console.print(f"in {joined([str(each) for each in files])}", soft_wrap=True)
    if following is not None:
        console.print(f"next: have it answered, then {following}", soft_wrap=True)


def print_added(console: Console, added: Added, following: str) -> None:
    """Print what became of the answers of a file, and what to do next."""
    print_outcomes(console, added)
    console.print(f"next: {following}", soft_wrap=True)


def print_outcomes(console: Console, added: Added) -> None:
    """Print what became of answers."""
    for note in added.notes:
        print_line(console, note)
    if not added.rows:
        print_line(
            console,
            f"nothing is new: all {count(added.repeated, 'answer')} are on record already",
        )
    else:
        parts = [
            f"{count(added.used, 'answer')} used",
            *([f"{added.skipped:,} skipped"] if added.skipped else []),
            *([f"{added.rejected:,} rejected"] if added.rejected else []),
        ]
        print_line(console, f"added: {joined(parts)}")
        if added.repeated:
            print_line(
                console,
                f"{count(added.repeated, 'answer')} {is_or_are(added.repeated)} on record already, and "
                f"{is_or_are(added.repeated)} not added again",
            )
    if added.corrections:
        print_line(
            console,
            f"{count(added.corrections, 'answer')} by assessors who had answered about the object before: the latest "
            "counts, the former stays on record",
        )
    if added.new_classes:
        print_line(console, f"new classes: {name_some(added.new_classes)}")
    if added.unasked:
        print_line(
            console,
            f"kept aside: answers about {count(len(added.unasked), 'object')} that no batch had "
            f"({name_some(added.unasked)}); --take-unasked uses them",
        )
    if added.unknown:
        print_line(
            console,
            f"kept aside: answers about {count(len(added.unknown), 'id')} that the pool does not have "
            f"({name_some(added.unknown)})",
        )


def print_status(
    console: Console, status: CampaignStatus, option: str, page: StudyPath | None = None
) -> None:
    """Print sentences, then tables of batches, stopping rules, labels, classes and assessors, and what to do next."""
    print_line(console, f"campaign {status.name}")
    for sentence in status.sentences:
        print_line(console, sentence)
    if len(status.batches):
        console.print()
        console.print(_batches(status))
        console.print()
        console.print(_rules(status))
    console.print()
    console.print(_labels(status))
    console.print()
    console.print(_classes(status))
    if len(status.assessors):
        console.print()
        console.print(_assessors(status))
    console.print()
    if page is not None:
        console.print(f"page: {page}", soft_wrap=True)
    console.print(f"next: {status.next_command}{option}", soft_wrap=True)


def _batches(status: CampaignStatus) -> FittingTable:
    columns = [
        Column("batch"),
        Column("asked"),
        Column("answered"),
        Column("learnt\nfrom"),
        Column("accuracy"),
        Column("95 %\ninterval"),
    ]
    table = FittingTable(columns)
    for row in status.batches.to_dict("records"):
        table.add(
            *(f"{row[name]:,}" for name in ("batch", "asked", "answered", "labels")),
            share(row["accuracy"]),
            interval(row["accuracy_low"], row["accuracy_high"], share)[1:-1] or NOTHING,
        )
    return table


def _rules(status: CampaignStatus) -> FittingTable:
    table = FittingTable(
        [Column("stopping rule", "name"), Column("says", "name"), Column("reason", "name")]
    )
    for row in status.rules.to_dict("records"):
        table.add(str(row["rule"]), str(row["says"]), str(row["reason"]))
    return table


def _labels(status: CampaignStatus) -> FittingTable:
    table = FittingTable([Column("labels by source", "name"), Column("labels"), Column("waiting")])
    for row in status.labels.to_dict("records"):
        if row["labels"] or row["waiting"]:
            table.add(row["source"], f"{row['labels']:,}", f"{row['waiting']:,}")
    return table


def _classes(status: CampaignStatus) -> FittingTable:
    table = FittingTable([Column("class", "name"), Column("labels")])
    ordered = status.classes.sort_values("labels", ascending=False, kind="stable")
    for row in ordered.head(MOST_CLASSES).to_dict("records"):
        table.add(visible(str(row["class"])), f"{row['labels']:,}")
    more = len(ordered) - MOST_CLASSES
    if more > 0:
        rest = ordered["labels"].iloc[MOST_CLASSES:].sum()
        table.add(f"({more:,} more)", f"{int(rest):,}")
    return table


def _assessors(status: CampaignStatus) -> FittingTable:
    columns = [
        Column("assessor", "name"),
        Column("answers"),
        Column("skipped"),
        Column("rejected"),
        Column("median\nseconds"),
        Column("estimated\nskill"),
    ]
    table = FittingTable(columns)
    for row in status.assessors.head(MOST_ASSESSORS).to_dict("records"):
        seconds = row["seconds"]
        table.add(
            visible(str(row["worker"])) or "(not named)",
            *(f"{row[name]:,}" for name in ("answers", "skipped", "rejected")),
            NOTHING if math.isnan(seconds) else f"{seconds:,.1f}",
            share(row["skill"], 2),
        )
    more = len(status.assessors) - MOST_ASSESSORS
    if more > 0:
        table.add(f"({more:,} more)", *[""] * 5)
    return table


def print_line(console: Console, text: str) -> None:
    """Print a line that may hold any text, broken where it does not fit."""
    console.print(breakable(Text(visible(text)), console.width))
