"""The table of arms at the end of a study."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd
from rich.console import Console
from rich.text import Text

from alray.analysis.sweep.axis import LABELS, axis_in
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.references import reference_title
from alray.analysis.sweep.texts import reading
from alray.analysis.wording import NOTHING, Row, count, interval, is_or_are, share, signed
from alray.cli.display.tables import Column, FittingTable, breakable
from alray.cli.visible import visible
from alray.settings.location import StudyPath
from alray.studies.folder import ERRORS


def print_summary(
    console: Console,
    summary: pd.DataFrame,
    path: StudyPath,
    page: StudyPath | None = None,
    outside: str = "",
    further: Sequence[str] = (),
    *,
    by_crowd: bool = False,
) -> None:
    """Print the table of arms, what it says in words, and where the results and the page about them lie.

    `outside` names the labels outside the budget, where they are known; `further` are sentences for below what the
    summary says: of the published study's intervals, of which part of the curves is compared, and of variants that are
    compared with each other; `by_crowd` is whether a crowd answers.
    """
    if summary["seeds"].sum() == 0:
        console.print(f"no run has finished; their errors are in {path}/{ERRORS}", soft_wrap=True)
        return
    if failed := int(summary["failed"].sum()):
        arms = summary.loc[summary["failed"] > 0, ["arm", "failed"]].itertuples(index=False)
        named = ", ".join(f"{arm} {times}" for arm, times in arms)
        excluded = f"{count(failed, 'run')} failed and {is_or_are(failed)} left out: {named}"
        console.print(Text(excluded, style="red"))
        console.print(f"where and why: {path}/{ERRORS}", soft_wrap=True)
        console.print()
    console.print(_table(summary))
    for line in _below(summary, outside):
        console.print(line)
    console.print()
    for paragraph in [*reading(summary, by_crowd=by_crowd), " ".join(further)]:
        if not paragraph:
            continue
        console.print(breakable(Text(paragraph), console.width))
        console.print()
    console.print(f"results: {path}", soft_wrap=True)
    if page is not None:
        console.print(f"page: {page}", soft_wrap=True)


def _table(summary: pd.DataFrame) -> FittingTable:
    rows = summary.to_dict("records")
    axis = axis_in(rows)
    ends = summary.get("budget", summary["labels"]).dropna().unique()
    table = FittingTable(
        [
            Column("arm", "name"),
            Column("whole\ncurve", "name"),
            Column(f"{axis.title}\nsaved, %"),
            Column(f"ALC against\n{reference_title(rows)}"),
            Column(f"accuracy\nat {'the end' if len(ends) > 1 else axis.at(float(ends[0]))}"),
            Column("macro\nF1"),
        ]
    )
    for row in rows:
        table.add(*_cells(row))
    return table


def _below(summary: pd.DataFrame, outside: str) -> Iterator[str | Text]:
    """Yield the lines below the table that say what its numbers are."""
    axis = axis_in(summary.to_dict("records"))
    yield Text("in brackets: 95 % intervals, for all arms together", style="dim")
    if axis != LABELS:
        yield Text(
            f"along {axis.title}, since runs pay different amounts for a label (alray report --x labels shows labels)",
            style="dim",
        )
    if outside:
        yield f"{outside} (labels outside the budget of {int(summary['labels'].max()):,})"


def _cells(row: Row) -> tuple[Text, str, str, str, str, str]:
    name = Text(visible(str(row["arm"])))
    if row["oracle"]:
        name.append(" (oracle)", style="italic")
    return (
        name,
        whole_curve(row).cell.partition(",")[0] if row["paired_seeds"] else NOTHING,
        _saving(row),
        _difference(row),
        share(row["accuracy"]),
        share(row["macro_f1"]),
    )


def _difference(row: Row) -> str:
    ends = interval(row["alc_difference_low"], row["alc_difference_high"], between=", ")
    return f"{signed(row['alc_difference'])} {ends}".rstrip()


def _saving(row: Row) -> str:
    estimate, low, high = row["labels_saved"], row["labels_saved_low"], row["labels_saved_high"]
    if math.isnan(estimate):
        return "-" if math.isnan(row["alc_difference"]) else "not reached"
    if math.isnan(low) and math.isnan(high):
        return f"{100 * estimate:.0f}"
    ends = ["?" if math.isnan(end) else f"{100 * end:.0f}" for end in (low, high)]
    return f"{100 * estimate:.0f} ({', '.join(ends)})"
