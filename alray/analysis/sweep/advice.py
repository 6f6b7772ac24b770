"""What a sweep says to the person who pays for labels: two sentences without a term of statistics."""

import math
from collections.abc import Sequence

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.axis import Axis, axis_of
from alray.analysis.sweep.decision import best_row
from alray.analysis.sweep.findings import named, whole_curve
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.sweep.picking import above_random, picked_row, shown_better
from alray.analysis.sweep.references import compared_with, own_reference
from alray.analysis.sweep.saving_words import Price, with_money
from alray.analysis.wording import Row, count, is_or_are, joined
from alray.statistics.paired import FEWEST_SEEDS


def advice(rows: Sequence[Row], reference: str = RANDOM, price: Price | None = None) -> list[str]:
    """Return what to do, and how sure that is; nothing where no arm could be used.

    What would make it surer is what to do next (`next_steps`).

    Args:
        rows: The rows of a summary.
        reference: What arms are compared with, where a row does not name another arm.
        price: The cost of a label and its currency, where known.
    """
    compared = [row for row in rows if row["paired_seeds"]]
    best = best_row(compared)
    if best is None:
        return []
    axis = axis_of(best, price[1] if price else "")
    # What is shown of one arm stands, however few seeds another has that looks better: `next_steps` decides so too.
    if better := shown_better(rows, reference):
        picked = picked_row(rows, reference)
        if picked is None:
            return _elsewhere(better[0], rows, reference)
        return [_use(picked, _partner(picked, reference), price, axis), _how_sure(picked, axis)]
    if best["paired_seeds"] < FEWEST_SEEDS:
        return _too_early(best, reference)
    usable = [row for row in compared if not row["oracle"] and row["strategy"] != RANDOM]
    if all(whole_curve(row, reference).kind == "worse" for row in usable):
        every = "the strategy" if len(usable) == 1 else f"each of the {len(usable)} strategies"
        return [
            f"Label by {_named(reference)}: {every} tried here does worse{_than(usable, reference)}."
        ]
    return [_keep(usable, reference), *_luck(best, reference, axis)]


def _named(reference: str) -> str:
    return "random choice" if reference == RANDOM else reference


def _partner(row: Row, reference: str) -> str:
    """Return what an arm is compared with, in words."""
    return _named(compared_with(row, reference))


def _than(rows: Sequence[Row], reference: str) -> str:
    """Return than what arms are better or worse, where that is not the reference of all."""
    own = own_reference(rows, reference)
    return f" than {own}" if own else ""


def _too_early(row: Row, reference: str) -> list[str]:
    times = count(row["paired_seeds"], "repetition")
    own = own_reference([row], reference)
    return [
        f"It is too early to decide: {times} cannot tell a better strategy from luck, {FEWEST_SEEDS} or more can.",
        f"So far {named(row)} looks best{f' against {own}' if own else ''}.",
    ]


def _elsewhere(row: Row, rows: Sequence[Row], reference: str) -> list[str]:
    """Return that a random arm, which an arm is not compared with, is ahead of what it is shown to gain."""
    other = above_random(row, rows)
    ahead = "" if other is None else f", but {other['arm']} did better still over the whole curve"
    return [
        f"Choose between settings first: {named(row)} is shown to do better than {_partner(row, reference)}{ahead}, "
        "and these two were not compared with each other."
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


def _keep(usable: Sequence[Row], reference: str) -> str:
    worse = [named(row) for row in usable if whole_curve(row).kind == "worse"]
    which = (
        f"{named(usable[0])} is not"
        if len(usable) == 1
        else f"none of the {len(usable)} strategies is"
    )
    than = _than(usable, reference)
    text = f"Keep labelling by {_named(reference)} for now: {which} clearly better here{than}"
    return f"{text}, and {joined(worse)} {is_or_are(len(worse))} worse." if worse else f"{text}."


def _luck(row: Row, reference: str, axis: Axis) -> list[str]:
    if better_sign(str(row["metric"])) * row["alc_difference"] <= 0:
        return [f"{named(row)} came nearest, without being ahead so far."]
    low, high = _saved_between(row)
    if math.isnan(low + high):
        return []
    other = _partner(row, reference)
    looked = f"better than {other}" if own_reference([row], reference) else "best"
    return [
        f"{named(row)} looked {looked}, but that may be luck: against the {axis.amount(row['labels_saved_of'])} of "
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
