"""What a study's summary says, in plain words that never say more than its intervals carry."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from alray.stats import SIGNIFICANCE

Row = Mapping[str, Any]


def verdict(row: Row) -> str:
    """Return what one row of the summary (as a mapping) says about labels saved, and not more than its interval.

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
    said = f"{name} {_saving(row)}"
    if math.isnan(row["labels_saved_low"]):
        return f"{said}: one seed gives no interval, so nothing is shown."
    if row["labels_saved_low"] <= 0 <= row["labels_saved_high"]:
        return f"{said}: not shown to differ from zero with {seeds}."
    exploratory = ", fewer than six: exploratory" if row["exploratory"] else ""
    # The interval of labels saved is not corrected for the number of arms; the test of the whole curve is.
    return f"{said} with {seeds}{exploratory}; over the whole curve it is {_whole_curve(row)}."


def reading(summary: pd.DataFrame) -> list[str]:
    """Return a few sentences to stand below the table: what failed, who differs from random, how sure that is."""
    rows: list[Row] = summary.to_dict("records")  # type: ignore[assignment]
    compared = [row for row in rows if row["paired_seeds"]]
    return [
        *_left_out(rows),
        *(_against_random(compared) if compared else ["No arm has a random arm to compare with."]),
    ]


_LEFT_OUT = {
    "failed": "Runs failed and are left out",
    "unfinished": "Runs not finished and left out",
    "unpaired_seeds": "Seeds finished by only one of an arm and its random arm, left out of comparisons",
}


def _left_out(rows: list[Row]) -> list[str]:
    sentences = []
    for column, text in _LEFT_OUT.items():
        parts = [f"{_name(row)} {row[column]}" for row in rows if row[column]]
        if parts:
            sentences.append(f"{text}: {', '.join(parts)}.")
    return sentences


def _against_random(rows: list[Row]) -> list[str]:
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(_whole_curve(row).partition(" (")[0], []).append(_name(row))
    said = "; ".join(f"{', '.join(names)}: {what}" for what, names in groups.items())
    sentences = [
        f"Area under the learning curve, {_paired_seeds(rows)}, "
        f"corrected for {_count(len(rows), 'comparison')}: {said}."
    ]
    exploratory = [_name(row) for row in rows if row["exploratory"]]
    if exploratory:
        which = "all arms" if len(exploratory) == len(rows) else ", ".join(exploratory)
        sentences.append(f"Exploratory, fewer than six paired seeds: {which}.")
    end = "Labels saved is read at the end of the curves; at lower accuracies it may differ."
    return [*sentences, *_out_of_reach(rows), end]


def _out_of_reach(rows: list[Row]) -> list[str]:
    """Say so where no outcome whatever could have been called a difference."""
    needed, most = seeds_needed(len(rows)), max(row["paired_seeds"] for row in rows)
    if most >= needed:
        return []
    smallest = min(len(rows) * 2.0 ** (1 - most), 1)
    return [
        f"With {_paired_seeds(rows)} no corrected p below {smallest:.2g} is possible: "
        f"{needed} or more seeds are needed to show a difference."
    ]


def seeds_needed(comparisons: int) -> int:
    """Return the fewest paired seeds with which a corrected sign-flip test can show any difference at all.

    Holm multiplies the smallest p, at best 2^(1 - n), by the number m of comparisons: n > 1 + log2(m / 0.05).
    """
    return math.floor(math.log2(comparisons / SIGNIFICANCE)) + 2


def _paired_seeds(rows: list[Row]) -> str:
    fewest, most = (pick(row["paired_seeds"] for row in rows) for pick in (min, max))
    return _count(most, "paired seed") if fewest == most else f"{fewest} to {most} paired seeds"


def _whole_curve(row: Row) -> str:
    excludes_zero = not row["alc_difference_low"] <= 0 <= row["alc_difference_high"]
    if not (row["holm_p"] < SIGNIFICANCE and excludes_zero):
        return "not shown to differ from random"
    side = "above" if row["alc_difference"] > 0 else "below"
    return f"{side} random (p {row['holm_p']:.2g})"


def _saving(row: Row) -> str:
    estimate, low, high = (100 * row[f"labels_saved{end}"] for end in ("", "_low", "_high"))
    if estimate < 0:
        numbers = _percent(-estimate, -high, -low)
        return f"needs {numbers} more labels than random for its own final accuracy"
    return f"saves {_percent(estimate, low, high)} of the labels at random's final accuracy"


def _percent(estimate: float, low: float, high: float) -> str:
    interval = "" if math.isnan(low) else f" ({round(low)} to {round(high)} %)"
    return f"{round(estimate)} %{interval}"


def _accuracy(row: Row) -> str:
    low, high = row["accuracy_low"], row["accuracy_high"]
    return f"{row['accuracy']:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")


def _name(row: Row) -> str:
    return f"{row['arm']} (oracle)" if row["oracle"] else str(row["arm"])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
