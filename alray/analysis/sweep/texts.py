"""The words of a sweep: first for the person who pays, then exactly."""

import pandas as pd

from alray.analysis.sweep.advice import advice
from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.beyond_full_data import beyond_said
from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.crowd_choices import choices_said
from alray.analysis.sweep.findings import excluded, statement
from alray.analysis.sweep.regret import regret_said
from alray.analysis.sweep.saving_words import Price, price_in, spent_said


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
            *beyond_said(rows, price[1] if price else "", by_crowd=by_crowd),
            *spent_said(rows, price),
        ],
        excluded(rows, reference),
    ]
    return "\n".join(" ".join(part) for part in parts if part)
