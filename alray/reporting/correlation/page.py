"""The page and figures of a correlation study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from alray.analysis.correlation.groupings import GROUPING_TITLES
from alray.analysis.wording import count
from alray.reporting.correlation import charts, rho_charts, tables
from alray.reporting.correlation.frames import Choice, choose, group_points
from alray.reporting.figures import Figure
from alray.reporting.page import render_page, report_files
from alray.reporting.writing import DEFAULT_FORMATS

FILES = (
    "summary.parquet",
    "quantiles.parquet",
    "checks.parquet",
    "groups/",
    "outcomes/",
    "bases/",
)
"""Data in the study's folder that the page links to."""


@dataclass(frozen=True)
class CorrelationResults:
    """The findings of a study; the frames are those of its Parquet files.

    Attributes:
        groups: A row per base, grouping, score sorted by, and object.
        outcomes: A row per fine-tune and dose.
        bases: A row per base.
        summary: A row per score, grouping, outcome and dose.
        quantiles: A row per score, grouping, outcome, dose and tenth.
        checks: A row per outcome and dose.
        title: Heading of the page.
        facts: Shown as settings, in order; `command` comes last.
        sentences: The findings in at most three sentences, shown first.
        details: All that can be said in sentences, shown with the numbers.
        problems: What failed or is missing, shown before all else.
        main_outcome: The outcome that figures show.
        main_epochs: The dose that printed figures show, and the page at first; the largest where None.
        formats: Of the files: html, svg, png, csv.
    """

    groups: pd.DataFrame
    outcomes: pd.DataFrame
    bases: pd.DataFrame
    summary: pd.DataFrame
    quantiles: pd.DataFrame
    checks: pd.DataFrame
    title: str
    facts: Mapping[str, str]
    sentences: Sequence[str]
    details: Sequence[str] = ()
    problems: Sequence[str] = ()
    main_outcome: str = "accuracy"
    main_epochs: int | None = None
    formats: Sequence[str] = DEFAULT_FORMATS


def render(results: CorrelationResults) -> dict[str, bytes]:
    """Return the files of a report, as `page.report_files` does.

    Raises:
        ValueError: If the summary lacks the main outcome or dose.
    """
    choice = choose(results.summary, results.outcomes, results.main_outcome, results.main_epochs)
    figures = figures_of(results, choice)
    findings = {name: getattr(results, name) for name in ("summary", "quantiles", "checks")}
    page = partial(page_of, results, figures, choice)
    return report_files(figures, results.formats, page, findings)


def figures_of(results: CorrelationResults, choice: Choice) -> list[Figure]:
    """Return the figures in the order in which they are read.

    Without any uplift, as where groups are random only, there is no figure of it.
    """
    points = group_points(results.groups, results.outcomes, results.bases, choice)
    of_outcome = results.summary["outcome"] == choice.outcome
    has_uplift = results.summary.loc[of_outcome, "uplift"].notna().any()
    return [
        *([charts.uplift(results.summary, choice)] if has_uplift else []),
        charts.scatter(points, results.quantiles, choice),
        charts.quantile_response(results.quantiles, choice),
        rho_charts.dose_curves(results.summary, choice),
        rho_charts.grouping_agreement(results.summary, choice),
    ]


def page_of(results: CorrelationResults, figures: Sequence[Figure], choice: Choice) -> bytes:
    """Return the page, with these figures in it."""
    content = {
        "title": results.title,
        "sentences": results.sentences,
        "details": results.details,
        "problems": results.problems,
        "facts": results.facts,
        "files": FILES,
        "formats": [name for name in ("svg", "png") if name in results.formats],
        "outcome": choice.outcome_title,
        "choice": choice,
        "chosen": {
            "epochs": count(choice.epochs, "epoch"),
            "grouping": GROUPING_TITLES[choice.grouping],
        },
        "counted": count,
        "controlled": choice.controlled,
        "grouping_titles": GROUPING_TITLES,
        "columns": tables.COLUMNS,
        "tables": tables.tables(results.summary, choice.outcome),
        "checks": tables.checks(results.checks, choice.outcome),
        "bases": tables.bases(results.bases),
    }
    return render_page("correlation.html.j2", figures, content)
