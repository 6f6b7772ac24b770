"""The tables at the end of a correlation study, rho and uplift over the dose, with the findings in words."""

import math
from collections.abc import Callable

import pandas as pd
from rich.console import Console
from rich.text import Text

from alray.analysis.correlation.groupings import SHORT_GROUPING_TITLES
from alray.analysis.correlation.opening import opening
from alray.analysis.wording import Row, count, share, signed
from alray.cli.display.tables import Column, FittingTable, breakable
from alray.reporting.correlation.report import measured_prediction
from alray.settings.correlation import GROUPINGS
from alray.settings.location import StudyPath
from alray.statistics.paired import SIGNIFICANCE, excludes_zero
from alray.studies.correlation.results import Correlation


def print_correlation(console: Console, found: Correlation, page: StudyPath | None = None) -> None:
    """Print both tables, the findings in words, and where the results lie."""
    for task, error in zip(found.failures["task"], found.failures["error"], strict=True):
        console.print(Text(f"failed: {task}: {error}", style="red"))
    outcome = found.settings.outcome
    summary = found.summary[found.summary["outcome"] == outcome]
    order = summary["grouping"].map(GROUPINGS.index)
    names = list(dict.fromkeys(found.summary["score"]))
    summary = summary.assign(_order=order, _score=summary["score"].map(names.index))
    summary = summary.sort_values(["_score", "_order", "epochs"])
    better = "lower nll is better, so rho is with its fall" if outcome == "nll" else "+ is better"
    console.print(f"rho: a group's mean score with what the group does for {outcome} ({better}).")
    console.print("(large), (small): the end of the score that a strategy would query.")
    console.print("reliability: agreement of the fine-tuning seeds (ICC).")
    console.print(_table(summary, _rho, with_reliability=True))
    console.print()
    queried = summary[summary["grouping"] != "random"]
    if len(queried):
        console.print(
            f"uplift: what the tenth of the groups that would be queried does for {outcome}"
        )
        console.print("beyond random groups.")
        console.print(_table(queried, _uplift, with_reliability=False))
    console.print(
        Text("* p < .05, corrected for the scores; for uplift: its 95 % interval excludes zero")
    )
    console.print()
    grouping = "score" if "score" in set(summary["grouping"]) else str(summary["grouping"].iloc[0])
    main = outcome, grouping
    prediction = measured_prediction(found.settings.replay)
    for sentence in opening(found.summary, found.checks, prediction, main):
        console.print(breakable(Text(sentence), console.width))
    console.print()
    console.print(f"results: {found.path}", soft_wrap=True)
    if page is not None:
        console.print(f"page:    {page}", soft_wrap=True)


def _table(
    summary: pd.DataFrame, cell: Callable[[Row], str], *, with_reliability: bool
) -> FittingTable:
    doses = sorted(set(summary["epochs"]))
    columns = [Column("score", "name"), Column("groups", "name")]
    columns += [Column(count(dose, "epoch").replace(" ", "\n")) for dose in doses]
    columns += [Column("relia-\nbility")] if with_reliability else []
    table = FittingTable(columns, titles=2)
    for names, rows in summary.groupby(["score", "grouping"], sort=False):
        name, grouping = map(str, names)
        of_dose = {int(row["epochs"]): row for row in rows.to_dict("records")}
        first = of_dose[doses[-1]]
        shown = f"{name} ({first['queried']})"
        cells = [cell(of_dose[dose]) if dose in of_dose else "" for dose in doses]
        ends = [_reliability(rows)] if with_reliability else []
        table.add(shown, SHORT_GROUPING_TITLES[grouping], *cells, *ends)
    return table


def _rho(row: Row) -> str:
    if math.isnan(row["rho"]):
        return "- "
    star = "*" if row["p_max"] < SIGNIFICANCE else " "
    sign = "+" if row["rho"] >= 0 else "-"
    return sign + f"{abs(row['rho']):.2f}".replace("0.", ".", 1) + star


def _uplift(row: Row) -> str:
    if math.isnan(row["uplift"]):
        return "- "
    star = "*" if excludes_zero(row["uplift_low"], row["uplift_high"]) else " "
    return signed(row["uplift"]) + star


def _reliability(rows: pd.DataFrame) -> str:
    low, high = rows["icc"].min(), rows["icc"].max()
    if math.isnan(low):
        return "-"
    ends = [share(value)[:-1] for value in (low, high)]
    return ends[0] if ends[0] == ends[1] else f"{ends[0]}-{ends[1]}"
