"""The tables of a sweep's page: every cell as text."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.sweep.saving_words import Price
from alray.analysis.wording import (
    NOTHING,
    REFERENCE,
    Row,
    Verdict,
    interval,
    p_value,
    percentage,
    share,
    signed,
)
from alray.reporting.sweep.style import ArmStyle, ArmStyles
from alray.statistics.paired import FEWEST_SEEDS

Cells = tuple[tuple[str, str], ...]
"""Text of every column, in order: value, and its interval or nothing."""


def arm_columns(labels: str, against: str, metric: str, axis: Axis) -> list[tuple[str, str]]:
    """Return heading and meaning of each column of the table of arms, what decides first."""
    title = metric_title(metric)
    last = "Mean over seeds at the last checkpoint, with its 95 % t interval"
    return [
        (
            f"{axis.title} saved",
            f"At {against}'s final {title}, or the arm's own where that is worse; 95 % interval for all arms together",
        ),
        (
            "area",
            f"Area under the learning curve minus {against}'s: mean {title} over the {axis.title}; 95 % interval for "
            f"all arms together, by the test that p is of; none with fewer than {FEWEST_SEEDS} seeds",
        ),
        (
            "p",
            "Of the areas: signs of seeds flipped for all arms at once, the greatest difference counting",
        ),
        (f"accuracy at {labels}", last),
        ("macro F1", last),
        ("recall of the rarest classes", f"Of the rarest fifth of the classes. {last}"),
        ("NLL", "Negative log-likelihood at the last checkpoint, nats: less is better"),
        ("seeds", f"Finished runs; paired with {against} where it says so"),
        ("s per round", "Query, fit and evaluation, mean"),
    ]


def arm_lines(summary: pd.DataFrame, arms: ArmStyles) -> Iterator[tuple[ArmStyle, Cells, Verdict]]:
    """Yield each arm, in the order of the summary, with its cells and the verdict on its whole curve."""
    for row, arm in zip(summary.to_dict("records"), arms.all, strict=True):
        yield (
            arm,
            _cells(row),
            REFERENCE if arm.reference and not arm.against else whole_curve(row),
        )


def _cells(row: Row) -> Cells:
    seeds = f"{row['seeds']}"
    if row["paired_seeds"] and row["paired_seeds"] != row["seeds"]:
        seeds = f"{row['seeds']}, {row['paired_seeds']} paired"
    return (
        percentage(row["labels_saved"], row["labels_saved_low"], row["labels_saved_high"]),
        (
            signed(row["alc_difference"]),
            interval(row["alc_difference_low"], row["alc_difference_high"]),
        ),
        (p_value(row["p"]), ""),
        *(
            (share(row[name]), interval(row[f"{name}_low"], row[f"{name}_high"], share))
            for name in ("accuracy", "macro_f1", "rare_recall")
        ),
        (share(row["nll"]), ""),
        (seeds, ""),
        (
            NOTHING if math.isnan(row["seconds_per_round"]) else f"{row['seconds_per_round']:.2f}",
            "",
        ),
    )


@dataclass(frozen=True)
class Milestone:
    """The labels, answers or money that arms save when the reference has spent a share of its budget.

    Attributes:
        heading: `half of the budget` and the like.
        spent: The metric, and what the reference needs for it, as text.
        cells: Arm: what it needs, saving, its interval, its value in money.
    """

    heading: str
    spent: str
    cells: Mapping[str, tuple[str, str, str, str]]


_SHARES = {0.25: "a quarter", 0.5: "half", 0.75: "three quarters", 1.0: "all"}


def milestones(
    frame: pd.DataFrame, arms: ArmStyles, title: str, price: Price
) -> dict[str, list[Milestone]]:
    """Return variant: a milestone for each share of the reference's budget; `title` is the metric in words."""
    made: dict[str, list[Milestone]] = {}
    if frame.empty:
        return made
    described = arms.described(frame)
    for (variant, part), of_share in described.groupby(["variant", "share"], sort=True):
        rows = of_share.to_dict("records")
        first = rows[0]
        cells = {str(row["arm"]): _milestone_cells(row, price, arms.axis) for row in rows}
        if all(math.isnan(row["target"]) for row in rows):
            continue  # that part of the budget is spent on initial labels
        needed = arms.axis.amount(first["random_labels"])
        spent = f"{title} {share(first['target'])} with {needed}"
        heading = f"{_SHARES.get(float(str(part)), str(part))} of the budget"
        made.setdefault(str(variant), []).append(Milestone(heading, spent, cells))
    return made


def _milestone_cells(row: Row, price: Price, axis: Axis) -> tuple[str, str, str, str]:
    saving, ends = percentage(row["saving"], row["low"], row["high"])
    amount = row["arm_labels"]
    needed = axis.amount(amount) if math.isfinite(amount) else "not within the budget"
    value = ""
    cost, currency = price
    if axis.is_money:
        cost = None  # that is what is saved already
    if cost is not None and math.isfinite(row["saving"]):
        each = cost * row["random_labels"]
        value = money(each * row["saving"], each * row["low"], each * row["high"], currency)
    return needed, saving, ends, value


def money(value: float, low: float, high: float, currency: str) -> str:
    """Return `12.50 EUR (3.00 to 20.00)`."""
    text = f"{value:,.2f} {currency}".rstrip()
    return f"{text} ({low:,.2f} to {high:,.2f})" if math.isfinite(low + high) else text
