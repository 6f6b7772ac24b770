"""How labels saved are written: as a share, as labels, as money, and where along the curve an arm is ahead."""

import math
from collections.abc import Sequence

import pandas as pd

from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.wording import Row, percentage

Price = tuple[float, str]
"""What a label costs, and the currency, "" where none is named."""

MOST_STRETCHES = 3
"""So many stretches of a curve are named one by one; of more, the first and last label count."""


def saving(row: Row, reference: str, *, shown: bool) -> str:
    """Return an arm's labels saved at the end of the curves, in words that claim a saving only where one is shown."""
    estimate, low, high = (float(row[f"labels_saved{end}"]) for end in ("", "_low", "_high"))
    metric = metric_title(str(row["metric"]))
    if estimate < 0:
        numbers = " ".join(percentage(-estimate, -high, -low)).rstrip()
        verb = "needs" if shown else "needed"
        return f"{verb} {numbers} more labels than {reference} for its own final {metric}"
    numbers = " ".join(percentage(estimate, low, high)).rstrip()
    if shown:
        return f"saves {numbers} of the labels at {reference}'s final {metric}"
    return f"needed {numbers} fewer labels at {reference}'s final {metric}"


def amount_saved(row: Row, price: Price | None) -> str:
    """Return the labels, and the money, behind a share of labels saved; nothing where they are not known."""
    if math.isnan(row["labels_saved"]) or math.isnan(row["labels_saved_of"]):
        return ""
    needed, fewer = float(row["labels_saved_of"]), row["labels_saved"] >= 0
    ends = ("", "_low", "_high") if fewer else ("", "_high", "_low")
    labels = [needed * row[f"labels_saved{end}"] * (1 if fewer else -1) for end in ends]
    amount = f", {_amounts(labels, 0)} {'of' if fewer else 'more than'} {round(needed)}"
    if price is None:
        return amount
    cost, currency = price
    unit = f" {currency}" if currency else ""
    money = _amounts([cost * number for number in labels], 2)
    return f"{amount}, {'worth' if fewer else 'costing'} {money}{unit} at {cost:g}{unit} a label"


def with_money(labels: float, price: Price | None) -> str:
    """Return `, worth 7.20 EUR`, and nothing without a price."""
    if price is None:
        return ""
    cost, currency = price
    return f", worth {cost * labels:,.2f} {currency}".rstrip()


def _amounts(values: Sequence[float], decimals: int) -> str:
    """Return an estimate with its interval in brackets, where it has one."""
    # Adding zero takes the sign from what rounds to zero.
    estimate, low, high = (f"{round(value, decimals) + 0:.{decimals}f}" for value in values)
    return estimate if math.isnan(values[1]) else f"{estimate} ({low} to {high})"


def ahead_along_curve(row: Row, differences: pd.DataFrame, reference: str) -> list[str]:
    """Return a sentence on the label counts at which the band for the whole curve leaves out zero.

    `differences` is that of a `Comparison`. Nothing where there is no band.
    """
    metric = str(row["metric"])
    of_arm = differences[(differences["arm"] == row["arm"]) & (differences["metric"] == metric)]
    of_arm = of_arm[of_arm["band_low"].notna()].sort_values("labels")
    if of_arm.empty:
        return []
    ahead = of_arm["band_low"] > 0 if better_sign(metric) > 0 else of_arm["band_high"] < 0
    title = metric_title(metric)
    if not ahead.any():
        return [
            f"At no single number of labels is its {title} shown to be better (band for the whole curve)."
        ]
    where = _stretches(of_arm["labels"].tolist(), ahead.tolist())
    return [
        f"Its {title} is shown to be better than {reference}'s {where} (band for the whole curve)."
    ]


def _stretches(labels: Sequence[int], shown: Sequence[bool]) -> str:
    """Return the stretches of label counts in which an effect is shown, in a few words."""
    starts = [i for i, is_shown in enumerate(shown) if is_shown and not (i and shown[i - 1])]
    ends = [i for i, is_shown in enumerate(shown) if is_shown and not any(shown[i + 1 : i + 2])]
    if len(starts) > MOST_STRETCHES:
        return f"at {sum(shown)} of {len(shown)} label counts from {labels[starts[0]]:,} to {labels[ends[-1]]:,}"
    parts = (
        f"at {labels[i]:,} labels" if i == j else f"from {labels[i]:,} to {labels[j]:,} labels"
        for i, j in zip(starts, ends, strict=True)
    )
    return " and ".join(parts)
