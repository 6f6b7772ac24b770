"""Arms over many pools: how they rank, and how much each loses where it does worst."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.metrics import better_sign
from alray.errors import SpecError
from alray.statistics.curves import area_under_curve
from alray.statistics.mean_ranks import RankComparison, blocks_of, rank_arms
from alray.statistics.paired import mean_interval, t_quantile

AREAS_COLUMNS: Mapping[str, str] = {
    "pool": "the pool: the name of its first study",
    "setting": "the study",
    "seed": "the seed",
    "arm": "the arm; those that all studies have",
    "area": "area under its curve, in the unit of the metric",
}
"""Columns of `findings/areas.csv`, in order, each with what it holds."""

LOSSES_COLUMNS: Mapping[str, str] = {
    "arm": "the arm",
    "pool": "the pool",
    "setting": "the study",
    "best": "the arm with the best mean area there, over the seeds that all arms have; empty without such seeds",
    "loss": "area that the arm lacks to it; 0 for the best one; null without such seeds",
    "low": "lower end of its 95 % interval, which holds for all arms and studies together (paired t of every two "
    "arms, Bonferroni)",
    "high": "upper end; infinite with one seed",
    "seeds": "seeds that all arms have",
}
"""Columns of `findings/losses.csv`."""

RANKS_COLUMNS: Mapping[str, str] = {
    "arm": "the arm, best mean rank first",
    "mean_rank": "over blocks of pool and seed, by area; 1 is the best",
    "mean_rank_of_pools": "over blocks of pools",
    "worst_loss": "the greatest of its losses",
    "worst_loss_low": "lower end of its 95 % interval, from those of the losses",
    "worst_loss_high": "upper end",
    "worst_study": "the study that it is of",
    "safest": "the arm with the smallest worst_loss",
}
"""Columns of `findings/ranks.csv`."""

PAIRS_COLUMNS: Mapping[str, str] = {
    "arm": "an arm",
    "versus": "another one, with a worse mean rank",
    "scope": "these pools (blocks of pool and seed) or other pools (blocks of pools)",
    "p": "two-sided p by Wilcoxon's signed ranks, corrected by Holm for all pairs",
    "shown": "p below 5 % where Friedman's test is, too",
}
"""Columns of `findings/pairs.csv`."""


@dataclass(frozen=True, eq=False)
class StudyArms:
    """The arms of a study, as far as they are compared over pools.

    Attributes:
        pool: Its pool; studies of one pool have the same.
        setting: What tells studies of one pool apart.
        arms: With their finished seeds.
        oracles: Names of arms that see true labels.
    """

    pool: str
    setting: str
    arms: Sequence[ArmCurves]
    oracles: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Across:
    """Arms over pools.

    Attributes:
        metric: What areas are of.
        pools: Names of the pools that are compared: those with a seed that all arms have.
        left_out: Arms that not all studies have, or that see true labels.
        incomplete: Study: how many of its seeds an arm lacks, where there are any; ranks and losses leave them out.
        areas: Rows as in `AREAS_COLUMNS`: area under the curve of each finished run, in the unit of the metric.
        these: Ranks within blocks of pool and seed: what holds for these pools.
        others: Ranks within blocks of pools: what holds for pools like these.
        ranks: A row per arm, best mean rank first, as in `RANKS_COLUMNS`; the ranks' intervals are the tests' business.
        pairs: A row per pair of arms and scope, as in `PAIRS_COLUMNS`: p by signed ranks, corrected by Holm.
        losses: A row per arm and study, as in `LOSSES_COLUMNS`: area that the arm lacks to the best one, from 0.
    """

    metric: str
    pools: tuple[str, ...]
    left_out: tuple[str, ...]
    incomplete: Mapping[str, int]
    areas: pd.DataFrame
    these: RankComparison
    others: RankComparison
    ranks: pd.DataFrame
    pairs: pd.DataFrame
    losses: pd.DataFrame


def across(studies: Sequence[StudyArms], metric: str) -> Across:
    """Compare the arms that all studies have, over their pools, paired by pool and seed.

    Ranks and losses rest on those seeds of a study that all these arms have: one failed run costs a seed, not a pool.

    An interval of a loss is the greatest of paired t intervals against every other arm. Those of all pairs of arms in
    all studies hold together (Bonferroni), so the losses' do, and that of the worst loss is theirs too.

    Raises:
        SpecError: There are fewer than two pools with a seed that all arms have, or fewer than two arms that all
            studies have.
    """
    if len({study.pool for study in studies}) < 2:
        raise SpecError(
            f"--across compares arms over pools, and all of these studies are of one, {studies[0].pool}; add a study "
            "of another"
        )
    names, left_out = _common_arms(studies, metric)
    areas = pd.concat([_areas(study, names, metric) for study in studies], ignore_index=True)
    values = areas.rename(columns={"area": "value"})
    values = values.assign(value=better_sign(metric) * values["value"])
    complete, incomplete = _complete(values)
    pools = tuple(complete["pool"].unique())
    if len(pools) < 2:
        raise SpecError(_without_common_seeds(complete, incomplete))
    these = rank_arms(blocks_of(complete, "these pools"))
    others = rank_arms(blocks_of(complete, "other pools"))
    losses = _losses(values, comparisons=math.comb(len(names), 2) * len(studies))
    return Across(
        metric,
        pools,
        left_out,
        incomplete,
        areas,
        these,
        others,
        _ranks(these, others, losses),
        pd.concat([_pairs(these, "these pools"), _pairs(others, "other pools")]),
        losses,
    )


def _common_arms(studies: Sequence[StudyArms], metric: str) -> tuple[list[str], tuple[str, ...]]:
    """Return the arms that all studies have with the metric, and the other ones."""
    usable = [
        [
            arm.name
            for arm in study.arms
            if arm.seeds and metric in arm.curves and arm.name not in study.oracles
        ]
        for study in studies
    ]
    common = [name for name in usable[0] if all(name in names for names in usable)]
    every = dict.fromkeys(arm.name for study in studies for arm in study.arms)
    if len(common) < 2:
        listed = "\n".join(
            f"  {study.setting}: {', '.join(names) or 'none'}"
            for study, names in zip(studies, usable, strict=True)
        )
        raise SpecError(
            "--across needs two arms or more that all studies have by the same name (oracles left out), and there "
            f"{'is one' if common else 'are none'}; run the missing ones with `alray sweep --strategies`. Arms with "
            f"{metric}:\n{listed}"
        )
    return common, tuple(name for name in every if name not in common)


def _areas(study: StudyArms, names: Sequence[str], metric: str) -> pd.DataFrame:
    by_name = {arm.name: arm for arm in study.arms}
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "pool": study.pool,
                    "setting": study.setting,
                    "seed": by_name[name].seeds,
                    "arm": name,
                    "area": area_under_curve(by_name[name].labels, by_name[name].curves[metric]),
                }
            )
            for name in names
        ]
    )


def _complete(values: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows of those seeds of a study in which every arm has a value, and study: its number of other ones."""
    known = values["value"].notna().groupby([values["setting"], values["seed"]]).transform("sum")
    complete = known == values["arm"].nunique()
    others = values[~complete].groupby("setting", sort=False)["seed"].nunique()
    return values[complete], {str(study): int(number) for study, number in others.items()}


def _without_common_seeds(complete: pd.DataFrame, incomplete: Mapping[str, int]) -> str:
    """Return why there are too few pools to compare, and what to do."""
    has = f"only those of pool {complete['pool'].iloc[0]} have" if len(complete) else "none has"
    lacking = [name for name in incomplete if name not in set(complete["setting"])]
    return (
        f"--across compares arms over two pools or more by the seeds that all of them have in a study, and of these "
        f"studies {has} such seeds; have alray sweep finish the missing runs of {', '.join(lacking)}, or run its arms "
        "with the same seeds"
    )


def _losses(values: pd.DataFrame, comparisons: int) -> pd.DataFrame:
    rows = []
    for (pool, setting), part in values.groupby(["pool", "setting"], sort=False):
        table = part.pivot(index="seed", columns="arm", values="value").dropna()
        arms = dict.fromkeys(part["arm"].astype(str))
        if table.empty:
            rows += [(arm, pool, setting, "", *[math.nan] * 3, 0) for arm in arms]
            continue
        means = table.mean()
        for arm in arms:
            ahead = [
                _ahead(table, other, arm, comparisons) for other in map(str, table) if other != arm
            ]
            loss, low, high = (max(0.0, *ends) for ends in zip(*ahead, strict=True))
            best = str(means.idxmax()) if loss > 0 else arm
            rows.append((arm, pool, setting, best, loss, low, high, len(table)))
    return pd.DataFrame(rows, columns=list(LOSSES_COLUMNS))


def _ahead(
    table: pd.DataFrame, other: str, arm: str, comparisons: int
) -> tuple[float, float, float]:
    """Return by how much another arm is ahead, and the ends of its interval; no ends where seeds are too few."""
    found = mean_interval((table[other] - table[arm]).to_numpy(float))
    half = (found.high - found.estimate) * t_quantile(found.n, comparisons) / t_quantile(found.n)
    if not math.isfinite(half):
        return found.estimate, -math.inf, math.inf
    return found.estimate, found.estimate - half, found.estimate + half


def _ranks(these: RankComparison, others: RankComparison, losses: pd.DataFrame) -> pd.DataFrame:
    of_pools = dict(zip(others.arms, others.mean_ranks, strict=True))
    rows = []
    for arm, rank in zip(these.arms, these.mean_ranks, strict=True):
        own = losses[(losses["arm"] == arm) & (losses["seeds"] > 0)]
        worst = own.iloc[int(np.argmax(own["loss"]))]
        ends = own["low"].max(), own["high"].max()
        rows.append((arm, rank, of_pools[arm], worst["loss"], *ends, worst["setting"], False))
    table = pd.DataFrame(rows, columns=list(RANKS_COLUMNS))
    return table.assign(safest=table.index == np.argmin(table["worst_loss"]))


def _pairs(found: RankComparison, scope: str) -> pd.DataFrame:
    shown = found.shown()
    rows = [
        (found.arms[i], found.arms[j], scope, found.wilcoxon_p[i, j], bool(shown[i, j]))
        for i, j in combinations(range(len(found.arms)), 2)
    ]
    return pd.DataFrame(rows, columns=list(PAIRS_COLUMNS))
