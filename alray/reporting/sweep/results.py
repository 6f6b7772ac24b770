"""The results of a sweep that its page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.forecast import Outlook
from alray.analysis.sweep.next_steps.steps import Step
from alray.analysis.sweep.stopping_rules.replay import Replay
from alray.reporting.writing import DEFAULT_FORMATS


@dataclass(frozen=True)
class SweepResults:
    """The findings of a sweep, with their origin.

    Attributes:
        title: Heading of the page.
        summary: A row per arm.
        comparison: Curves, differences, savings and more.
        verdict: The findings in one paragraph, shown first.
        problems: Sentences on failed and missing runs, shown before everything else.
        facts: The facts that a reader needs to assess and repeat the study, in order; `command` comes last.
        settings: The resolved settings by dotted name, empty where unknown.
        links: Text and address, relative to the page, of the data.
        metric: The metric that figures show.
        ceilings: Variant: the value of this metric that the model reaches with all labels, where known.
        by_crowd: Whether a crowd answers.
        label_cost: The price of a label, or of an answer where curves run along answers; where known.
        currency: Its currency, empty where not named.
        original: `original.original_intervals` of a sweep under `compat: original`, None of others.
        stopping: Where stopping rules would have stopped its runs; None of two sweeps side by side.
        outlook: Forecasts beyond the end of the curves, where they were asked for.
        next_steps: What to do next, the most pressing first; none of two sweeps side by side.
        formats: Of the files: html, svg, png, csv.
    """

    title: str
    summary: pd.DataFrame
    comparison: Comparison
    verdict: str
    problems: Sequence[str]
    facts: Mapping[str, str]
    settings: Mapping[str, Any]
    links: Sequence[tuple[str, str]]
    metric: str = "accuracy"
    ceilings: Mapping[str, float] = field(default_factory=dict)
    by_crowd: bool = False
    label_cost: float | None = None
    currency: str = ""
    original: pd.DataFrame | None = None
    stopping: Replay | None = None
    outlook: Outlook | None = None
    next_steps: Sequence[Step] = ()
    formats: Sequence[str] = DEFAULT_FORMATS
