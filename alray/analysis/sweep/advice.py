"""What a sweep says to the person who pays for labels: two sentences without a term of statistics."""

import math
from collections.abc import Sequence

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.axis import Axis, axis_of
from alray.analysis.sweep.decision import best_row
from alray.analysis.sweep.findings import named, whole_curve
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.sweep.picking import picked_row, shown_better
from alray.analysis.sweep.saving_words import Price, with_money
from alray.analysis.wording import Row, count, is_or_are, joined
from alray.statistics.paired import FEWEST_SEEDS


def advice(rows: Sequence[Row], reference: str = RANDOM, price: Price | None = None) -> list[str]:
    """Return what to do, and how sure that is; nothing where no arm could be used.

    What would make it surer is what to do next (`next_steps`).

    Args:
        rows: The rows of a summary.
        reference: What arms are compared with.
        price: The cost of a label and its currency, where known.
    """
    compared = [row for row in rows if row["paired_seeds"]]
    best = best_row(compared)
    if best is None:
        return []
    other = "random choice" if reference == RANDOM else reference
    axis = axis_of(best, price[1] if price else "")
    # What is shown of one arm stands, however few seeds another has that looks better: `next_steps` decides so too.
    if better := shown_better(rows, reference):
        row = picked_row(rows, reference) or better[0]
        return [_use(row, other, price, axis), _how_sure(row, axis)]
    if best["paired_seeds"] < FEWEST_SEEDS:
        return _too_early(best)
    usable = [row for row in compared if not row["oracle"] and row["strategy"] != RANDOM]
    if all(whole_curve(row, reference).kind == "worse" for row in usable):
        every = "the strategy" if len(usable) == 1 else f"each of the {len(usable)} strategies"
        return [f"Label by {other}: {every} tried here does worse."]
    if better_sign(str(best["metric"])) * best["alc_difference"] <= 0:
        return [_keep(usable, other), f"{named(best)} came nearest, without being ahead so far."]
    return [_keep(usable, other), *_luck(best, other, axis)]


def _too_early(row: Row) -> list[str]:
    times = count(row["paired_seeds"], "repetition")
    return [
        f"It is too early to decide: {times} cannot tell a better strategy from luck, {FEWEST_SEEDS} or more can.",
        f"So far {named(row)} looks best.",
    ]


def _use(row: Row, other: str, price: Price | None, axis: Axis) -> str:
    start = f"Let {named(row)} choose what to label"
    metric = metric_title(str(row["metric"]))
    if math.isnan(row["labels_saved"]):
        return f"{start}: it learns faster than {other}; {axis.how_much} that saves cannot be computed."
    of = float(row["labels_saved_of"])
    saved = of * row["labels_saved"]
    if saved < 0:
        end = float(row.get("budget", row["labels"]))
        return (
            f"{start}: on the way to {axis.amount(end)} it is ahead of {other}, though no longer at the end, where it "
            f"needs about {axis.amount(-saved)} more."
        )
    return (
        f"{start}: it needs about {axis.amount(of - saved)} for the {metric} that {other} has with {axis.at(of)}, a "
        f"saving of {axis.amount(saved)} ({100 * row['labels_saved']:.0f} %){with_money(saved, price, axis)}."
    )


def _how_sure(row: Row, axis: Axis) -> str:
    start = "That it does better here is shown, since luck alone names a winner in at most 1 of 20 such comparisons"
    low, high = _saved_between(row)
    if math.isnan(low + high):
        return f"{start}."
    if low > 0:
        return f"{start}; the saving itself may be as small as {axis.at(low)} or as large as {axis.amount(high)}."
    return f"{start}; the saving at the end is less sure, {_range(low, high, axis)}."


def _keep(usable: Sequence[Row], other: str) -> str:
    worse = [named(row) for row in usable if whole_curve(row).kind == "worse"]
    which = (
        f"{named(usable[0])} is not"
        if len(usable) == 1
        else f"none of the {len(usable)} strategies is"
    )
    text = f"Keep labelling by {other} for now: {which} clearly better here"
    return f"{text}, and {joined(worse)} {is_or_are(len(worse))} worse." if worse else f"{text}."


def _luck(row: Row, other: str, axis: Axis) -> list[str]:
    low, high = _saved_between(row)
    if math.isnan(low + high):
        return []
    return [
        f"{named(row)} looked best, but that may be luck: against the {axis.amount(row['labels_saved_of'])} of "
        f"{other}, the truth is {_range(low, high, axis)}."
    ]


def _saved_between(row: Row) -> tuple[float, float]:
    """Return the ends of the interval of labels, answers or money saved; NaN where there is none."""
    of = float(row["labels_saved_of"])
    return of * float(row["labels_saved_low"]), of * float(row["labels_saved_high"])


def _range(low: float, high: float, axis: Axis) -> str:
    """Return `between 40 labels more and 160 labels fewer`."""
    if math.isinf(low):
        return f"at most {axis.change(high)}"
    return f"between {axis.change(low)} and {axis.change(high)}"
