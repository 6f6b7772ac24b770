"""What a sweep's summary shows, in plain words that never claim more than its intervals."""

import math
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.equal_arms import equal_arms
from alray.analysis.sweep.saving_words import amount_saved, shown_along_curve
from alray.analysis.wording import (
    UNCOMPARED,
    Row,
    Verdict,
    arm_verdict,
    count,
    is_or_are,
    joined,
    percentage,
)
from alray.statistics.paired import SIGNIFICANCE, Interval, excludes_zero
from alray.statistics.power import MOST_SEEDS, fewest_seeds_for_holm, seeds_for_power, standardised


def whole_curve(row: Row, reference: str = RANDOM) -> Verdict:
    """Return the verdict on an arm's whole curve: the corrected test and the interval of its area must agree."""
    if not row["paired_seeds"]:
        return UNCOMPARED
    ends = row["alc_difference_low"], row["alc_difference_high"]
    kind: Literal["better", "worse", "open"] = "open"
    if row["holm_p"] < SIGNIFICANCE and excludes_zero(*ends):
        kind = "better" if row["alc_difference"] > 0 else "worse"
    return arm_verdict(kind, reference, exploratory=bool(row["exploratory"]))


def sentence(row: Row, reference: str = RANDOM) -> str:
    """Return what one row of the summary shows of labels saved, and no more than its interval does.

    Example: `margin saves 4 % (-2 to 9 %) of the labels at random's final accuracy: not shown to differ from zero
    with 5 seeds`.
    """
    name, seeds = _name(row), count(row["paired_seeds"], "seed")
    if row["seeds"] == 0:
        return f"{name}: no finished run, so nothing is known."
    if not row["paired_seeds"]:
        return f"{name}: accuracy {_accuracy(row)} at {row['labels']} labels; {UNCOMPARED.text}."
    if math.isnan(row["labels_saved"]):
        return f"{name}: labels saved cannot be computed."
    start = f"{name} {_saving(row, reference)}"
    doubt = _doubt(row)
    if doubt:
        return f"{start}: {doubt}."
    exploratory = ", fewer than six: exploratory" if row["exploratory"] else ""
    # The interval of labels saved is not corrected for the number of arms; the test of the whole curve is.
    verdict = whole_curve(row, reference)
    p = f" (p {row['holm_p']:.2g})" if verdict.kind != "open" else ""
    return f"{start} with {seeds}{exploratory}; over the whole curve it is {verdict.text}{p}."


def reading(summary: pd.DataFrame) -> list[str]:
    """Return a few sentences for below the table: what failed, which arms differ from random, how sure that is."""
    rows = summary.to_dict("records")
    compared = [row for row in rows if row["paired_seeds"]]
    return [
        *_excluded(rows, RANDOM),
        *equal_arms(rows),
        *(_against_random(compared) if compared else ["No arm has a random arm to compare with."]),
    ]


def paragraph(
    summary: pd.DataFrame,
    comparison: Comparison,
    reference: str = RANDOM,
    label_cost: float | None = None,
    currency: str = "",
) -> str:
    """Return the findings of a sweep in one paragraph: which arms differ, what the best saves, where, how sure.

    Args:
        summary: `summary.summarise` of the records.
        comparison: `comparison.compare` of the same records.
        reference: The name of what the others are compared with.
        label_cost: Price of one label, or None.
        currency: Stands behind amounts of money.
    """
    rows = summary.to_dict("records")
    compared = [row for row in rows if row["paired_seeds"]]
    excluded = [*equal_arms(rows), *_excluded(rows, reference)]
    if not compared:
        return " ".join([f"No arm can be compared with {reference}.", *excluded])
    sentences = [_differences(compared, reference)]
    how_sure = [*_exploratory(compared), *_out_of_reach(compared)]
    usable = [row for row in compared if not row["oracle"]]
    if usable:
        best = max(usable, key=_area)
        price = None if label_cost is None else (label_cost, currency)
        amount = amount_saved(best, comparison.pairs, price)
        sentences.append(_best(best, len(usable), reference, amount))
        sentences += shown_along_curve(best, comparison.savings, reference)
        how_sure += _more_seeds(best, len(compared))
    else:
        sentences.append("Only oracles are compared, which cannot be used for real labelling.")
    return " ".join([*sentences, *how_sure, *excluded])


def _differences(rows: Sequence[Row], reference: str) -> str:
    groups = "; ".join(
        f"{joined(names)} {is_or_are(len(names))} {verdict}"
        for verdict, names in _by_verdict(rows, reference).items()
    )
    return (
        f"Over the whole learning curve (area under it, {_paired_seeds(rows)}, corrected for "
        f"{count(len(rows), 'comparison')}) {groups}."
    )


def _best(row: Row, candidates: int, reference: str, amount: str) -> str:
    lead = ""
    if candidates > 1:
        lead = f"{_name(row)} has the largest area of {candidates} arms, and being picked flatters it: "
    if math.isnan(row["labels_saved"]):
        return f"{lead or f'{_name(row)}: '}labels saved cannot be computed."
    name = "it" if lead else _name(row)
    saving = f"{lead}{name} {_saving(row, reference)}{amount}"
    doubt = _doubt(row)
    if doubt:
        return f"{saving}: {doubt}."
    return f"{saving}, with {count(row['paired_seeds'], 'seed')}."


def _doubt(row: Row) -> str:
    """Return why no saving is shown, and nothing where one is."""
    low, high = row["labels_saved_low"], row["labels_saved_high"]
    if math.isnan(low):
        return "one seed gives no interval, so nothing is shown"
    if excludes_zero(low, high):
        return ""
    return f"not shown to differ from zero with {count(row['paired_seeds'], 'seed')}"


def _area(row: Row) -> float:
    return -math.inf if math.isnan(row["alc_difference"]) else float(row["alc_difference"])


def _more_seeds(row: Row, comparisons: int) -> list[str]:
    """Return how many seeds would show the best arm's area difference, if it were as large as it seems."""
    if whole_curve(row).kind != "open":
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


def _excluded(rows: Sequence[Row], reference: str) -> list[str]:
    texts = {
        "failed": "Runs failed and are left out",
        "unfinished": "Runs not finished and left out",
        "unpaired_seeds": f"Seeds finished by only one of an arm and its {reference} arm, left out of comparisons",
    }
    sentences = []
    for column, text in texts.items():
        parts = [f"{_name(row)} {row[column]}" for row in rows if row[column]]
        if parts:
            sentences.append(f"{text}: {', '.join(parts)}.")
    return sentences


def _against_random(rows: Sequence[Row]) -> list[str]:
    groups = "; ".join(
        f"{', '.join(names)}: {verdict}" for verdict, names in _by_verdict(rows, RANDOM).items()
    )
    first = (
        f"Area under the learning curve, {_paired_seeds(rows)}, "
        f"corrected for {count(len(rows), 'comparison')}: {groups}."
    )
    last = "Labels saved is read at the end of the curves; at lower accuracies it may differ."
    return [first, *_exploratory(rows), *_out_of_reach(rows), last]


def _by_verdict(rows: Sequence[Row], reference: str) -> dict[str, list[str]]:
    """Return the text of each verdict on whole curves: the arms that it is about."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(whole_curve(row, reference).text, []).append(_name(row))
    return groups


def _exploratory(rows: Sequence[Row]) -> list[str]:
    names = [_name(row) for row in rows if row["exploratory"]]
    if not names:
        return []
    which = "all arms" if len(names) == len(rows) else ", ".join(names)
    return [f"Exploratory, fewer than six paired seeds: {which}."]


def _out_of_reach(rows: Sequence[Row]) -> list[str]:
    """Return that so few seeds cannot show any difference, where that is so."""
    needed, most = fewest_seeds_for_holm(len(rows)), max(row["paired_seeds"] for row in rows)
    if most >= needed:
        return []
    smallest = min(len(rows) * 2.0 ** (1 - most), 1)
    return [
        f"With {_paired_seeds(rows)} no corrected p below {smallest:.2g} is possible: "
        f"{needed} or more seeds are needed to show a difference."
    ]


def _paired_seeds(rows: Sequence[Row]) -> str:
    fewest, most = (pick(row["paired_seeds"] for row in rows) for pick in (min, max))
    return count(most, "paired seed") if fewest == most else f"{fewest} to {most} paired seeds"


def _saving(row: Row, reference: str) -> str:
    estimate, low, high = (float(row[f"labels_saved{end}"]) for end in ("", "_low", "_high"))
    if estimate < 0:
        numbers = " ".join(percentage(-estimate, -high, -low)).rstrip()
        return f"needs {numbers} more labels than {reference} for its own final accuracy"
    numbers = " ".join(percentage(estimate, low, high)).rstrip()
    return f"saves {numbers} of the labels at {reference}'s final accuracy"


def _accuracy(row: Row) -> str:
    low, high = row["accuracy_low"], row["accuracy_high"]
    return f"{row['accuracy']:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")


def _name(row: Row) -> str:
    return f"{row['arm']} (oracle)" if row["oracle"] else str(row["arm"])
