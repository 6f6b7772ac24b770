"""The page and figures of a sweep."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd

from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.full_data import BY_TRUE_LABELS
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.sweep.next_steps.steps import steps_frame, time_said
from alray.analysis.sweep.original import original_said
from alray.analysis.sweep.query_words import query_sentences
from alray.analysis.sweep.stopping_rules.words import stopping_said
from alray.reporting.figures import Figure
from alray.reporting.page import render_page, report_files
from alray.reporting.sweep import (
    crowd_tables,
    curve_charts,
    diagnostic_charts,
    difference_charts,
    forecast_charts,
    forecast_tables,
    pay_tables,
    query_charts,
    query_tables,
    stopping_charts,
    stopping_tables,
    tables,
)
from alray.reporting.sweep.results import SweepResults
from alray.reporting.sweep.style import ArmStyles, arms_of

FRAMES = tuple(field.name for field in dataclasses.fields(Comparison))
"""Frames of a comparison, as CSV files are named."""

ALONG = ("curves", "seeds", "differences", "savings", "milestones")
"""Those whose columns about labels are about the axis that curves run along."""


def render(results: SweepResults) -> dict[str, bytes]:
    """Return the files of a report, as `page.report_files` does."""
    arms = arms_of(results.summary, results.currency)
    figures = figures_of(results, arms)
    findings = {
        name: _as_file(name, getattr(results.comparison, name), arms.axis) for name in FRAMES
    }
    if results.original is not None:
        findings["original"] = results.original
    if results.stopping is not None:
        findings |= {"stopping": results.stopping.table, "stops": results.stopping.stops}
    if results.outlook is not None:
        findings["forecast"] = results.outlook.forecast
        findings["labels_needed"] = results.outlook.labels_needed
    if results.next_steps:
        findings["next_steps"] = steps_frame(results.next_steps)
    return report_files(
        figures,
        results.formats,
        partial(page_of, results, figures, arms),
        {"summary": results.summary, **findings},
    )


def _as_file(name: str, frame: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """Return a frame with columns that name the axis which it is along."""
    return frame.rename(columns=axis.column) if name in ALONG else frame


def figures_of(results: SweepResults, arms: ArmStyles) -> list[Figure]:
    """Return the figures in the order in which they are read; one that would be empty is left out."""
    found, metric, curves = results.comparison, results.metric, curve_charts
    figures = [
        curves.learning_curves(
            found.curves, arms, metric, results.ceilings, by_crowd=results.by_crowd
        )
    ]
    if results.original is not None:
        figures.append(curves.original_curves(results.original, arms, metric))
    figures += _forecast_figures(results, arms)
    if _has(found.differences, metric):
        figures.append(difference_charts.differences(found.differences, arms, metric))
    if len(found.savings):
        figures.append(difference_charts.savings(found.savings, arms, metric))
    if len(arms.variants) > 1:
        figures.append(curves.variant_curves(found.curves, arms, metric))
    if len(found.wins):
        figures.append(difference_charts.wins(found.wins, arms, metric))
    if _has(found.seeds, metric):
        figures.append(curves.seed_curves(found.seeds, found.curves, arms, metric))
    if found.curves["metric"].nunique() > 1:
        figures.append(curves.other_metrics(found.curves, arms, metric))
    figures += stopping_charts.stopping_points(results.stopping, found.curves, arms, metric)
    return [*figures, *_query_figures(results, arms)]


def _forecast_figures(results: SweepResults, arms: ArmStyles) -> list[Figure]:
    """Return the figure of forecasts, where these were asked for and an arm can be forecast."""
    ahead = results.outlook
    if ahead is None or ahead.forecast.empty:
        return []
    return [forecast_charts.forecasts(results.comparison.curves, ahead, arms)]


def _has(frame: pd.DataFrame, metric: str) -> bool:
    return len(frame) > 0 and metric in set(frame["metric"])


def _query_figures(results: SweepResults, arms: ArmStyles) -> list[Figure]:
    """Return the figures of queries and times, where these were recorded."""
    found, charts = results.comparison, query_charts
    figures = []
    if len(found.overlaps):
        figures.append(diagnostic_charts.overlaps(found.overlaps, arms))
    if len(found.query_measures):
        figures.append(diagnostic_charts.query_measures(found.query_measures, arms))
    if len(found.classes):
        figures.append(charts.classes(found.classes, arms))
    if len(found.scores):
        figures.append(charts.scores(found.scores, arms))
    rounds = found.rounds
    if rounds.filter(regex="^sigma_").notna().any(axis=None):
        figures.append(charts.sigmas(rounds, arms))
    if len(rounds) and rounds["fit_s"].notna().any():
        figures.append(charts.times(rounds, arms))
    return figures


def page_of(results: SweepResults, figures: Sequence[Figure], arms: ArmStyles) -> bytes:
    """Return the page, with these figures in it."""
    ends = results.summary["budget"].dropna().unique()
    budget = arms.axis.amount(float(ends[0])) if len(ends) == 1 else "the budget"
    found = results.comparison
    content = {
        "title": results.title,
        "verdict": results.verdict,
        "problems": results.problems,
        "next_steps": [(step, time_said(step)) for step in results.next_steps],
        "facts": results.facts,
        "settings": results.settings,
        "links": results.links,
        "formats": [name for name in ("svg", "png") if name in results.formats],
        "metric": metric_title(results.metric),
        "axis": arms.axis,
        "columns": tables.arm_columns(budget, arms.compared_title, results.metric, arms.axis),
        "lines": tables.arm_lines(results.summary, arms),
        "milestones": tables.milestones(
            results.comparison.milestones,
            arms,
            metric_title(results.metric),
            (results.label_cost, results.currency),
        ),
        "outlook": forecast_tables.outlook_table(results.outlook, arms),
        "queried": query_sentences(found.overlaps, found.query_measures, arms.reference_title),
        "query_columns": query_tables.query_columns(found.query_measures, arms.compared_title),
        "query_lines": query_tables.query_lines(found.overlaps, found.query_measures, arms),
        "by_crowd": results.by_crowd,
        "by_true_labels": BY_TRUE_LABELS,
        "crowd_columns": crowd_tables.crowd_columns(found.crowd),
        "crowd_lines": crowd_tables.crowd_lines(found.crowd, arms),
        "choice_sections": pay_tables.choice_sections(found, arms),
        "beyond_lines": pay_tables.beyond_lines(results.summary, arms),
        **_stopping(results, arms),
        "original": []
        if results.original is None
        else original_said(results.original, results.metric),
        "arms": arms,
        "variant_titles": arms.variant_titles(),
    }
    return render_page("sweep.html.j2", figures, content)


def _stopping(results: SweepResults, arms: ArmStyles) -> dict[str, Any]:
    """Return what the page says of stopping rules; nothing where they were not replayed."""
    found = results.stopping
    if found is None:
        return {"stopping_said": [], "stopping_columns": [], "stopping_lines": []}
    return {
        "stopping_said": stopping_said(found),
        "stopping_columns": stopping_tables.stopping_columns(found.table, results.currency),
        "stopping_lines": stopping_tables.stopping_lines(found.table, arms),
    }
