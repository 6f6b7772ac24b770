"""The page and figures of a sweep."""

from collections.abc import Sequence

import pandas as pd

from alray.reporting.figures import Figure
from alray.reporting.page import csv_of, figure_files, render_page
from alray.reporting.sweep import curve_charts, difference_charts, query_charts, tables
from alray.reporting.sweep.frames import metric_title
from alray.reporting.sweep.results import SweepResults
from alray.reporting.sweep.style import ArmStyles, arms_of

FRAMES = (
    "curves",
    "seeds",
    "differences",
    "savings",
    "milestones",
    "wins",
    "classes",
    "scores",
    "rounds",
)
"""Frames of a comparison, as CSV files are named."""


def render(results: SweepResults) -> dict[str, bytes]:
    """Return the files of a report, name relative to its folder: content.

    These are, as `formats` asks, `report.html`, `figures/<name>.svg`, `figures/<name>.png`, `findings/<frame>.csv`.
    """
    arms = arms_of(results.summary)
    figures = figures_of(results, arms)
    files = figure_files(figures, results.formats)
    if "html" in results.formats:
        files["report.html"] = page_of(results, figures, arms)
    if "csv" in results.formats:
        files["findings/summary.csv"] = csv_of(results.summary)
        for name in FRAMES:
            files[f"findings/{name}.csv"] = csv_of(getattr(results.comparison, name))
    return files


def figures_of(results: SweepResults, arms: ArmStyles) -> list[Figure]:
    """Return the figures in the order in which they are read; one that would be empty is left out."""
    found, metric = results.comparison, results.metric
    curves = curve_charts
    figures = [curves.learning_curves(found.curves, arms, metric, results.ceilings)]
    if _has(found.differences, metric=metric):
        figures.append(difference_charts.differences(found.differences, arms, metric))
    if len(found.savings):
        figures.append(difference_charts.savings(found.savings, arms))
    if len(arms.variants) > 1:
        figures.append(curves.variant_curves(found.curves, arms, metric))
    if len(found.wins):
        figures.append(difference_charts.wins(found.wins, arms))
    if _has(found.seeds, metric=metric):
        figures.append(curves.seed_curves(found.seeds, found.curves, arms, metric))
    if found.curves["metric"].nunique() > 1:
        figures.append(curves.other_metrics(found.curves, arms, metric))
    return [*figures, *_query_figures(results, arms)]


def _has(frame: pd.DataFrame, **values: str) -> bool:
    kept = frame
    for column, value in values.items():
        kept = kept[kept[column] == value] if len(kept) else kept
    return len(kept) > 0


def _query_figures(results: SweepResults, arms: ArmStyles) -> list[Figure]:
    """Return the figures of queries and times, where these were recorded."""
    found, charts = results.comparison, query_charts
    figures = []
    if len(found.classes):
        figures.append(charts.classes(found.classes, arms))
    if len(found.scores):
        figures.append(charts.scores(found.scores, arms))
    rounds = found.rounds
    if any(str(name).startswith("sigma_") for name in rounds.columns):
        figures.append(charts.sigmas(rounds, arms))
    if len(rounds) and rounds["fit_s"].notna().any():
        figures.append(charts.times(rounds, arms))
    return figures


def page_of(results: SweepResults, figures: Sequence[Figure], arms: ArmStyles) -> bytes:
    """Return the page, with these figures in it."""
    last = results.summary["labels"].max()
    labels = "the budget" if pd.isna(last) else f"{int(last):,} labels"
    content = {
        "title": results.title,
        "verdict": results.verdict,
        "problems": results.problems,
        "facts": results.facts,
        "settings": results.settings,
        "links": results.links,
        "formats": [name for name in ("svg", "png") if name in results.formats],
        "against": arms.reference_title,
        "metric": metric_title(results.metric),
        "columns": tables.arm_columns(labels, arms.reference_title),
        "lines": tables.arm_lines(results.summary, arms),
        "milestones": tables.milestones(
            results.comparison.milestones, arms, results.label_cost, results.currency
        ),
        "arms": arms,
        "variant_titles": arms.variant_titles(),
    }
    return render_page("sweep.html.j2", figures, content)
