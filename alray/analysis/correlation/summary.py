"""Does a group's mean score predict how useful the group is? A correlation study's frames to its summary.

The design is that of disjoint groups, fine-tuned from each base model with seeds common to all groups. Base models
are the replicates; a verdict holds for its dose, outcome and grouping only.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.analysis.columns import text_column
from alray.analysis.correlation.groupings import (
    GroupedOutcomes,
    grouped_outcomes,
    queried_end,
    score_names,
)
from alray.analysis.correlation.ranks import rank_rows
from alray.analysis.correlation.verdict import decide
from alray.settings.correlation import GROUPINGS, OUTCOMES
from alray.statistics.ranks import BOOTSTRAPS, PERMUTATIONS
from alray.statistics.reliability import (
    WANTED,
    intraclass_correlation,
    seeds_for_reliability,
    split_half,
)
from alray.statistics.uplift import mean_difference, quantiles, uplift

SUMMARY_COLUMNS: Mapping[str, str] = {
    "score": "name of the score",
    "queried": 'the end of the score a strategy would choose: "large" or "small"',
    "grouping": "groups cut by the score, by the score within each class, or at random (the null)",
    "outcome": "metric by which usefulness is measured; larger is better, nll is negated",
    "epochs": "dose: epochs of fine-tuning",
    "bases": "base models",
    "groups": "groups per base",
    "seeds": "fine-tuning seeds per group",
    "scores": "scores of this grouping: what p_max is corrected for",
    "rho": "Spearman's rho of a group's mean raw score and its usefulness, pooled over bases on Fisher's z",
    "rho_low": "lower end of its 95 % t interval over bases; null for one base",
    "rho_high": "upper end",
    "rho_bootstrap_low": "lower end of its 95 % bootstrap interval over the groups of these bases",
    "rho_bootstrap_high": "upper end",
    "rho_bases": "rho of each base",
    "p": "two-sided permutation p of rho",
    "p_max": "the same, corrected for all scores of this grouping, outcome and dose (largest |z|)",
    "icc": "reliability of a group's mean usefulness over the seeds, ICC(3,k), mean over bases",
    "icc_single": "reliability of one seed, ICC(3,1), mean over bases",
    "ceiling": "the largest rho this noise allows, sqrt(icc); null where icc is not positive",
    "rho_corrected": "rho / ceiling: what rho would be without noise in the outcome; may pass 1 by chance",
    "partial_rho": "rho given the class shares of the groups, pooled over bases",
    "uplift": "usefulness of the tenth of the groups at the queried end minus that of random groups (without "
    "random groups: of all groups of the grouping), mean over bases; null for groups cut at random",
    "against": 'what uplift is against: "random" groups, or "all" groups of the grouping; null where there is none',
    "uplift_low": "lower end of its 95 % interval: t over bases; for one base Welch's over its groups",
    "uplift_high": "upper end",
    "change": "mean usefulness of all groups: what a group does against the control, mean over bases",
    "seeds_needed": "seeds that would make the reliability 0.8 (Spearman-Brown); null where no number can be named",
    "verdict": '"helps", "hurts", "no effect" or "inconclusive": choosing the queried end, at this dose',
    "bound": 'X of "no effect larger than X"; null for other verdicts',
}
"""Columns of `CorrelationSummary.summary`, in order, each with what it holds."""

QUANTILE_COLUMNS: Mapping[str, str] = {
    "score": "name of the score",
    "grouping": "as in the summary",
    "outcome": "as in the summary",
    "epochs": "dose: epochs of fine-tuning",
    "quantile": "tenth of the groups by raw score, 0 the smallest to 9",
    "mean_score": "mean raw score of its groups",
    "mean": "mean usefulness of its groups, mean over bases",
    "low": "lower end of its 95 % t interval over bases (one base: over its groups)",
    "high": "upper end",
}
"""Columns of `CorrelationSummary.quantiles`."""

CHECK_COLUMNS: Mapping[str, str] = {
    "outcome": "as in the summary",
    "epochs": "dose: epochs of fine-tuning",
    "shuffled": "usefulness of groups with shuffled labels minus that of random groups, mean over bases: must be "
    "harmful; null where either is absent",
    "shuffled_low": "lower end of its 95 % interval: t over bases; for one base Welch's over its groups",
    "shuffled_high": "upper end",
    "split_half": "agreement of the groups' ranks over two halves of the seeds, as reliability of all seeds "
    "(2 r / (1 + r)), mean over bases and scores; null for one seed",
}
"""Columns of `CorrelationSummary.checks`."""


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
    random = next((each for each in groupings if each.grouping == "random"), None)
    rows: list[dict[str, Any]] = []
    tenths: list[dict[str, Any]] = []
    for kind in GROUPINGS:
        rankings = [
            (score, each)
            for score in score_names(groups)
            for each in groupings
            if each.grouping == kind and each.sorted_by in {"", score}
        ]
        if rankings:
            ranks = rank_rows(rankings, rng, permutations, bootstraps)
            rows += [
                _summary_row(cell, random) | of_ranks | {"scores": len(rankings)}
                for cell, of_ranks in zip(_cells(rankings), ranks, strict=True)
            ]
            tenths += [row for cell in _cells(rankings) for row in _quantile_rows(cell)]
    return CorrelationSummary(
        _with_verdicts(pd.DataFrame(rows)),
        pd.DataFrame(tenths, columns=list(QUANTILE_COLUMNS)),
        pd.DataFrame(_check_rows(groupings, random), columns=list(CHECK_COLUMNS)),
    )


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


def _with_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    # Studies of shuffled groups alone have no row.
    table = table.reindex(columns=list(SUMMARY_COLUMNS))
    verdicts = [decide(row) for row in table.to_dict("records")]
    return table.assign(
        seeds_needed=table["seeds_needed"].astype("Int64"),
        against=text_column(table["against"]),
        rho_corrected=table["rho"] / table["ceiling"],
        verdict=pd.Series([verdict for verdict, _ in verdicts], dtype="str"),
        bound=pd.Series([bound for _, bound in verdicts], dtype="float64"),
    )


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
