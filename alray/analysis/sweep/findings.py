"""What a sweep's summary shows, stated exactly: never more than its test and its intervals."""

import math
from collections.abc import Sequence
from typing import Literal

import pandas as pd

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.axis import LABELS, axis_of
from alray.analysis.sweep.decision import best_row
from alray.analysis.sweep.equal_arms import equal_arms
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.sweep.oracle_share import share_said
from alray.analysis.sweep.references import compared_with, own_reference, references_said
from alray.analysis.sweep.saving_words import Price, ahead_along_curve, amount_saved, saving
from alray.analysis.wording import UNCOMPARED, Row, Verdict, arm_verdict, count, is_or_are, joined
from alray.statistics.paired import FEWEST_SEEDS, SIGNIFICANCE, excludes_zero
from alray.statistics.power import NUMBERS


def whole_curve(row: Row, reference: str = RANDOM) -> Verdict:
    """Return the verdict on an arm's whole curve, by the joint test; its interval of the area says the same."""
    if not row["paired_seeds"]:
        return UNCOMPARED
    ends = row["alc_difference_low"], row["alc_difference_high"]
    kind: Literal["better", "worse", "open"] = "open"
    if row["p"] < SIGNIFICANCE and excludes_zero(*ends):
        gain = better_sign(str(row["metric"])) * row["alc_difference"]
        kind = "better" if gain > 0 else "worse"
    return arm_verdict(kind, reference, exploratory=bool(row["exploratory"]))


def statement(
    rows: Sequence[Row],
    reference: str = RANDOM,
    differences: pd.DataFrame | None = None,
    price: Price | None = None,
) -> list[str]:
    """Return the findings of a sweep, exactly: which arms differ, what the best saves, where, how many seeds it takes.

    Args:
        rows: The rows of a summary.
        reference: The name of what the others are compared with, where a row does not name another arm.
        differences: Those of a `Comparison` of the same records, where the sentences should say where along the
            curve the best arm is ahead.
        price: The cost of a label and its currency, where known.
    """
    compared = [row for row in rows if row["paired_seeds"]]
    if not compared:
        return [f"No arm can be compared with {reference}."]
    sentences = [_differences(compared, reference), *references_said(rows)]
    best = best_row(compared)
    if best is not None:
        against = compared_with(best, reference)
        sentences += _best(best, compared, reference, price)
        if differences is not None and whole_curve(best, against).kind == "better":
            currency = price[1] if price else ""
            sentences += ahead_along_curve(best, differences, against, currency)
        sentences += share_said(best, against)
    elif all(row["oracle"] for row in compared):
        sentences.append("Only oracles are compared, which cannot be used for real labelling.")
    sentences += [*_exploratory(compared), *_out_of_reach(compared)]
    return sentences if best is None else [*sentences, *_more_seeds(best, reference)]


def excluded(rows: Sequence[Row], reference: str = RANDOM) -> list[str]:
    """Return what is odd about a study's runs: equal arms, and runs that are left out."""
    unpaired = [row for row in rows if row["unpaired_seeds"]]
    partner = "the arm that it is compared with"
    if not own_reference(unpaired, reference):
        partner = f"its {reference} arm"
    texts = {
        "failed": "Runs failed and are left out",
        "unfinished": "Runs not finished and left out",
        "unpaired_seeds": f"Seeds finished by only one of an arm and {partner}, left out of comparisons",
    }
    sentences = equal_arms(rows)
    for column, text in texts.items():
        parts = [f"{named(row)} {row[column]}" for row in rows if row[column]]
        if parts:
            sentences.append(f"{text}: {', '.join(parts)}.")
    return sentences


def named(row: Row) -> str:
    """Return an arm's name, marked where it is an oracle."""
    return f"{row['arm']} (oracle)" if row["oracle"] else str(row["arm"])


def paired_seeds(rows: Sequence[Row]) -> str:
    """Return how many seeds arms have in common with what they are compared with: `6 paired seeds`."""
    fewest, most = (pick(row["paired_seeds"] for row in rows) for pick in (min, max))
    return count(most, "paired seed") if fewest == most else f"{fewest} to {most} paired seeds"


def _differences(rows: Sequence[Row], reference: str) -> str:
    groups: dict[str, list[str]] = {}
    for row in rows:
        verdict = whole_curve(row, compared_with(row, reference))
        groups.setdefault(verdict.text, []).append(named(row))
    found = "; ".join(
        f"{joined(names)} {is_or_are(len(names))} {text}" for text, names in groups.items()
    )
    metric, axis = metric_title(str(rows[0]["metric"])), axis_of(rows[0])
    over = "" if axis == LABELS else f" over {axis.title}"
    tested = "one test" if len(rows) == 1 else f"one test for {len(rows)} comparisons"
    how = f"area under the {metric} curve{over}, {paired_seeds(rows)}, {tested}"
    return f"Over the whole learning curve ({how}) {found}."


def _best(row: Row, rows: Sequence[Row], reference: str, price: Price | None) -> list[str]:
    lead, against = "", compared_with(row, reference)
    if len(rows) > 1:
        lead = f"{named(row)} has the best area of {len(rows)} arms"
        if len({compared_with(other, reference) for other in rows}) > 1:
            # An arm that gains more on a lower reference need not have the larger area.
            lead = f"Of {len(rows)} arms {named(row)} has the best area against what each is compared with"
        lead = f"{lead}, and being picked flatters it: "
    if math.isnan(row["labels_saved"]):
        saved = f"{axis_of(row).title} saved"
        return [f"{lead or f'{named(row)}: '}{saved} cannot be computed."]
    shown = whole_curve(row, against).kind != "open"
    text = f"{lead}{'it' if lead else named(row)} {saving(row, against, shown=shown)}{amount_saved(row, price)}"
    return [f"{text}." if shown else f"{text}, which may be luck."]


def _more_seeds(row: Row, reference: str) -> list[str]:
    """Return how many seeds would show the best arm's area difference, if it were as large as it seems."""
    needed = float(row["seeds_needed"])
    if whole_curve(row, reference).kind != "open" or math.isnan(needed):
        return []
    many = f"more than {NUMBERS[-1]}" if math.isinf(needed) else f"about {needed:.0f}"
    return [
        f"If its area differed by as much as seen here, {many} paired seeds would show it with a power of 80 %."
    ]


def _exploratory(rows: Sequence[Row]) -> list[str]:
    names = [named(row) for row in rows if row["exploratory"]]
    if not names:
        return []
    which = "all arms" if len(names) == len(rows) else ", ".join(names)
    return [f"Exploratory, fewer than {FEWEST_SEEDS} paired seeds: {which}."]


def _out_of_reach(rows: Sequence[Row]) -> list[str]:
    """Return that so few seeds cannot show any difference, where that is so."""
    most = max(row["paired_seeds"] for row in rows)
    if most >= FEWEST_SEEDS:
        return []
    return [
        f"With {paired_seeds(rows)} no p below {2.0 ** (1 - most):.2g} is possible: "
        f"{FEWEST_SEEDS} or more seeds are needed to show a difference."
    ]
