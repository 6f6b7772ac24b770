"""A sweep's records to the frames behind its report: curves, differences, label savings, wins, what was queried.

Every arm is compared with the random arm of the same variant, seed by seed; what has no partner is counted, not used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import ArmCurves, Pair, finished_arms, pair, random_arms
from alray.analysis.sweep.queries import class_shares, round_means, score_quantiles
from alray.analysis.sweep.savings import milestones, savings
from alray.statistics.bands import pointwise, simultaneous_half_width
from alray.statistics.curves import label_saving_at_budget
from alray.statistics.paired import FEWEST_SEEDS

SEED_METRICS = ("accuracy", "macro_f1", "nll")
"""Metrics whose curves are kept seed by seed."""

_PAIRS = (
    *("arm", "variant", "against", "seeds", "paired_seeds", "unpaired_seeds", "exploratory"),
    *("accuracy", "random_labels", "saving", "low", "high"),
)
_CURVES = ("arm", "variant", "metric", "labels", "seeds", "mean", "low", "high")
_SEEDS = ("arm", "seed", "metric", "labels", "value")
_DIFFERENCES = (
    *("arm", "against", "metric", "labels", "seeds", "difference"),
    *("low", "high", "band_low", "band_high", "exploratory"),
)
_WINS = ("arm", "versus", "wins", "ties", "losses", "unknown", "seeds", "exploratory")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Frames of a sweep's finished runs. Intervals are 95 %; a metric that was not recorded has no rows.

    Attributes:
        pairs: A row per arm with a finished run: variant, against (the random arm; null for itself and where there
            is none), seeds (finished), paired_seeds, unpaired_seeds (of the two arms, left out of comparisons),
            exploratory (fewer than six paired seeds), and the signed saving at the budget with low and high, at
            `accuracy`, where random needs `random_labels` (`curves.label_saving_at_budget`).
        curves: arm, variant, metric, labels, seeds, mean, low, high: t interval over the arm's finished seeds.
        seeds: arm, seed, metric, labels, value.
        differences: arm, against, metric, labels, seeds, difference, low, high (paired t, each point alone),
            band_low, band_high (for all points of the curve at once), exploratory.
        savings: arm, against, accuracy, random_labels, arm_labels, saving, low (-inf where not bounded), high,
            reached, censored (low is not bounded), pool_share_random, pool_share_arm, seeds, exploratory.
        milestones: arm, against, share (of the random arm's budget), accuracy, random_labels, arm_labels, saving,
            low, high, seeds, exploratory; NaN where not reached.
        wins: arm, versus (both orders of each pair of one variant), wins, ties, losses, unknown: label counts at
            which the paired t interval of accuracy lies above, around or below zero, or does not exist; seeds
            (paired), exploratory. The intervals are not corrected for the number of label counts or pairs.
        classes: arm, label, step (1 to 10: tenths of the queried objects), queried_share, pool_share.
        scores: arm, round, q05, q25, q50, q75, q95 of the scores of queried objects.
        rounds: arm, round, labels, query_s, fit_s, eval_s and sigma_<head>: means over seeds.
    """

    pairs: pd.DataFrame
    curves: pd.DataFrame
    seeds: pd.DataFrame
    differences: pd.DataFrame
    savings: pd.DataFrame
    milestones: pd.DataFrame
    wins: pd.DataFrame
    classes: pd.DataFrame
    scores: pd.DataFrame
    rounds: pd.DataFrame


def compare(
    rounds: pd.DataFrame,
    queries: pd.DataFrame,
    runs: pd.DataFrame,
    pool_classes: Mapping[str, int] | None,
    pool_size: int | None,
    rng: np.random.Generator,
) -> Comparison:
    """Return the frames of a study. Only finished runs count.

    Args:
        rounds: A row per run and round; further columns of `METRICS` and `sigma_<head>` are used where they are.
        queries: A row per queried object; may be empty.
        runs: A row per run, with its status. The random arm of a variant is the one whose strategy is `random`.
        pool_classes: Class: objects in the pool's train part, or None where unknown.
        pool_size: Objects in the pool's train part, or None where unknown.
        rng: For the bands; arms share the draws, so neither their order nor their names change a number.

    Raises:
        StoreError: If finished runs differ in their label counts, a finished run has no rounds, an arm finished a
            seed twice, or a variant has two random arms.
    """
    arms = finished_arms(rounds, runs)
    randoms = random_arms(runs)
    pairs = _against_random(arms, randoms)
    finished = runs.loc[runs["status"] == "finished", "run_id"]
    rounds, queries = (
        frame[frame["run_id"].isin(finished)] if len(frame) else frame
        for frame in (rounds, queries)
    )
    return Comparison(
        pairs=_pairs(arms, pairs, randoms),
        curves=_joined(_CURVES, (_curve(arm, name) for arm in arms for name in arm.curves)),
        seeds=_joined(_SEEDS, (_faint(arm, name) for arm in arms for name in SEED_METRICS)),
        differences=_joined(_DIFFERENCES, _differences(pairs, int(rng.integers(2**63)))),
        savings=savings(pairs, pool_size),
        milestones=milestones(pairs),
        wins=_wins(arms),
        classes=class_shares(queries, pool_classes),
        scores=score_quantiles(queries),
        rounds=round_means(rounds),
    )


def _against_random(arms: list[ArmCurves], randoms: Mapping[str, str]) -> list[Pair]:
    """Return arms with the random arm of their variant, where both have finished runs."""
    by_name = {arm.name: arm for arm in arms}
    references = [by_name.get(randoms.get(arm.variant, "")) for arm in arms]
    return [
        pair(arm, reference)
        for arm, reference in zip(arms, references, strict=True)
        if reference is not None and reference is not arm
    ]


def _pairs(arms: list[ArmCurves], pairs: list[Pair], randoms: Mapping[str, str]) -> pd.DataFrame:
    by_name = {each.arm.name: each for each in pairs}
    rows = []
    for arm in arms:
        row: dict[str, object] = {"arm": arm.name, "variant": arm.variant, "seeds": len(arm.seeds)}
        row |= {
            "paired_seeds": 0,
            "unpaired_seeds": 0,
            "exploratory": len(arm.seeds) < FEWEST_SEEDS,
        }
        against = randoms.get(arm.variant)
        if arm.name in by_name:
            row |= _partner(by_name[arm.name])
        elif against not in {None, arm.name}:
            # No run of its random arm has finished.
            row |= {"against": against, "unpaired_seeds": len(arm.seeds), "exploratory": True}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_PAIRS)).astype({"against": "str"})


def _partner(each: Pair) -> dict[str, object]:
    row = {
        "against": each.against.name,
        "paired_seeds": len(each.seeds),
        "unpaired_seeds": each.unpaired,
        "exploratory": len(each.seeds) < FEWEST_SEEDS,
    }
    if "accuracy" not in each.metrics or not each.seeds:
        return row
    saved = label_saving_at_budget(each.labels, *each.curves("accuracy"))
    numbers = {"accuracy": saved.accuracy, "random_labels": saved.random_labels}
    interval = saved.saving
    return (
        row | numbers | {"saving": interval.estimate, "low": interval.low, "high": interval.high}
    )


def _curve(arm: ArmCurves, metric: str) -> pd.DataFrame:
    mean, half = pointwise(arm.curves[metric])
    return pd.DataFrame(
        {
            "arm": arm.name,
            "variant": arm.variant,
            "metric": metric,
            "labels": arm.labels.astype(np.int64),
            "seeds": len(arm.seeds),
            "mean": mean,
            "low": mean - half,
            "high": mean + half,
        }
    )


def _faint(arm: ArmCurves, metric: str) -> pd.DataFrame:
    if metric not in arm.curves:
        return pd.DataFrame(columns=list(_SEEDS))
    points = len(arm.labels)
    return pd.DataFrame(
        {
            "arm": arm.name,
            "seed": np.repeat(arm.seeds, points),
            "metric": metric,
            "labels": np.tile(arm.labels.astype(np.int64), len(arm.seeds)),
            "value": arm.curves[metric].ravel(),
        }
    )


def _differences(pairs: list[Pair], draws_seed: int) -> Iterable[pd.DataFrame]:
    for each in pairs:
        for metric in each.metrics if each.seeds else ():
            values = each.differences(metric)
            mean, half = pointwise(values)
            band = simultaneous_half_width(values, np.random.default_rng(draws_seed))
            yield pd.DataFrame(
                {
                    "arm": each.arm.name,
                    "against": each.against.name,
                    "metric": metric,
                    "labels": each.labels.astype(np.int64),
                    "seeds": len(each.seeds),
                    "difference": mean,
                    "low": mean - half,
                    "high": mean + half,
                    "band_low": mean - band,
                    "band_high": mean + band,
                    "exploratory": len(each.seeds) < FEWEST_SEEDS,
                }
            )


def _wins(arms: list[ArmCurves]) -> pd.DataFrame:
    rows = []
    for arm in arms:
        for other in arms:
            each = pair(arm, other)
            comparable = arm.variant == other.variant and "accuracy" in each.metrics
            if arm is not other and comparable and each.seeds:
                rows.append(_won(each))
    return pd.DataFrame(rows, columns=list(_WINS))


def _won(each: Pair) -> dict[str, object]:
    mean, half = pointwise(each.differences("accuracy"))
    wins, losses = int((mean > half).sum()), int((mean < -half).sum())
    unknown = int(np.isnan(half).sum())
    return {
        "arm": each.arm.name,
        "versus": each.against.name,
        "wins": wins,
        "ties": len(mean) - wins - losses - unknown,
        "losses": losses,
        "unknown": unknown,
        "seeds": len(each.seeds),
        "exploratory": len(each.seeds) < FEWEST_SEEDS,
    }


def _joined(columns: tuple[str, ...], frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True)[list(columns)]
