"""What a correlation study's summary says, in plain words that never say more than its intervals carry."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alray.statistics.paired import SIGNIFICANCE
from alray.statistics.reliability import RELIABLE, WANTED

Row = Mapping[str, Any]

FEWEST_BASES = 3
"""With fewer base models an interval over them is absent or too wide to speak about bases not trained."""

_GROUPED = {
    "score": "groups by score",
    "within_class": "groups by score within class",
    "random": "groups at random",
}
_MOST = {"large": "largest", "small": "smallest"}


@dataclass(frozen=True)
class Prediction:
    """How well a protocol of correlation studies agreed with what sweeps then realised, over pools.

    Attributes:
        grouping: How groups were made.
        outcome: What uplift was measured in.
        epochs: The dose.
        pools: Pools on which both were run.
        pairs: Pairs of pool and score.
        agreement: Spearman's rho of uplift and realised differences over the pairs.
        low: Lower end of its 95 % bootstrap interval over pools.
        high: Upper end.
        protocols: Protocols compared on all pools.
        rank: The protocol's place among them by its agreement, 1 for the best.
        held_out: Mean over pools of the agreement, within the pool, of the protocol that was best on all others.
        held_out_low: Smallest of these.
        held_out_high: Largest.
    """

    grouping: str
    outcome: str
    epochs: int
    pools: int
    pairs: int
    agreement: float
    low: float
    high: float
    protocols: int
    rank: int
    held_out: float
    held_out_low: float
    held_out_high: float


def verdict(row: Row) -> str:
    """Return one sentence on a row of the summary (as a mapping): its verdict with the numbers behind it.

    A change of nll is said as that of nll itself, so a harmful one is positive; rho is always that with usefulness.
    """
    head = (
        f"{row['score']} ({row['queried']} is queried), {_GROUPED[row['grouping']]}, "
        f"{_epochs([row['epochs']])}, {row['outcome']}"
    )
    numbers = (
        f"{_rho(row)}, p {_p(row['p_max'])} corrected for {_count(row['scores'], 'score')}, "
        f"ICC {row['icc']:.2f}"
    )
    if row["grouping"] == "random":
        return f"{head}: the null, no group is queried; {numbers}."
    against = "random groups" if row["against"] == "random" else "all groups"
    tenth = f"the tenth with the {_MOST[row['queried']]} {row['score']}"
    only = "; one base, so this is known of that base only" if row["bases"] == 1 else ""
    return f"{head}: {_ruling(row)}: {tenth} {_change(row)} against {against}; {numbers}{only}."


def reading(
    summary: pd.DataFrame,
    checks: pd.DataFrame,
    prediction: Prediction,
    main: tuple[str, str] = ("accuracy", "score"),
) -> list[str]:
    """Return a few sentences: the verdicts with their doses, changes of sign, the checks, what is needed, what it is worth.

    Args:
        summary: `CorrelationSummary.summary`.
        checks: `CorrelationSummary.checks`.
        prediction: How well such studies were seen to predict sweeps.
        main: Outcome and grouping that are read; the table holds the others.
    """
    outcome, grouping = main
    chosen = summary[(summary["outcome"] == outcome) & (summary["grouping"] == grouping)]
    rows: list[Row] = chosen.to_dict("records")  # type: ignore[assignment]  # pandas calls column names Hashable
    if not rows:
        return [f"There are no {_GROUPED[grouping]} judged by {outcome}: nothing can be read."]
    by_score = {name: [row for row in rows if row["score"] == name] for name in chosen["score"]}
    of_outcome: list[Row] = checks[checks["outcome"] == outcome].to_dict("records")  # type: ignore[assignment]  # pandas calls column names Hashable
    return [
        *(_over_doses(of_score) for of_score in by_score.values()),
        *(sentence for of_score in by_score.values() for sentence in _sign_change(of_score)),
        *_checked(of_outcome),
        *_needed(rows),
        f"This holds for {outcome}, {_GROUPED[grouping]}, and these doses only.",
        _worth(prediction),
    ]


def _worth(found: Prediction) -> str:
    place = "the best" if found.rank == 1 else f"number {found.rank}"
    return (
        f"What this is worth: on {found.pools} pools, uplift over random groups ({_GROUPED[found.grouping]}, {found.outcome}, "
        f"{_epochs([found.epochs])}, no replay) ranked {found.pairs} pairs of pool and score as sweeps then did with a rank "
        f"correlation of {found.agreement:.2f} ({found.low:.2f} to {found.high:.2f}), {place} of {found.protocols} protocols in "
        f"hindsight. Chosen on all pools but one, a protocol agreed with that one by {found.held_out:.2f} on average, from "
        f"{found.held_out_low:.2f} to {found.held_out_high:.2f}. None predicts well enough to choose a strategy by: take it as "
        "a hint, and decide by a sweep."
    )


def _ruling(row: Row) -> str:
    if row["verdict"] == "no effect":
        return no_effect(row["bound"])
    return (
        f"inconclusive, {_why(row)}" if row["verdict"] == "inconclusive" else str(row["verdict"])
    )


def _why(row: Row) -> str:
    """Say which condition of a verdict is not met."""
    around_zero = row["uplift_low"] <= 0 <= row["uplift_high"]
    reasons = (
        (math.isnan(row["icc"]), "the reliability of the outcome is not known"),
        (row["icc"] < RELIABLE, f"the outcome is too noisy ({_seeds_needed(row)})"),
        (math.isnan(row["uplift_low"]), "there is no interval"),
        (math.isnan(row["p_max"]), "there is no rank correlation"),
        (
            row["p_max"] >= SIGNIFICANCE,
            "the queried tenth differs, but scores are not shown to rank the groups",
        ),
        (around_zero, "scores rank the groups, but the queried tenth is not shown to differ"),
        (True, "the rank correlation and the queried tenth point different ways"),
    )
    return next(reason for holds, reason in reasons if holds)


def _seeds_needed(row: Row) -> str:
    known = bool(pd.notna(row["seeds_needed"]))
    if not known:
        return "no number of seeds can be named"
    return f"{_count(int(row['seeds_needed']), 'seed')} needed"


def _over_doses(rows: list[Row]) -> str:
    doses: dict[str, list[int]] = {}
    for row in rows:
        doses.setdefault(_ruling(row), []).append(row["epochs"])
    said = "; ".join(f"{ruling} at {_epochs(epochs)}" for ruling, epochs in doses.items())
    return f"{rows[0]['score']} ({rows[0]['queried']} is queried): {said}."


def _sign_change(rows: list[Row]) -> list[str]:
    """Say so where rho is shown to be positive at some doses and negative at others."""
    shown = [row for row in rows if row["p_max"] < SIGNIFICANCE]
    sides = {
        sign: [row["epochs"] for row in shown if row["rho"] * direction > 0]
        for sign, direction in (("negative", -1), ("positive", 1))
    }
    if not all(sides.values()):
        return []
    said = " and ".join(f"{sign} at {_epochs(epochs)}" for sign, epochs in sides.items())
    return [f"{rows[0]['score']}: the sign depends on the dose: rho is {said}."]


def _checked(rows: list[Row]) -> list[str]:
    sentences = []
    known = [row for row in rows if not math.isnan(row["shuffled_low"])]
    failed = [row["epochs"] for row in known if not row["shuffled_high"] < 0]
    if not known:
        sentences.append("Check with shuffled labels: not made.")
    elif failed:
        sentences.append(
            f"Check with shuffled labels failed at {_epochs(failed)}: they are not shown to do harm, "
            "so a harmful group may go unseen."
        )
    else:
        sentences.append("Check with shuffled labels passed: they do harm at every dose.")
    halves = [row["split_half"] for row in rows if not math.isnan(row["split_half"])]
    if halves:
        low, high = f"{min(halves):.2f}", f"{max(halves):.2f}"
        range_of = low if low == high else f"{low} to {high}"
        passed = "passed" if min(halves) >= RELIABLE else f"failed (below {RELIABLE})"
        sentences.append(
            f"Agreement of two halves of the seeds, as reliability: {range_of}, {passed}."
        )
    return sentences


def _needed(rows: list[Row]) -> list[str]:
    """Say what would settle inconclusive verdicts."""
    sentences = []
    noisy = [row for row in rows if row["verdict"] == "inconclusive" and row["icc"] < RELIABLE]
    if noisy:
        most = max(
            (row["seeds_needed"] for row in noisy if not pd.isna(row["seeds_needed"])), default=0
        )
        seeds = (
            f"up to {_count(int(most), 'seed')}" if most else "more seeds, no number can be named,"
        )
        sentences.append(
            f"Where the outcome is too noisy: {seeds} instead of {rows[0]['seeds']} would give a "
            f"reliability of {WANTED}."
        )
    settled = [row for row in rows if row["verdict"] == "inconclusive" and row["icc"] >= RELIABLE]
    bases = rows[0]["bases"]
    if settled and bases > 1:
        sentences.append(
            f"Where rho and uplift disagree: more than {bases} bases would narrow the intervals."
        )
    if bases < FEWEST_BASES:
        what = "only" if bases == 1 else "and hardly of others"
        these = "this base" if bases == 1 else "these bases"
        sentences.append(
            f"With {_count(bases, 'base')} the findings are known of {these} {what}: "
            f"train at least {FEWEST_BASES}."
        )
    return sentences


def _rho(row: Row) -> str:
    if math.isnan(row["rho"]):
        return "no rho"
    low, high, what = row["rho_low"], row["rho_high"], ""
    if math.isnan(low):
        low, high, what = row["rho_bootstrap_low"], row["rho_bootstrap_high"], " over its groups"
    interval = "" if math.isnan(low) else f" ({low:.2f} to {high:.2f}{what})"
    return f"rho {row['rho']:.2f}{interval}"


def _change(row: Row) -> str:
    # Usefulness of nll is its fall.
    sign, ends = (-1, ("_high", "_low")) if row["outcome"] == "nll" else (1, ("_low", "_high"))
    low, high = (sign * row[f"uplift{end}"] for end in ends)
    width = high - low
    interval = "" if math.isnan(low) else f" ({_number(low, width)} to {_number(high, width)})"
    return f"changes {row['outcome']} by {_number(sign * row['uplift'], width)}{interval}"


def _number(value: float, scale: float) -> str:
    """Return a number with as many decimals, from 3 to 6, as leave two digits of a scale."""
    if math.isnan(value):
        return "an unknown amount"
    return f"{value:.{_decimals(scale)}f}"


def no_effect(bound: float) -> str:
    """Return the words of the verdict "no effect", in sentences and tables alike.

    The bound is rounded up: a smaller one than the interval's would say too much.
    """
    decimals = _decimals(bound)
    rounded_up = math.ceil(bound * 10**decimals - 1e-9) / 10**decimals
    return f"no effect larger than {rounded_up:.{decimals}f}"


def _decimals(scale: float) -> int:
    decimals = 3 if math.isnan(scale) or scale <= 0 else 1 - math.floor(math.log10(scale))
    return min(max(decimals, 3), 6)


def _p(p: float) -> str:
    return "unknown" if math.isnan(p) else f"{p:.2g}"


def _epochs(epochs: Iterable[int]) -> str:
    *first, last = (str(number) for number in epochs)
    return f"{', '.join(first)} and {last} epochs" if first else _count(int(last), "epoch")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
