"""The words of a sweep: first for the person who pays, then exactly."""

import pandas as pd

from alray.analysis.sweep.advice import advice
from alray.analysis.sweep.along import usual_axis
from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.beyond_full_data import beyond_said
from alray.analysis.sweep.common_stretch import stretch_said
from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.crowd_choices import choices_said, crowd_choices
from alray.analysis.sweep.findings import excluded, statement
from alray.analysis.sweep.full_data import finished_split
from alray.analysis.sweep.initial_selections import initial_selections, selections_said
from alray.analysis.sweep.regret import regret_said
from alray.analysis.sweep.saving_words import Price, price_in, spent_said
from alray.seeding import generator


def reading(summary: pd.DataFrame, *, by_crowd: bool = False) -> list[str]:
    """Return paragraphs for below the table: what was left out, what to do, and the exact statement.

    Args:
        summary: `summary.summarise` of the records.
        by_crowd: Whether a crowd answers.
    """
    rows = summary.to_dict("records")
    price = price_in(rows), ""
    parts = [
        excluded(rows),
        advice(rows, price=price),
        [
            *statement(rows, price=price),
            *regret_said(rows),
            *beyond_said(rows, by_crowd=by_crowd),
            *spent_said(rows),
        ],
    ]
    return [" ".join(part) for part in parts if part]


def further_said(
    rounds: pd.DataFrame, runs: pd.DataFrame, seed: int, initial_selection: str
) -> list[str]:
    """Return sentences on which part of the curves is compared, and on variants that are compared with each other.

    These differ in settings of a crowd, or in how their initial objects are chosen.

    Args:
        rounds: A row per run and round.
        runs: A row per run.
        seed: The study's.
        initial_selection: The study's own.
    """
    split = finished_split(rounds, runs)
    axis = Axis(usual_axis(split.rounds))
    choices, selections = (generator(seed, 0, "bootstrap") for _ in range(2))
    return [
        *stretch_said(split.rounds, axis),
        *choices_said(crowd_choices(split, axis, "accuracy", choices)),
        *selections_said(
            initial_selections(split, axis, "accuracy", selections, initial_selection)
        ),
    ]


def paragraph(
    summary: pd.DataFrame,
    comparison: Comparison,
    reference: str = RANDOM,
    price: Price | None = None,
    *,
    by_crowd: bool = False,
) -> str:
    """Return the findings of a sweep, a paragraph a line: what to do, the exact statement, what was left out.

    Args:
        summary: `summary.summarise` of the records.
        comparison: `comparison.compare` of the same records.
        reference: The name of what the others are compared with.
        price: The cost of a label and its currency, where known.
        by_crowd: Whether a crowd answers.
    """
    rows = summary.to_dict("records")
    parts = [
        advice(rows, reference, price),
        [
            *statement(rows, reference, comparison.differences, price),
            *regret_said(rows),
            *choices_said(comparison.crowd_choices, price[1] if price else ""),
            *selections_said(comparison.initial_selections, price[1] if price else ""),
            *beyond_said(rows, price[1] if price else "", by_crowd=by_crowd),
            *spent_said(rows, price),
        ],
        excluded(rows, reference),
    ]
    return "\n".join(" ".join(part) for part in parts if part)
