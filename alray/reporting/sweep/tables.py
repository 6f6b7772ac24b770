"""The tables of a sweep's page: every cell as text."""

import math
from collections.abc import Iterator, Mapping, Sequence
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
    count,
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
        cells: Arm: what it needs, saving, its interval, its value in money, and the arm's own target where its paired
            seeds give another one than `spent` names.
    """

    heading: str
    spent: str
    cells: Mapping[str, tuple[str, str, str, str, str]]


_SHARES = {0.25: "a quarter", 0.5: "half", 0.75: "three quarters", 1.0: "all"}


def milestones(
    frame: pd.DataFrame, arms: ArmStyles, title: str, price: Price
) -> dict[tuple[str, str], list[Milestone]]:
    """Return the tables of milestones: for each share of the reference's budget what arms need and save.

    Each reference of a variant has a table of its own, since its arms are measured by what that reference reaches.

    Args:
        frame: The milestones of a `Comparison`.
        arms: The arms.
        title: The metric in words.
        price: The cost of a label and its currency, where known.

    Returns:
        Variant and strategy of the reference: a milestone for each share.
    """
    made: dict[tuple[str, str], list[Milestone]] = {}
    if frame.empty:
        return made
    described = arms.described(frame)
    strategies = {arm.name: arm.strategy for arm in arms.all}
    described = described.assign(reference=described["against"].replace(strategies))
    keys = ["variant", "reference", "share"]
    for (variant, reference, part), of_share in described.groupby(keys, sort=True):
        rows: Sequence[Row] = of_share.to_dict("records")
        known = [row for row in rows if not math.isnan(row["target"])]
        if not known:
            continue  # that part of the budget is spent on initial labels
        first = max(known, key=lambda row: int(row["seeds"]))
        target = share(first["target"])
        spent = f"{title} {target} with {arms.axis.amount(first['random_labels'])}"
        cells = {
            str(row["arm"]): (
                *_milestone_cells(row, price, arms.axis),
                _other_target(row, title, target),
            )
            for row in rows
        }
        heading = f"{_SHARES.get(float(str(part)), str(part))} of the budget"
        key = str(variant), str(reference)
        made.setdefault(key, []).append(Milestone(heading, spent, cells))
    order = {reference: number for number, reference in enumerate(arms.references)}
    return dict(sorted(made.items(), key=lambda item: (item[0][0], order.get(item[0][1], 0))))


def _other_target(row: Row, title: str, target: str) -> str:
    """Return the target of a cell where it is not that of its column: the reference's mean over other seeds."""
    own = share(row["target"])
    return (
        ""
        if own in {target, NOTHING}
        else f"at {title} {own}, over {count(row['seeds'], 'paired seed')}"
    )


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
