"""What a page about a sweep is made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pandas as pd

from alray.analysis.sweep.comparison import Comparison
from alray.reporting.writing import DEFAULT_FORMATS

NO_CEILINGS: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class SweepResults:
    """What a sweep found, with where it came from.

    Attributes:
        title: Heading of the page.
        summary: A row per arm.
        comparison: Curves, differences, savings and more.
        verdict: The reading in one paragraph, shown first.
        problems: What failed or is missing, shown before everything else; empty where nothing is.
        facts: What a reader has to know to judge and repeat the study, in order; `command` comes last.
        settings: The resolved settings by dotted name, empty where unknown.
        links: Text and address, relative to the page, of the data.
        metric: The metric that figures show.
        ceilings: Variant: what the model reaches in this metric with all labels, where known.
        label_cost: What a label costs, where asked for.
        currency: Its currency, empty where not named.
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
    ceilings: Mapping[str, float] = field(default_factory=lambda: NO_CEILINGS)
    label_cost: float | None = None
    currency: str = ""
    formats: Sequence[str] = DEFAULT_FORMATS
