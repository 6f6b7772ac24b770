"""Does a group's mean score predict how useful the group is? A correlation study's frames to its summary.

The design is that of disjoint groups, fine-tuned from each base model with seeds common to all groups. Base models
are the replicates; a verdict holds for its dose, outcome and grouping only.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.analysis.columns import text_column
from alray.analysis.correlation.columns import CHECK_COLUMNS, QUANTILE_COLUMNS, SUMMARY_COLUMNS
from alray.analysis.correlation.effects import EFFECT_COLUMNS, ROW_KEYS, effect_rows
from alray.analysis.correlation.groupings import (
    GroupedOutcomes,
    grouped_outcomes,
    queried_end,
    score_names,
)
from alray.analysis.correlation.ranks import rank_rows
from alray.analysis.correlation.verdict import with_verdicts
from alray.settings.correlation import GROUPINGS, OUTCOMES
from alray.statistics.ranks import BOOTSTRAPS, PERMUTATIONS
from alray.statistics.reliability import (
    WANTED,
    intraclass_correlation,
    seeds_for_reliability,
    split_half,
)
from alray.statistics.uplift import mean_difference, quantiles, uplift


@dataclass(frozen=True)
class CorrelationSummary:
    """What a correlation study found.

    Attributes:
        summary: A row per score, grouping, outcome and dose; `SUMMARY_COLUMNS`.
        quantiles: Dose-response, ten rows for each of these; `QUANTILE_COLUMNS`.
        checks: A row per outcome and dose; `CHECK_COLUMNS`.
    """

    summary: pd.DataFrame
    quantiles: pd.DataFrame
    checks: pd.DataFrame

    def judged(self, matters: float) -> "CorrelationSummary":
        """Return the same with verdicts for this size that matters, as a share of what a group changes."""
        return replace(self, summary=with_verdicts(self.summary, matters))


def summarise(
    groups: pd.DataFrame,
    outcomes: pd.DataFrame,
    bases: pd.DataFrame,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    bootstraps: int = BOOTSTRAPS,
) -> CorrelationSummary:
    """Return the summary, the dose-response and the checks of a study.

    A grouping that is absent from the outcomes is absent from the result. Without random groups, uplift compares the
    queried tenth with all groups of its own grouping.

    Args:
        groups: A row per base, grouping, score sorted by and object.
        outcomes: A row per fine-tune and dose, with those of the control.
        bases: A row per base model, before any fine-tuning.
        rng: For permutations and bootstrap draws; the order of rows changes no number.
        permutations: Draws behind each p.
        bootstraps: Draws behind each bootstrap interval.

    Raises:
        StoreError: If fine-tunes, controls, bases or groups are missing or occur twice.
    """
    groupings = grouped_outcomes(groups, outcomes, bases)
    random = _random(groupings)
    by_kind = _rankings(groups, groupings)
    rows: list[dict[str, Any]] = []
    for rankings in by_kind:
        ranks = rank_rows(rankings, rng, permutations, bootstraps)
        rows += [
            _summary_row(cell, random) | of_ranks | {"scores": len(rankings)}
            for cell, of_ranks in zip(_cells(rankings), ranks, strict=True)
        ]
    tenths = [
        row for rankings in by_kind for cell in _cells(rankings) for row in _quantile_rows(cell)
    ]
    # Studies of shuffled groups alone have no row.
    table = pd.DataFrame(rows).reindex(columns=[*SUMMARY_COLUMNS])
    table = table.assign(
        seeds_needed=table["seeds_needed"].astype("Int64"),
        against=text_column(table["against"]),
        rho_corrected=table["rho"] / table["ceiling"],
    )
    return CorrelationSummary(
        _judged(table, by_kind, random, rng, permutations),
        pd.DataFrame(tenths, columns=list(QUANTILE_COLUMNS)),
        pd.DataFrame(_check_rows(groupings, random), columns=list(CHECK_COLUMNS)),
    )


def judged_again(
    summary: pd.DataFrame,
    records: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
) -> pd.DataFrame:
    """Return a summary that an earlier version wrote, with the columns and verdicts of this one.

    Args:
        summary: It.
        records: Its bases, groups and outcomes.
        rng: For the permutations behind `uplift_p`.
        permutations: How many.
    """
    bases, groups, outcomes = records
    groupings = grouped_outcomes(groups, outcomes, bases)
    by_kind = _rankings(groups, groupings)
    return _judged(summary, by_kind, _random(groupings), rng, permutations)


def _random(groupings: list[GroupedOutcomes]) -> GroupedOutcomes | None:
    return next((each for each in groupings if each.grouping == "random"), None)


def _rankings(
    groups: pd.DataFrame, groupings: list[GroupedOutcomes]
) -> list[list[tuple[str, GroupedOutcomes]]]:
    """Return for each kind of grouping the scores, each with the groups that it ranks."""
    by_kind = [
        [
            (score, each)
            for score in score_names(groups)
            for each in groupings
            if each.grouping == kind and each.sorted_by in {"", score}
        ]
        for kind in GROUPINGS
    ]
    return [rankings for rankings in by_kind if rankings]


def _judged(
    table: pd.DataFrame,
    by_kind: list[list[tuple[str, GroupedOutcomes]]],
    random: GroupedOutcomes | None,
    rng: np.random.Generator,
    permutations: int,
) -> pd.DataFrame:
    """Return the rows with `EFFECT_COLUMNS` and verdicts."""
    if by_kind:
        effects = pd.concat(
            [effect_rows(rankings, random, rng, permutations) for rankings in by_kind]
        )
        table = table.drop(columns=[*EFFECT_COLUMNS], errors="ignore").merge(
            effects, on=ROW_KEYS, how="left", validate="one_to_one"
        )
    return with_verdicts(table)[list(SUMMARY_COLUMNS)]


def as_original(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return outcomes as the published protocol has them: the mean over the epochs of a fine-tune, no control.

    One row per group and seed; metrics are means over the doses above zero that were evaluated (evaluate after every
    epoch for the published protocol), `epochs` and `steps` are the largest. Usefulness is then the change from the
    base's own metric.
    """
    of_groups = outcomes[(outcomes["grouping"] != "control") & (outcomes["epochs"] > 0)]
    what = dict.fromkeys(OUTCOMES, "mean") | {"epochs": "max", "steps": "max"}
    keys = ["base", "grouping", "sorted_by", "group", "seed"]
    means = of_groups.groupby(keys, as_index=False, sort=False).agg(what)
    return means[list(outcomes.columns)]


@dataclass(frozen=True)
class _Cell:
    """A row of the summary: a score, the grouping whose groups it ranks, and the indices of an outcome and a dose."""

    score: str
    grouped: GroupedOutcomes
    outcome: int
    dose: int

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "score": self.score,
            "grouping": self.grouped.grouping,
            "outcome": OUTCOMES[self.outcome],
            "epochs": self.grouped.epochs[self.dose],
        }

    def usefulness_of(self, grouped: GroupedOutcomes) -> Float[np.ndarray, "base group seed"]:
        return grouped.usefulness[..., self.outcome, self.dose]


def _cells(rankings: list[tuple[str, GroupedOutcomes]]) -> Iterator[_Cell]:
    for score, grouped in rankings:
        for outcome in range(len(OUTCOMES)):
            for dose in range(len(grouped.epochs)):
                yield _Cell(score, grouped, outcome, dose)


def _summary_row(cell: _Cell, random: GroupedOutcomes | None) -> dict[str, Any]:
    grouped, usefulness = cell.grouped, cell.usefulness_of(cell.grouped)
    of_groups = usefulness.mean(axis=-1)
    gained: dict[str, Any] = {}
    if grouped.grouping != "random":
        against = None if random is None else cell.usefulness_of(random).mean(axis=-1)
        found = uplift(of_groups, grouped.scores[cell.score], queried_end(cell.score), against)
        gained = {"against": "all" if random is None else "random", **found.columns("uplift")}
    single, icc = (float(values.mean()) for values in intraclass_correlation(usefulness))
    return {
        **cell.identity,
        "queried": queried_end(cell.score),
        "bases": len(grouped.bases),
        "groups": of_groups.shape[1],
        "seeds": grouped.seeds,
        "icc": icc,
        "icc_single": single,
        "ceiling": math.sqrt(icc) if icc > 0 else math.nan,
        **gained,
        "change": float(of_groups.mean()),
        "seeds_needed": seeds_for_reliability(single, WANTED),
    }


def _quantile_rows(cell: _Cell) -> Iterator[dict[str, Any]]:
    usefulness = cell.usefulness_of(cell.grouped).mean(axis=-1)
    for number, mean_score, mean in quantiles(usefulness, cell.grouped.scores[cell.score]):
        yield {
            **cell.identity,
            "quantile": number,
            "mean_score": mean_score,
            "mean": mean.estimate,
            "low": mean.low,
            "high": mean.high,
        }


def _check_rows(
    groupings: list[GroupedOutcomes], random: GroupedOutcomes | None
) -> Iterator[dict[str, Any]]:
    shuffled = next((each for each in groupings if each.grouping == "shuffled_labels"), None)
    by_score = [each for each in groupings if each.grouping == "score"]
    for cell in _cells([("", groupings[0])]):
        harm: dict[str, float] = {}
        if shuffled is not None and random is not None:
            sides = (cell.usefulness_of(each).mean(axis=-1) for each in (shuffled, random))
            harm = mean_difference(*sides).columns("shuffled")
        halves = [split_half(cell.usefulness_of(each)).mean() for each in by_score]
        yield {
            "outcome": OUTCOMES[cell.outcome],
            "epochs": cell.grouped.epochs[cell.dose],
            **harm,
            "split_half": float(np.mean(halves)) if halves else math.nan,
        }
