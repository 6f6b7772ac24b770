"""What a study's summary says, in plain words that never say more than its intervals carry."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.worth import where, worth
from alray.statistics.paired import SIGNIFICANCE, Interval
from alray.statistics.power import MOST_SEEDS, fewest_seeds_for_holm, seeds_for_power, standardised

Row = Mapping[str, Any]


def verdict(row: Row, reference: str = "random") -> str:
    """Return what one row of the summary (as a mapping) says about labels saved, and not more than its interval.

    `reference` is what the arm that it is compared with is called.

    Example: `margin saves 4 % (-2 to 9 %) of the labels at random's final accuracy: not shown to differ from zero
    with 5 seeds`.
    """
    name, seeds = _name(row), _count(row["paired_seeds"], "seed")
    if row["seeds"] == 0:
        return f"{name}: no finished run, so nothing is known."
    if not row["paired_seeds"]:
        return f"{name}: accuracy {_accuracy(row)} at {row['labels']} labels; compared with no other arm."
    if math.isnan(row["labels_saved"]):
        return f"{name}: labels saved cannot be computed."
    said = f"{name} {_saving(row, reference)}"
    if math.isnan(row["labels_saved_low"]):
        return f"{said}: one seed gives no interval, so nothing is shown."
    if row["labels_saved_low"] <= 0 <= row["labels_saved_high"]:
        return f"{said}: not shown to differ from zero with {seeds}."
    exploratory = ", fewer than six: exploratory" if row["exploratory"] else ""
    # The interval of labels saved is not corrected for the number of arms; the test of the whole curve is.
    return f"{said} with {seeds}{exploratory}; over the whole curve it is {_whole_curve(row, reference)}."


def reading(summary: pd.DataFrame) -> list[str]:
    """Return a few sentences to stand below the table: what failed, who differs from random, how sure that is."""
    rows: list[Row] = summary.to_dict("records")  # type: ignore[assignment]  # pandas calls column names Hashable
    compared = [row for row in rows if row["paired_seeds"]]
    return [
        *_excluded(rows),
        *(_against_random(compared) if compared else ["No arm has a random arm to compare with."]),
    ]


def paragraph(
    summary: pd.DataFrame,
    comparison: Comparison,
    reference: str = "random",
    label_cost: float | None = None,
    currency: str = "",
) -> str:
    """Return the verdict on a sweep in one paragraph: who differs, what the best arm is worth, where, how sure.

    Args:
        summary: `analysis.summarise`.
        comparison: `comparison.compare` of the same records.
        reference: What the arm that the others are compared with is called.
        label_cost: Price of one label, or None.
        currency: Stands behind amounts of money.
    """
    rows: list[Row] = summary.to_dict("records")  # type: ignore[assignment]  # pandas calls column names Hashable
    compared = [row for row in rows if row["paired_seeds"]]
    excluded = _excluded(rows)
    if not compared:
        return " ".join([f"No arm can be compared with {reference}.", *excluded])
    sentences = [_who_differs(compared, reference)]
    how_sure = [*_exploratory(compared), *_out_of_reach(compared)]
    usable = [row for row in compared if not row["oracle"]]
    if usable:
        best = max(usable, key=_area)
        price = None if label_cost is None else (label_cost, currency)
        in_labels = worth(best, comparison.pairs, price)
        sentences.append(_best(best, len(usable), reference, in_labels))
        sentences += where(best, comparison.savings, reference)
        how_sure += _more_seeds(best, len(compared))
    else:
        sentences.append("Only oracles are compared, which cannot be used for real labelling.")
    return " ".join([*sentences, *how_sure, *excluded])


def _who_differs(rows: list[Row], reference: str) -> str:
    groups = _grouped(rows, reference)
    said = "; ".join(f"{_are(names)} {what}" for what, names in groups.items())
    return (
        f"Over the whole learning curve (area under it, {_paired_seeds(rows)}, corrected for "
        f"{_count(len(rows), 'comparison')}) {said}."
    )


def _best(row: Row, candidates: int, reference: str, in_labels: str) -> str:
    lead = ""
    if candidates > 1:
        lead = f"{_name(row)} has the largest area of {candidates} arms, and being picked flatters it: "
    if math.isnan(row["labels_saved"]):
        return f"{lead or f'{_name(row)}: '}labels saved cannot be computed."
    name = "it" if lead else _name(row)
    said = f"{lead}{name} {_saving(row, reference)}{in_labels}"
    if math.isnan(row["labels_saved_low"]):
        return f"{said}: one seed gives no interval, so nothing is shown."
    seeds = _count(row["paired_seeds"], "seed")
    if row["labels_saved_low"] <= 0 <= row["labels_saved_high"]:
        return f"{said}: not shown to differ from zero with {seeds}."
    return f"{said}, with {seeds}."


def _area(row: Row) -> float:
    return -math.inf if math.isnan(row["alc_difference"]) else float(row["alc_difference"])


def _more_seeds(row: Row, comparisons: int) -> list[str]:
    """Say how many seeds would show the best arm's area difference, if it were as large as it seems."""
    if _shown(row):
        return []
    estimate, low, high = (float(row[f"alc_difference{end}"]) for end in ("", "_low", "_high"))
    effect = standardised(Interval(estimate, low, high, row["paired_seeds"]))
    if math.isnan(effect):
        return []
    seeds = seeds_for_power(effect, comparisons)
    many = (
        f"more than {MOST_SEEDS}"
        if seeds is None
        else max(seeds, fewest_seeds_for_holm(comparisons))
    )
    return [
        f"If its area differed by as much as seen here, {many} paired seeds would show it with a power of 80 %."
    ]


_LEFT_OUT = {
    "failed": "Runs failed and are left out",
    "unfinished": "Runs not finished and left out",
    "unpaired_seeds": "Seeds finished by only one of an arm and its random arm, left out of comparisons",
}


def _excluded(rows: list[Row]) -> list[str]:
    sentences = []
    for column, text in _LEFT_OUT.items():
        parts = [f"{_name(row)} {row[column]}" for row in rows if row[column]]
        if parts:
            sentences.append(f"{text}: {', '.join(parts)}.")
    return sentences


def _against_random(rows: list[Row]) -> list[str]:
    said = "; ".join(
        f"{', '.join(names)}: {what}" for what, names in _grouped(rows, "random").items()
    )
    sentence = (
        f"Area under the learning curve, {_paired_seeds(rows)}, "
        f"corrected for {_count(len(rows), 'comparison')}: {said}."
    )
    end = "Labels saved is read at the end of the curves; at lower accuracies it may differ."
    return [sentence, *_exploratory(rows), *_out_of_reach(rows), end]


def _grouped(rows: list[Row], reference: str) -> dict[str, list[str]]:
    """Return what is shown of whole curves: the arms of which it is."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(_whole_curve(row, reference).partition(" (")[0], []).append(_name(row))
    return groups


def _exploratory(rows: list[Row]) -> list[str]:
    names = [_name(row) for row in rows if row["exploratory"]]
    if not names:
        return []
    which = "all arms" if len(names) == len(rows) else ", ".join(names)
    return [f"Exploratory, fewer than six paired seeds: {which}."]


def _out_of_reach(rows: list[Row]) -> list[str]:
    """Say so where no outcome whatever could have been called a difference."""
    needed, most = fewest_seeds_for_holm(len(rows)), max(row["paired_seeds"] for row in rows)
    if most >= needed:
        return []
    smallest = min(len(rows) * 2.0 ** (1 - most), 1)
    return [
        f"With {_paired_seeds(rows)} no corrected p below {smallest:.2g} is possible: "
        f"{needed} or more seeds are needed to show a difference."
    ]


def _paired_seeds(rows: list[Row]) -> str:
    fewest, most = (pick(row["paired_seeds"] for row in rows) for pick in (min, max))
    return _count(most, "paired seed") if fewest == most else f"{fewest} to {most} paired seeds"


def _whole_curve(row: Row, reference: str = "random") -> str:
    if not _shown(row):
        return f"not shown to differ from {reference}"
    side = "above" if row["alc_difference"] > 0 else "below"
    return f"{side} {reference} (p {row['holm_p']:.2g})"


def _shown(row: Row) -> bool:
    """Whether the corrected test and the interval agree that the whole curve differs."""
    excludes_zero = not row["alc_difference_low"] <= 0 <= row["alc_difference_high"]
    return bool(row["holm_p"] < SIGNIFICANCE and excludes_zero)


def _saving(row: Row, reference: str) -> str:
    estimate, low, high = (100 * row[f"labels_saved{end}"] for end in ("", "_low", "_high"))
    if estimate < 0:
        numbers = _percent(-estimate, -high, -low)
        return f"needs {numbers} more labels than {reference} for its own final accuracy"
    return f"saves {_percent(estimate, low, high)} of the labels at {reference}'s final accuracy"


def _percent(estimate: float, low: float, high: float) -> str:
    interval = "" if math.isnan(low) else f" ({round(low)} to {round(high)} %)"
    return f"{round(estimate)} %{interval}"


def _accuracy(row: Row) -> str:
    low, high = row["accuracy_low"], row["accuracy_high"]
    return f"{row['accuracy']:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")


def _name(row: Row) -> str:
    return f"{row['arm']} (oracle)" if row["oracle"] else str(row["arm"])


def _are(names: Sequence[str]) -> str:
    """Return `a is`, or `a, b and c are`."""
    *first, last = names
    return f"{', '.join(first)} and {last} are" if first else f"{last} is"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
