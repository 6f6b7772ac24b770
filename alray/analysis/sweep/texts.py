"""The words of a sweep: first for the person who pays, then exactly."""

import pandas as pd

from alray.analysis.sweep.advice import advice
from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.findings import excluded, statement
from alray.analysis.sweep.regret import regret_said
from alray.analysis.sweep.saving_words import Price


def reading(summary: pd.DataFrame) -> list[str]:
    """Return paragraphs for below the table: what was left out, what to do, and the exact statement."""
    rows = summary.to_dict("records")
    parts = [excluded(rows), advice(rows), [*statement(rows), *regret_said(rows)]]
    return [" ".join(part) for part in parts if part]


def paragraph(
    summary: pd.DataFrame,
    comparison: Comparison,
    reference: str = RANDOM,
    price: Price | None = None,
) -> str:
    """Return the findings of a sweep, a paragraph a line: what to do, the exact statement, what was left out.

    Args:
        summary: `summary.summarise` of the records.
        comparison: `comparison.compare` of the same records.
        reference: The name of what the others are compared with.
        price: The cost of a label and its currency, where known.
    """
    rows = summary.to_dict("records")
    parts = [
        advice(rows, reference, price),
        [*statement(rows, reference, comparison.differences, price), *regret_said(rows)],
        excluded(rows, reference),
    ]
    return "\n".join(" ".join(part) for part in parts if part)
