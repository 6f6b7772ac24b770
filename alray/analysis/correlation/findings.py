"""What a correlation study's summary shows, in plain words that never claim more than its intervals."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alray.analysis.correlation.groupings import GROUPING_TITLES
from alray.analysis.correlation.verdict import verdict_of
from alray.analysis.wording import Row, count, counts, decimals_of
from alray.statistics.paired import SIGNIFICANCE
from alray.statistics.reliability import RELIABLE, WANTED

FEWEST_BASES = 3
"""With fewer base models an interval over them is absent or too wide to speak about bases not trained."""

MOST = {"large": "largest", "small": "smallest"}
"""How an end of a score is called."""


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
        rank: The protocol's rank among them by its agreement, 1 for the best.
        held_out: Mean over pools of the agreement, within the pool, of the protocol that was best on all others.
        held_out_low: Smallest of these.
        held_out_high: Largest.
        replay: What groups were fine-tuned with: none, or the initial labels.
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
    replay: str


def sentence(row: Row) -> str:
    """Return one sentence on a row of the summary: its verdict with the numbers behind it.

    A change of nll is that of nll itself, so a harmful one is positive; rho is always that with usefulness.
    """
    head = (
        f"{row['score']} ({row['queried']} is queried), groups {GROUPING_TITLES[row['grouping']]}, "
        f"{count(row['epochs'], 'epoch')}, {row['outcome']}"
    )
    numbers = (
        f"{_rho(row)}, p {_p(row['p_max'])} corrected for {count(row['scores'], 'score')}, "
        f"ICC {row['icc']:.2f}"
    )
    if row["grouping"] == "random":
        return f"{head}: the null, no group is queried; {numbers}."
    against = "random groups" if row["against"] == "random" else "all groups"
    tenth = f"the tenth with the {MOST[row['queried']]} {row['score']}"
    only = "; one base, so this is known of that base only" if row["bases"] == 1 else ""
    return f"{head}: {verdict_of(row).text}: {tenth} {_change(row)} against {against}; {numbers}{only}."


def rows_of(summary: pd.DataFrame, main: tuple[str, str]) -> list[dict[Hashable, Any]]:
    """Return the rows of an outcome and a grouping."""
    outcome, grouping = main
    chosen = (summary["outcome"] == outcome) & (summary["grouping"] == grouping)
    return summary[chosen].to_dict("records")


def nothing_measured(main: tuple[str, str]) -> str:
    """Return what is said where there are no such rows."""
    outcome, grouping = main
    return f"There are no groups {GROUPING_TITLES[grouping]} measured by {outcome}: nothing can be read."


def details(
    summary: pd.DataFrame,
    checks: pd.DataFrame,
    prediction: Prediction,
    main: tuple[str, str] = ("accuracy", "score"),
) -> list[str]:
    """Return what `opening` leaves out: verdicts by dose, signs, the checks, what is needed, how well it predicts.

    Args:
        summary: `CorrelationSummary.summary`.
        checks: `CorrelationSummary.checks`.
        prediction: How well such studies were seen to predict sweeps.
        main: Outcome and grouping that are read; the table holds the others.
    """
    outcome, grouping = main
    rows = rows_of(summary, main)
    if not rows:
        return [nothing_measured(main)]
    scores = dict.fromkeys(row["score"] for row in rows)
    by_score = {name: [row for row in rows if row["score"] == name] for name in scores}
    of_outcome = checks[checks["outcome"] == outcome]
    return [
        *(_over_doses(of_score) for of_score in by_score.values()),
        *(sentence for of_score in by_score.values() for sentence in _sign_change(of_score)),
        *_checks(of_outcome.to_dict("records")),
        *_needed(rows),
        f"This holds for {outcome}, groups {GROUPING_TITLES[grouping]}, and these doses only.",
        _predictive_value(prediction),
    ]


def _predictive_value(found: Prediction) -> str:
    rank = "the best" if found.rank == 1 else f"number {found.rank}"
    return (
        f"What this is worth: on {found.pools} pools, uplift over random groups (groups "
        f"{GROUPING_TITLES[found.grouping]}, {found.outcome}, {count(found.epochs, 'epoch')}, replay {found.replay}) "
        f"ranked {found.pairs} pairs of pool and score as sweeps then did with a rank correlation of "
        f"{found.agreement:.2f} ({found.low:.2f} to {found.high:.2f}), {rank} of "
        f"{found.protocols} protocols in hindsight. Chosen on all "
        f"pools but one, a protocol agreed with that one by {found.held_out:.2f} on average, from "
        f"{found.held_out_low:.2f} to {found.held_out_high:.2f}. None predicts well enough to choose a strategy by: "
        "take it as a hint, and decide by a sweep."
    )


def _over_doses(rows: Sequence[Row]) -> str:
    doses: dict[str, list[int]] = {}
    for row in rows:
        doses.setdefault(verdict_of(row).text, []).append(row["epochs"])
    verdicts = "; ".join(f"{text} at {counts(epochs, 'epoch')}" for text, epochs in doses.items())
    return f"{rows[0]['score']} ({rows[0]['queried']} is queried): {verdicts}."


def _sign_change(rows: Sequence[Row]) -> list[str]:
    """Return that rho is shown to be positive at some doses and negative at others, where it is."""
    shown = [row for row in rows if row["p_max"] < SIGNIFICANCE]
    sides = {
        sign: [row["epochs"] for row in shown if row["rho"] * direction > 0]
        for sign, direction in (("negative", -1), ("positive", 1))
    }
    if not all(sides.values()):
        return []
    signs = " and ".join(f"{sign} at {counts(epochs, 'epoch')}" for sign, epochs in sides.items())
    return [f"{rows[0]['score']}: the sign depends on the dose: rho is {signs}."]


def _checks(rows: Sequence[Row]) -> list[str]:
    sentences = []
    known = [row for row in rows if not math.isnan(row["shuffled_low"])]
    failed = [row["epochs"] for row in known if not row["shuffled_high"] < 0]
    if not known:
        sentences.append("Check with shuffled labels: not made.")
    elif failed:
        sentences.append(
            f"Check with shuffled labels failed at {counts(failed, 'epoch')}: they are not shown to do harm, "
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


def _needed(rows: Sequence[Row]) -> list[str]:
    """Return what would settle inconclusive verdicts."""
    sentences = []
    noisy = [row for row in rows if row["verdict"] == "inconclusive" and row["icc"] < RELIABLE]
    if noisy:
        most = max(
            (row["seeds_needed"] for row in noisy if not pd.isna(row["seeds_needed"])), default=0
        )
        seeds = (
            f"up to {count(int(most), 'seed')}" if most else "more seeds, no number can be named,"
        )
        sentences.append(
            f"Where the outcome is too noisy: {seeds} instead of {rows[0]['seeds']} would give a "
            f"reliability of {WANTED}."
        )
    settled = [row for row in rows if row["verdict"] == "inconclusive" and row["icc"] >= RELIABLE]
    bases = rows[0]["bases"]
    if settled and bases > 1:
        sentences.append(
            f"Where effects are not excluded: more than {bases} bases would narrow the intervals."
        )
    if bases < FEWEST_BASES:
        known = "this base only" if bases == 1 else "these bases and hardly of others"
        sentences.append(
            f"With {count(bases, 'base')} the findings are known of {known}: train at least {FEWEST_BASES}."
        )
    return sentences


def _rho(row: Row) -> str:
    if math.isnan(row["rho"]):
        return "no rho"
    low, high, over = row["rho_low"], row["rho_high"], ""
    if math.isnan(low):
        low, high, over = row["rho_bootstrap_low"], row["rho_bootstrap_high"], " over its groups"
    interval = "" if math.isnan(low) else f" ({low:.2f} to {high:.2f}{over})"
    return f"rho {row['rho']:.2f}{interval}"


def _change(row: Row) -> str:
    # Usefulness of nll is its fall.
    sign, ends = (-1, ("_high", "_low")) if row["outcome"] == "nll" else (1, ("_low", "_high"))
    estimate = sign * row["uplift"]
    low, high = (sign * row[f"uplift{end}"] for end in ends)
    if math.isnan(estimate):
        return f"changes {row['outcome']} by an unknown amount"
    decimals = decimals_of(high - low)
    interval = "" if math.isnan(low) else f" ({low:.{decimals}f} to {high:.{decimals}f})"
    return f"changes {row['outcome']} by {estimate:.{decimals}f}{interval}"


def _p(p: float) -> str:
    return "unknown" if math.isnan(p) else f"{p:.2g}"
