"""A sweep's records to the frames behind its report: curves, differences, label savings, wins, what was queried.

Every arm is compared with the reference arm of its variant, seed by seed; what has no partner is not used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.analysis.sweep.along import along
from alray.analysis.sweep.arms import (
    BY_DEFAULT,
    ArmCurves,
    Criterion,
    Pair,
    arm_curves,
    reference_pairs,
)
from alray.analysis.sweep.axis import LABELS
from alray.analysis.sweep.crowd_answers import crowd_answers
from alray.analysis.sweep.crowd_choices import crowd_choices
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.initial_selections import initial_selections
from alray.analysis.sweep.metrics import DECIDING
from alray.analysis.sweep.overlap import overlaps
from alray.analysis.sweep.queries import class_shares, round_means, score_quantiles
from alray.analysis.sweep.query_measures import query_measures
from alray.analysis.sweep.savings import milestones, savings
from alray.analysis.sweep.wins import wins
from alray.statistics.bands import simultaneous_half_width
from alray.statistics.paired import pointwise

_CURVES = ("arm", "variant", "metric", "labels", "seeds", "mean", "low", "high")
_SEEDS = ("arm", "seed", "metric", "labels", "value")
_DIFFERENCES = (
    *("arm", "against", "metric", "labels", "seeds", "difference"),
    *("low", "high", "band_low", "band_high", "exploratory"),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Frames of a sweep's finished runs. Intervals are 95 %; a metric that was not recorded has no rows.

    Savings, milestones and wins are of one metric, which the study is decided by. What is called labels are answers or
    money where curves run along these: in curves, seeds, differences, savings, milestones and wins.

    Attributes:
        curves: arm, variant, metric, labels, seeds, mean, low, high: t interval over the arm's finished seeds.
        seeds: arm, seed, metric, labels, value, for metrics that arms can be compared by.
        differences: arm, against, metric, labels, seeds, difference, low, high (paired t, each point alone),
            band_low, band_high (for all points of the curve at once), exploratory.
        savings: arm, against, target, random_labels, arm_labels, saving, low (-inf where not bounded), high,
            reached, censored (low is not bounded), pool_share_random, pool_share_arm, seeds, exploratory.
        milestones: arm, against, share (of the reference arm's budget), target, random_labels, arm_labels, saving,
            low, high, seeds, exploratory; NaN where not reached.
        wins: arm, versus (both orders of each pair of one variant), wins, ties, losses, unknown: label counts at
            which the band of the paired difference of the metric lies above, around or below zero, or does not exist;
            seeds (paired), exploratory. The bands hold for all label counts and all pairs at once.
        classes: arm, label, step (1 to 10: tenths of the queried objects), queried_share, pool_share.
        scores: arm, round, q05, q25, q50, q75, q95 of the scores of queried objects.
        overlaps: arm, versus (both orders of each pair of one variant), labels, seeds, overlap, low, high, by_chance:
            of what two arms queried, the share that both did; see `overlap.overlaps`.
        query_measures: arm, measure (a column `query_*` of rounds), seeds, mean, low, high, against, paired_seeds,
            difference, difference_low, difference_high, p: how alike the objects of a query are; see
            `query_measures.query_measures`.
        crowd: arm, seeds, labels, and as far as an arm has them answers, cost, skipped, unanswered, partly_labelled,
            wrong_labels, skill_error: what a crowd answered, and what was answered to yes/no questions, means over
            seeds at the last round.
        crowd_choices: arm, against, ...: see `crowd_choices.CROWD_CHOICE_COLUMNS`.
        initial_selections: arm, against, ...: see `initial_selections.INITIAL_SELECTION_COLUMNS`.
        rounds: arm, round, labels, query_s, fit_s, eval_s and sigma_<head>: means over seeds.
    """

    curves: pd.DataFrame
    seeds: pd.DataFrame
    differences: pd.DataFrame
    savings: pd.DataFrame
    milestones: pd.DataFrame
    wins: pd.DataFrame
    classes: pd.DataFrame
    scores: pd.DataFrame
    overlaps: pd.DataFrame
    query_measures: pd.DataFrame
    crowd: pd.DataFrame
    crowd_choices: pd.DataFrame
    initial_selections: pd.DataFrame
    rounds: pd.DataFrame


def compare(
    rounds: pd.DataFrame,
    queries: pd.DataFrame,
    runs: pd.DataFrame,
    pool_classes: Mapping[str, int] | None,
    rng: np.random.Generator,
    criterion: Criterion = BY_DEFAULT,
) -> Comparison:
    """Return the frames of a study. Only finished runs count, and those on full data do not.

    Args:
        rounds: A row per run and round; further columns of `METRICS` and `sigma_<head>` are used where they are.
        queries: A row per queried object; may be empty.
        runs: A row per run, with its status.
        pool_classes: Class: objects in the pool's train part, or None where unknown.
        rng: For the bands; arms share the draws, so neither their order nor their names change a number.
        criterion: What arms are compared with and by.

    Raises:
        StoreError: If finished runs differ in their label counts, a finished run has no rounds, an arm finished a
            seed twice, or a variant has two reference arms.
    """
    split = split_full_data(rounds, runs)
    there = along(split.rounds, split.runs, criterion.axis)
    arms = arm_curves(there.rounds, split.runs)
    pairs = reference_pairs(arms, split.runs, criterion.reference)
    metric = criterion.metric
    finished_arms = [arm for arm in arms if arm.seeds]
    finished = split.runs.loc[split.runs["status"] == "finished", "run_id"]
    rounds, queries = (
        frame[frame["run_id"].isin(finished)] if len(frame) else frame
        for frame in (split.rounds, queries)
    )
    draws_seed = int(rng.integers(2**63))
    pool_size = sum(pool_classes.values()) if pool_classes else None
    in_labels = there.axis == LABELS
    frames = {
        "curves": _joined(_CURVES, (_curve(arm, name) for arm in arms for name in arm.curves)),
        "seeds": _joined(_SEEDS, _seed_values(arms)),
        "differences": _joined(_DIFFERENCES, _differences(pairs.values(), draws_seed)),
    }
    if in_labels:
        frames = {name: _whole_labels(frame) for name, frame in frames.items()}
    return Comparison(
        **frames,
        savings=savings(pairs.values(), pool_size if in_labels else None, metric),
        milestones=milestones(pairs.values(), metric),
        wins=wins(finished_arms, metric, np.random.default_rng(draws_seed)),
        classes=class_shares(queries, pool_classes),
        scores=score_quantiles(queries),
        overlaps=overlaps(queries, split.runs, pool_size),
        query_measures=query_measures(rounds, pairs, np.random.default_rng(draws_seed)),
        crowd=crowd_answers(rounds),
        crowd_choices=crowd_choices(split, there.axis, metric, np.random.default_rng(draws_seed)),
        initial_selections=initial_selections(
            split,
            there.axis,
            metric,
            np.random.default_rng(draws_seed),
            criterion.initial_selection,
        ),
        rounds=round_means(rounds),
    )


def _curve(arm: ArmCurves, metric: str) -> pd.DataFrame:
    mean, half = pointwise(arm.curves[metric])
    return pd.DataFrame(
        {
            "arm": arm.name,
            "variant": arm.variant,
            "metric": metric,
            "labels": arm.labels,
            "seeds": len(arm.seeds),
            "mean": mean,
            "low": mean - half,
            "high": mean + half,
        }
    )


def _seed_values(arms: Iterable[ArmCurves]) -> Iterable[pd.DataFrame]:
    for arm in arms:
        for metric in (name for name in DECIDING if name in arm.curves):
            yield pd.DataFrame(
                {
                    "arm": arm.name,
                    "seed": np.repeat(arm.seeds, len(arm.labels)),
                    "metric": metric,
                    "labels": np.tile(arm.labels, len(arm.seeds)),
                    "value": arm.curves[metric].ravel(),
                }
            )


def _differences(pairs: Iterable[Pair], draws_seed: int) -> Iterable[pd.DataFrame]:
    for each in pairs:
        for metric in each.metrics:
            values = each.differences(metric)
            mean, half = pointwise(values)
            band = simultaneous_half_width(values, np.random.default_rng(draws_seed))
            yield pd.DataFrame(
                {
                    "arm": each.arm.name,
                    "against": each.reference.name,
                    "metric": metric,
                    "labels": each.labels,
                    "seeds": len(each.seeds),
                    "difference": mean,
                    "low": mean - half,
                    "high": mean + half,
                    "band_low": mean - band,
                    "band_high": mean + band,
                    "exploratory": each.exploratory,
                }
            )


def _whole_labels(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.astype({"labels": np.int64}) if len(frame) else frame


def _joined(columns: tuple[str, ...], frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True)[list(columns)]
