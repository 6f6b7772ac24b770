"""How savings are written: as a share, as labels, answers or money, and where along the curve an arm is ahead."""

import math
from collections.abc import Callable, Sequence

import pandas as pd

from alray.analysis.sweep.along import ALIKE, SPENT
from alray.analysis.sweep.axis import Axis, axis_of
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.wording import Row, percentage
from alray.settings.questions import PREFIX
from alray.statistics.paired import excludes_zero

Price = tuple[float | None, str]
"""What a label (an answer, along answers) costs, None where that is not known; the currency, "" where none is named."""

MOST_STRETCHES = 3
"""So many stretches of a curve are named one by one; of more, the first and last label count."""


def saving(row: Row, reference: str, *, shown: bool) -> str:
    """Return an arm's labels saved at the end of the curves, in words that claim a saving only where one is shown.

    `shown`: whether the areas are shown to differ. The interval of the saving must leave out zero as well: an arm may
    be ahead on the way and no longer at the end.
    """
    estimate, low, high = (float(row[f"labels_saved{end}"]) for end in ("", "_low", "_high"))
    metric, axis = metric_title(str(row["metric"])), axis_of(row)
    shown = shown and excludes_zero(low, high)
    if estimate < 0:
        numbers = " ".join(percentage(-estimate, -high, -low)).rstrip()
        verb = "needs" if shown else "needed"
        return f"{verb} {numbers} more {axis.title} than {reference} for its own final {metric}"
    numbers = " ".join(percentage(estimate, low, high)).rstrip()
    if shown:
        return f"saves {numbers} of the {axis.title} at {reference}'s final {metric}"
    return f"needed {numbers} {axis.less} at {reference}'s final {metric}"


def amount_saved(row: Row, price: Price | None) -> str:
    """Return the labels, and the money, behind a share of labels saved; nothing where they are not known."""
    if math.isnan(row["labels_saved"]) or math.isnan(row["labels_saved_of"]):
        return ""
    needed, fewer = float(row["labels_saved_of"]), row["labels_saved"] >= 0
    ends = ("", "_low", "_high") if fewer else ("", "_high", "_low")
    amounts = [needed * row[f"labels_saved{end}"] * (1 if fewer else -1) for end in ends]
    cost, currency = price or (None, "")
    axis = axis_of(row, currency)
    joint = "of" if fewer else "more than"
    texts = _with_interval(amounts, axis.plain)
    amount = f", {texts} {joint} {axis.with_currency(axis.plain(needed))}"
    if cost is None or axis.is_money:
        return amount
    unit = f" {currency}" if currency else ""
    money = _with_interval([cost * number for number in amounts], _cents)
    verb = "worth" if fewer else "costing"
    return f"{amount}, {verb} {money}{unit} at {cost:g}{unit} {axis.one}"


def with_money(amount: float, price: Price | None, axis: Axis) -> str:
    """Return `, worth 7.20 EUR`, and nothing without a price, or where the amount is money."""
    cost, currency = price or (None, "")
    if cost is None or axis.is_money:
        return ""
    return f", worth {cost * amount:,.2f} {currency}".rstrip()


def price_in(rows: Sequence[Row]) -> float | None:
    """Return what a label, or an answer along answers, costs by a summary; None where arms differ in that."""
    spent = [row for row in rows if not math.isnan(row.get("cost", math.nan))]
    units = {axis_of(row).name for row in spent}
    if len(units) != 1 or units == {"cost"} or len(spent) < sum(row["seeds"] > 0 for row in rows):
        return None
    unit = units.pop()
    each = [row["cost"] / row[unit] for row in spent]
    if min(each) <= 0 or max(each) > (1 + ALIKE) * min(each):
        return None
    # A mean of equal numbers differs from them in the last digit.
    return float(f"{sum(each) / len(each):.6g}")


def spent_said(rows: Sequence[Row], price: Price | None = None) -> list[str]:
    """Return a sentence on what a run has bought by the end of its curves; nothing where that is not recorded."""
    spent = [row for row in rows if math.isfinite(sum(row.get(name, math.nan) for name in SPENT))]
    if not spent:
        return []
    money = Axis("cost", price[1] if price else "")
    answers, costs = ([float(row[name]) for row in spent] for name in ("answers", "cost"))
    many = _from_to(answers, lambda value: f"{round(value):,}")
    paid = money.with_currency(_from_to(costs, money.number))
    noun = "answer" if round(max(answers)) == 1 else "answers"
    asks = [str(row["strategy"]).startswith(f"{PREFIX}:") for row in spent]
    if any(asks) and any(
        row["answers"] == row["labels"]
        for row, asked in zip(spent, asks, strict=True)
        if not asked
    ):
        # Of arms that buy labels, what they buy counts as answers.
        noun = "answers or labels"
    return [f"By the end of its curve a run has bought {many} {noun} for {paid}."]


def _with_interval(values: Sequence[float], write: Callable[[float], str]) -> str:
    """Return an estimate with its interval in brackets, where it has one."""
    if math.isnan(values[1]):
        return write(values[0])
    estimate, low, high = map(write, values)
    return f"{estimate} ({low} to {high})"


def _cents(value: float) -> str:
    # Adding zero takes the sign from what rounds to zero.
    return f"{round(value, 2) + 0:.2f}"


def _from_to(values: Sequence[float], write: Callable[[float], str]) -> str:
    low, high = write(min(values)), write(max(values))
    return low if low == high else f"{low} to {high}"


def ahead_along_curve(
    row: Row, differences: pd.DataFrame, reference: str, currency: str = ""
) -> list[str]:
    """Return a sentence on the label counts, or other amounts, at which the band for the whole curve leaves out zero.

    `differences` is that of a `Comparison`. Nothing where there is no band.
    """
    metric = str(row["metric"])
    of_arm = differences[(differences["arm"] == row["arm"]) & (differences["metric"] == metric)]
    of_arm = of_arm[of_arm["band_low"].notna()].sort_values("labels")
    if of_arm.empty:
        return []
    ahead = of_arm["band_low"] > 0 if better_sign(metric) > 0 else of_arm["band_high"] < 0
    title, axis = metric_title(metric), axis_of(row, currency)
    if not ahead.any():
        return [
            f"At {axis.no_single} is its {title} shown to be better (band for the whole curve)."
        ]
    where = _stretches(of_arm["labels"].astype(float).tolist(), ahead.tolist(), axis)
    return [
        f"Its {title} is shown to be better than {reference}'s {where} (band for the whole curve)."
    ]


def _stretches(amounts: Sequence[float], shown: Sequence[bool], axis: Axis) -> str:
    """Return the stretches of a curve in which an effect is shown, in a few words."""
    starts = [i for i, is_shown in enumerate(shown) if is_shown and not (i and shown[i - 1])]
    ends = [i for i, is_shown in enumerate(shown) if is_shown and not any(shown[i + 1 : i + 2])]
    if len(starts) > MOST_STRETCHES:
        first, last = axis.number(amounts[starts[0]]), axis.at(amounts[ends[-1]])
        return f"at {sum(shown)} of {len(shown)} {axis.points} from {first} to {last}"
    parts = (
        f"at {axis.amount(amounts[i])}" if i == j else axis.stretch(amounts[i], amounts[j])
        for i, j in zip(starts, ends, strict=True)
    )
    return " and ".join(parts)
