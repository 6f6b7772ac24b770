"""The page of a campaign's status, and its tables as files."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from alray.analysis.campaign.outlook import most_text
from alray.analysis.campaign.status import CampaignStatus
from alray.analysis.targets import about, target_text
from alray.analysis.wording import NOTHING, interval, share
from alray.reporting.campaign import charts
from alray.reporting.page import render_page
from alray.settings.location import StudyPath
from alray.studies.folder import Folder

PAGE = "status.html"

RARE = 5
"""Labels below which a class is called rare."""

Row = Mapping[Hashable, Any]


def write_status(folder: StudyPath, status: CampaignStatus, option: str = "") -> StudyPath:
    """Write the page and its tables into a campaign's folder; return the page.

    Args:
        folder: The campaign's.
        status: What it has reached.
        option: What the next command needs to find the campaign.

    Raises:
        StoreError: A file cannot be written.
    """
    Folder(folder).write_files(status_files(status, option))
    return folder / PAGE


def status_files(status: CampaignStatus, option: str = "") -> dict[str, bytes]:
    """Return the page, `status.html`, and its tables, `findings/<name>.csv`."""
    tables = {
        "batches": status.batches,
        "labels": status.labels,
        "classes": status.classes,
        "assessors": status.assessors,
        "stopping": status.rules,
        "forecast": status.outlook.forecast,
        "targets": status.outlook.targets,
    }
    files = {
        f"findings/{name}.csv": table.to_csv(index=False).encode()
        for name, table in tables.items()
    }
    return {PAGE: status_page(status, list(files), option), **files}


def status_page(status: CampaignStatus, files: Sequence[str], option: str = "") -> bytes:
    """Return the page."""
    measured = status.batches["accuracy"].notna().any()
    figures = [charts.accuracy(status)] if measured else []
    if len(status.classes):
        figures.append(charts.classes(status))
    rare = status.classes[status.classes["labels"] < RARE].sort_values("labels", kind="stable")
    content = {
        "title": f"Campaign {status.name}",
        "sentences": status.sentences,
        "advice": status.advice,
        "numbers": status.numbers,
        "rules": _records(status.rules),
        "tables": [
            _batches(status.batches),
            _labels(status.labels),
            *([_targets(status.outlook.targets)] if len(status.outlook.targets) else []),
            *([_assessors(status.assessors)] if len(status.assessors) else []),
            _classes(status.classes),
        ],
        "rare": [str(name) for name in rare["class"]],
        "rare_below": RARE,
        "files": files,
        "command": f"{status.next_command}{option}",
    }
    return render_page("campaign.html.j2", figures, content)


Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""Caption, headings and rows; the first cell of a row is its heading."""


def _batches(table: pd.DataFrame) -> Table:
    headings = (
        "batch",
        "asked",
        "audit",
        "answered",
        "waiting",
        "learnt from",
        "accuracy",
        "95 %",
        "objects",
    )
    rows = [
        [
            *(f"{row[name]:,}" for name in ("batch", "asked", "audit", "answered", "waiting")),
            f"{row['labels']:,}",
            share(row["accuracy"]),
            interval(row["accuracy_low"], row["accuracy_high"], share)[1:-1] or NOTHING,
            f"{row['audit_objects']:,}",
        ]
        for row in _records(table)
    ]
    return "Batches: what was asked, and the network by which each was chosen", headings, rows


def _labels(table: pd.DataFrame) -> Table:
    rows = [
        [
            str(row["source"]),
            f"{row['labels']:,}",
            f"{row['waiting']:,}",
            f"{row['answers']:,}",
            f"{row['cost']:,.2f}",
        ]
        for row in _records(table)
    ]
    return "Labels and money by purpose", ("purpose", "labels", "waiting", "answers", "cost"), rows


def _targets(table: pd.DataFrame) -> Table:
    rows = [
        [
            target_text(row["target"]),
            _count(row["labels"]),
            _count(row["low"]),
            NOTHING if math.isnan(row["low"]) else most_text(row),
        ]
        for row in _records(table)
    ]
    headings = ("accuracy", "labels to learn from", "90 % from", "to")
    return "Labels that targets take, by the forecast", headings, rows


def _count(labels: float) -> str:
    return NOTHING if math.isnan(labels) else about(labels)


def _assessors(table: pd.DataFrame) -> Table:
    rows = [
        [
            str(row["worker"]) or "(not named)",
            *(f"{row[name]:,}" for name in ("answers", "skipped", "rejected")),
            share(row["seconds"], 1),
            share(row["skill"], 2),
        ]
        for row in _records(table)
    ]
    headings = ("assessor", "answers", "skipped", "rejected", "median seconds", "estimated skill")
    return "Assessors", headings, rows


def _classes(table: pd.DataFrame) -> Table:
    ordered = table.sort_values("labels", ascending=False, kind="stable")
    rows = [[str(row["class"]), f"{row['labels']:,}"] for row in _records(ordered)]
    return "Classes", ("class", "labels"), rows


def _records(table: pd.DataFrame) -> Sequence[Row]:
    return table.to_dict("records")
