"""The tables of a correlation study's page: every cell as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from alray.analysis.correlation.groupings import GROUPING_TITLES
from alray.analysis.correlation.verdict import verdict_of
from alray.analysis.wording import (
    NOTHING,
    Row,
    Verdict,
    decimals_of,
    interval,
    p_value,
    share,
    signed,
)
from alray.reporting import theme
from alray.reporting.correlation.frames import OUTCOME_TITLES, shown_interval, words


@dataclass(frozen=True)
class Score:
    """The rows of one score.

    Attributes:
        name: In words.
        colour: As in the figures.
        queried: `large` or `small`.
        lines: A row per dose: epochs, then numbers, as text, in the order of the columns; and the verdict.
    """

    name: str
    colour: str
    queried: str
    lines: tuple[tuple[tuple[str, ...], Verdict], ...]


@dataclass(frozen=True)
class Table:
    """All scores and doses for one outcome and grouping.

    Attributes:
        outcome: In words.
        grouping: In words.
        main: Of the study's main outcome.
        compared: Groups are compared with random ones, so there are verdicts on uplift.
        doses: Columns of the overview.
        scores: In order.
    """

    outcome: str
    grouping: str
    main: bool
    compared: bool
    doses: tuple[int, ...]
    scores: tuple[Score, ...]


COLUMNS: Sequence[tuple[str, str]] = (
    ("epochs", "Dose: epochs of fine-tuning"),
    ("rho", "Spearman correlation of the group's mean score with its usefulness"),
    ("95 %", "Interval of rho"),
    ("p", "Permutation p, corrected for all scores"),
    ("partial", "Rho given the classes in the group"),
    ("uplift", "Usefulness of the queried tenth minus that of random groups"),
    ("95 %", "Interval of uplift"),
    ("change", "Mean usefulness of all groups"),
    ("ICC", "Reliability of a group's usefulness, mean over seeds"),
)
"""Columns before the verdict: heading and meaning."""


def tables(summary: pd.DataFrame, main_outcome: str) -> list[Table]:
    """Return a table per outcome and grouping, the main outcome first."""
    present = set(summary["outcome"])
    others = [name for name in OUTCOME_TITLES if name in present and name != main_outcome]
    made = []
    for outcome in [main_outcome, *others]:
        for grouping in GROUPING_TITLES:
            rows = summary[(summary["outcome"] == outcome) & (summary["grouping"] == grouping)]
            if len(rows):
                made.append(_table(rows, outcome, grouping, main=outcome == main_outcome))
    return made


def _table(summary: pd.DataFrame, outcome: str, grouping: str, *, main: bool) -> Table:
    rows = shown_interval(summary).sort_values("epochs", kind="stable")
    return Table(
        outcome=OUTCOME_TITLES.get(outcome, outcome),
        grouping=GROUPING_TITLES[grouping],
        main=main,
        compared=bool(summary["uplift"].notna().any()),
        doses=tuple(int(dose) for dose in rows["epochs"].unique()),
        scores=tuple(
            _score(name, rows[rows["score"] == name]) for name in summary["score"].unique()
        ),
    )


def _score(name: str, rows: pd.DataFrame) -> Score:
    return Score(
        name=words(name),
        colour=theme.colours([name])[0],
        queried=str(rows["queried"].iloc[0]),
        lines=tuple((_cells(row), verdict_of(row)) for row in rows.to_dict("records")),
    )


def _cells(row: Row) -> tuple[str, ...]:
    # An end that rounds to zero would contradict the verdict beside it.
    decimals = decimals_of(row["uplift_high"] - row["uplift_low"])
    write = partial(signed, decimals=decimals)
    return (
        str(row["epochs"]),
        signed(row["rho"]),
        interval(row["low"], row["high"]),
        p_value(row["p_max"]),
        signed(row["partial_rho"]),
        write(row["uplift"]),
        interval(row["uplift_low"], row["uplift_high"], write),
        signed(row["change"]),
        share(row["icc"]),
    )


def checks(frame: pd.DataFrame, main_outcome: str) -> list[tuple[str, ...]]:
    """Return epochs, effect of shuffled labels, its interval, split-half agreement, for the main outcome."""
    of_outcome = frame[frame["outcome"] == main_outcome].sort_values("epochs")
    return [
        (
            str(row["epochs"]),
            signed(row["shuffled"]),
            interval(row["shuffled_low"], row["shuffled_high"]) or NOTHING,
            share(row["split_half"]),
        )
        for row in of_outcome.to_dict("records")
    ]


def bases(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return number, initial labels, accuracy, NLL and macro F1 of every base model."""
    return [
        (
            str(row["base"]),
            f"{row['labels']:,}",
            *(share(float(row[outcome])) for outcome in ("accuracy", "nll", "macro_f1")),
        )
        for row in frame.to_dict("records")
    ]
