"""What a correlation study found, in at most three sentences: what to expect of which score, and how sure that is."""

import math
from collections.abc import Iterable, Sequence

import pandas as pd

from alray.analysis.correlation.findings import (
    FEWEST_BASES,
    MOST,
    Prediction,
    nothing_measured,
    rows_of,
)
from alray.analysis.correlation.verdict import possible_share, seeds_needed
from alray.analysis.wording import Row, count, counts, decimals_of, joined, percent_up
from alray.statistics.reliability import RELIABLE

EFFECTS = ("helps", "hurts")


def opening(
    summary: pd.DataFrame,
    checks: pd.DataFrame,
    prediction: Prediction,
    main: tuple[str, str] = ("accuracy", "score"),
) -> list[str]:
    """Return two or three sentences: effects that are shown, what else is known, and how sure that is.

    Args:
        summary: `CorrelationSummary.summary`.
        checks: `CorrelationSummary.checks`.
        prediction: How well such studies were seen to predict sweeps.
        main: Outcome and grouping that are read; the page's tables hold the others.
    """
    outcome, grouping = main
    rows = rows_of(summary, main)
    if not rows:
        return [nothing_measured(main)]
    if grouping == "random":
        return ["All groups are random, and none would be queried: add --grouping score."]
    harm = checks[(checks["outcome"] == outcome) & ~(checks["shuffled_high"] < 0)]
    return [
        *_shown([row for row in rows if row["verdict"] in EFFECTS]),
        *_others(rows),
        _how_sure(rows[0], harm.dropna(subset=["shuffled_high"]), prediction),
    ]


def _shown(rows: Sequence[Row]) -> list[str]:
    """Return the sentence on effects; scores with the same effect at the same doses are named together."""
    if not rows:
        return []
    clauses = []
    for verdict in EFFECTS:
        for doses, names in _by_doses([row for row in rows if row["verdict"] == verdict]):
            of_clause = [
                row for row in rows if row["verdict"] == verdict and row["score"] in names
            ]
            verb = verdict if len(names) == 1 else verdict[:-1]
            clauses.append(f"{_ends(of_clause)} {verb} {_after(doses)} ({_size(of_clause)})")
    return [f"Querying by {'; by '.join(clauses)}."]


def _others(rows: Sequence[Row]) -> list[str]:
    """Return the sentence on all that neither helps nor hurts."""
    has_effects = any(row["verdict"] in EFFECTS for row in rows)
    clauses = []
    for kind in ("no change", "no difference", "no effect", "inconclusive"):
        of_kind = [row for row in rows if row["verdict"] == kind]
        if of_kind:
            clauses.append(_clause(kind, of_kind, has_effects=has_effects))
    return [_sentence("; ".join(clauses))] if clauses else []


def _clause(kind: str, rows: Sequence[Row], *, has_effects: bool) -> str:
    doses = sorted({int(row["epochs"]) for row in rows})
    if kind == "no change":
        return f"{_after(doses)} groups of objects change nothing measurable"
    if kind == "no difference":
        return (
            f"{_after(doses)} groups of objects do not differ in usefulness beyond chance, so no score can tell which "
            "to label"
        )
    shares = [share for row in rows if not math.isnan(share := possible_share(row))]
    largest = f"{percent_up(max(shares))} of what a group changes" if shares else "any size"
    which = f"{_scores(rows)} {_after(doses)}"
    if kind == "no effect":
        return f"{which}: no effect larger than {largest}"
    if has_effects:
        which = "all else"
    noisy = [seeds for row in rows if (seeds := seeds_needed(row)) is not None]
    if noisy and len(noisy) == len(rows):
        return f"{which}: too noisy to tell, --fine-tune-seeds {max(noisy)} would do"
    if all(not row["icc"] >= RELIABLE for row in rows):
        return f"{which}: too noisy to tell; try more --fine-tune-seeds"
    return f"{which}: not known, effects of up to {largest} are possible; more --bases narrow this"


def _how_sure(row: Row, harmless: pd.DataFrame, found: Prediction) -> str:
    bases = count(int(row["bases"]), "base model")
    only = "" if row["bases"] >= FEWEST_BASES else f", too few: train at least {FEWEST_BASES}"
    unseen = ""
    if len(harmless):
        doses = [int(epochs) for epochs in harmless["epochs"]]
        unseen = (
            f", and wrong labels are not seen to do harm {_after(doses)}, so harm may go unseen"
        )
    return (
        f"How sure: this rests on {bases} of this pool{only}{unseen}; on {found.pools} pools such findings agreed with "
        f"sweeps by {found.agreement:.2f} ({found.low:.2f} to {found.high:.2f}, where 1 is full agreement and 0 "
        "is none), so take it as a hint and decide by alray sweep."
    )


def _by_doses(rows: Sequence[Row]) -> Iterable[tuple[tuple[int, ...], list[str]]]:
    """Return doses with the scores that have rows at exactly these, in the order of the rows."""
    doses: dict[str, tuple[int, ...]] = {}
    for row in rows:
        doses[row["score"]] = (*doses.get(row["score"], ()), int(row["epochs"]))
    names: dict[tuple[int, ...], list[str]] = {}
    for score, of_score in doses.items():
        names.setdefault(of_score, []).append(score)
    return names.items()


def _ends(rows: Sequence[Row]) -> str:
    """Return the queried ends of scores: `the largest loss and entropy`."""
    names: dict[str, list[str]] = {}
    for row in rows:
        of_end = names.setdefault(MOST[str(row["queried"])], [])
        if (name := str(row["score"]).replace("_", " ")) not in of_end:
            of_end.append(name)
    return joined([f"the {most} {joined(scores)}" for most, scores in names.items()])


def _scores(rows: Sequence[Row]) -> str:
    return joined(list(dict.fromkeys(str(row["score"]).replace("_", " ") for row in rows)))


def _size(rows: Sequence[Row]) -> str:
    """Return the largest effect in the unit of the outcome, and what it is of a group's change."""
    row = max(rows, key=lambda row: abs(row["uplift"]) / (row["typical_change"] or math.inf))
    sign = -1 if row["outcome"] == "nll" else 1
    decimals = decimals_of(row["uplift_high"] - row["uplift_low"])
    most = "at most " if len(rows) > 1 else ""
    share = abs(row["uplift"]) / row["typical_change"] if row["typical_change"] > 0 else math.nan
    of_change = "" if math.isnan(share) else f", {round(100 * share):,} % of what a group changes"
    return (
        f"{row['outcome'].replace('_', ' ')} {most}{sign * row['uplift']:+.{decimals}f}{of_change}"
    )


def _after(doses: Sequence[int]) -> str:
    return f"after {counts(doses, 'epoch')}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
