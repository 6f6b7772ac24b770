"""Arms ranked over blocks: mean ranks, Friedman's test, and which arms are shown to differ (Demsar 2006).

A block is what arms are ranked within, and blocks have to be independent of each other: what they have in common makes
p too small. The seeds of one pool share its objects, labels and features. They are independent draws of a study *of
that pool*, and no other pools; so blocks of pool and seed speak of the pools at hand, and only blocks that are pools
speak of pools in general. Settings with one seed share its split and its initial labels, so they are no blocks of their
own in either case. `blocks_of` makes both kinds of blocks.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from alray.errors import SpecError
from alray.statistics.paired import LEVEL, SIGNIFICANCE
from alray.statistics.signed_ranks import DIGITS, holm, signed_rank_p

Rule = Literal["wilcoxon", "nemenyi"]
"""By what two arms are shown to differ.

`wilcoxon`: signed-rank tests of all pairs, corrected by Holm: whether two arms differ does not depend on the others.
`nemenyi`: their mean ranks differ by the critical difference or more (Nemenyi 1963): it does (Benavoli et al. 2016).
"""

Scope = Literal["these pools", "other pools"]

Values = Float[np.ndarray, "block arm"]
PerArm = Float[np.ndarray, " arm"]
PerPair = Float[np.ndarray, "arm arm"]


@dataclass(frozen=True, eq=False)
class RankComparison:
    """What ranks over blocks say.

    Attributes:
        arms: Best mean rank first; equal ones by name.
        mean_ranks: (arm,) 1 is the best; tied arms share their mean rank.
        blocks: How many blocks it rests on: those that have all arms.
        left_out: Block: the arms that it lacks.
        tied_blocks: Blocks in which arms are tied.
        friedman: Friedman's statistic, corrected for ties; 0 where all arms are tied in all blocks.
        friedman_p: Chance of such a one where no arm differs, by chi-square.
        critical_difference: Nemenyi's, of mean ranks, at 5 % for all pairs together.
        wilcoxon_p: (arm, arm) p of each pair by signed ranks, corrected by Holm for all pairs; 1 on the diagonal.
    """

    arms: tuple[str, ...]
    mean_ranks: PerArm
    blocks: int
    left_out: Mapping[str, tuple[str, ...]]
    tied_blocks: int
    friedman: float
    friedman_p: float
    critical_difference: float
    wilcoxon_p: PerPair

    @property
    def fewest_blocks(self) -> int:
        """With fewer blocks signed ranks show no pair to differ, whatever the values.

        Their smallest p is 2^(1 - blocks), which Holm's correction multiplies by the number of pairs.
        """
        pairs = math.comb(len(self.arms), 2)
        return 2 + math.floor(math.log2(pairs / SIGNIFICANCE))

    def shown(self, rule: Rule = "wilcoxon") -> Bool[np.ndarray, "arm arm"]:
        """Return which arms are shown to differ: none where Friedman's test shows no difference at all."""
        if not self.friedman_p < SIGNIFICANCE:
            return np.zeros((len(self.arms), len(self.arms)), dtype=np.bool_)
        if rule == "wilcoxon":
            return np.asarray(self.wilcoxon_p < SIGNIFICANCE)
        apart = np.abs(self.mean_ranks[:, None] - self.mean_ranks)
        return np.asarray(apart >= self.critical_difference)


def rank_arms(frame: pd.DataFrame) -> RankComparison:
    """Rank arms within blocks and compare their ranks.

    A block that lacks an arm is left out and named in the result: ranks among fewer arms are others.

    Args:
        frame: block, arm, value: larger is better, NaN where there is none. Further columns are not looked at.

    Raises:
        SpecError: A column is missing, an arm occurs twice in a block, a value is infinite, or fewer than two arms or
            two blocks with all arms are left.
    """
    table = _table(frame)
    missing = table.isna()
    left_out = {
        str(block): tuple(str(arm) for arm in table.columns[row])
        for block, row in zip(table.index, missing.to_numpy(), strict=True)
        if row.any()
    }
    kept = table[~missing.any(axis=1)]
    if len(kept) < 2:
        raise SpecError(_too_few_blocks(table))
    values = kept.to_numpy(float)
    ranks = ranks_of(values)
    mean = ranks.mean(axis=0)
    order = np.lexsort((table.columns.to_numpy(str), np.round(mean, DIGITS)))
    statistic, p = friedman_test(ranks)
    return RankComparison(
        arms=tuple(str(table.columns[position]) for position in order),
        mean_ranks=mean[order],
        blocks=len(kept),
        left_out=left_out,
        tied_blocks=int(sum(len(np.unique(row)) < len(row) for row in ranks)),
        friedman=statistic,
        friedman_p=p,
        critical_difference=critical_difference(values.shape[1], len(kept)),
        wilcoxon_p=_pairs(values[:, order]),
    )


def blocks_of(frame: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Return block, arm, value for `rank_arms`: a block per pool and seed, or per pool.

    Arms are ranked within each pool, setting and seed. The value is the mean, over what belongs to the block, of the
    number of arms that an arm is ahead of: pools and settings count alike, whatever their metric spreads. An arm that
    is missing anywhere in a block is missing in the block.

    Args:
        frame: pool, setting, seed, arm, value: larger is better.
        scope: `these pools`: blocks of pool and seed. `other pools`: blocks of pools.

    Raises:
        SpecError: As `rank_arms`.
    """
    _require(frame, ("pool", "setting", "seed", "arm", "value"))
    pools = frame["pool"].astype(str)
    if scope == "these pools":
        pools += ", seed " + frame["seed"].astype(str)
    parts = frame["pool"].astype(str) + ", " + frame["setting"].astype(str)
    parts += ", seed " + frame["seed"].astype(str)
    table = _table(frame.assign(block=parts))
    values = table.to_numpy(float)
    ahead = pd.DataFrame(
        np.isfinite(values).sum(axis=1, keepdims=True) - ranks_of(values),
        columns=table.columns,
    )
    block_of = dict(zip(parts, pools, strict=True))
    by_block = ahead.groupby([block_of[part] for part in table.index], sort=False)
    means = by_block.mean().where(by_block.count().eq(by_block.size(), axis=0))
    return (
        means.rename_axis("block").reset_index().melt("block", var_name="arm", value_name="value")
    )


def ranks_of(values: Values) -> Values:
    """Return ranks within each block, 1 for the largest value; tied values share their mean rank, and NaN has none."""
    from scipy.stats import rankdata  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    size = np.nanmax(np.abs(values), axis=1, keepdims=True, initial=0.0)
    rounded = np.round(values / np.where(size > 0, size, 1.0), DIGITS)
    return np.asarray(rankdata(-rounded, axis=1, nan_policy="omit"), float)


def friedman_test(ranks: Values) -> tuple[float, float]:
    """Return Friedman's statistic and its p, by chi-square with one degree of freedom less than arms.

    With n blocks of k arms, ranks r_ij, their means m_j, and c = (k + 1) / 2, it is n^2 (k - 1) sum_j (m_j - c)^2 over
    sum_ij (r_ij - c)^2: the textbook's 12 n / (k (k + 1)) sum_j m_j^2 - 3 n (k + 1), with the correction for ties.
    """
    from scipy.special import chdtrc  # noqa: PLC0415 -- as above

    n, k = ranks.shape
    spread = float(np.square(ranks - (k + 1) / 2).sum())
    if spread == 0:
        return 0.0, 1.0
    between = n * float(np.square(ranks.mean(axis=0) - (k + 1) / 2).sum())
    statistic = n * (k - 1) * between / spread
    return statistic, float(chdtrc(k - 1, statistic))


def critical_difference(arms: int, blocks: int) -> float:
    """Return Nemenyi's critical difference of mean ranks, q / sqrt(2) sqrt(k (k + 1) / (6 n)).

    q is the quantile of the studentised range of k normal numbers.
    """
    return _range_quantile(arms) / math.sqrt(2) * math.sqrt(arms * (arms + 1) / (6 * blocks))


@cache
def _range_quantile(arms: int) -> float:
    from scipy.stats import studentized_range  # noqa: PLC0415 -- as above

    return float(studentized_range.ppf(LEVEL, arms, math.inf))


def _pairs(values: Values) -> PerPair:
    """Return the corrected p of all pairs."""
    pairs = list(combinations(range(values.shape[1]), 2))
    p = holm(np.array([signed_rank_p(values[:, i] - values[:, j]) for i, j in pairs]))
    found = np.ones((values.shape[1], values.shape[1]))
    for (i, j), each in zip(pairs, p, strict=True):
        found[i, j] = found[j, i] = each
    return found


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row per block, a column per arm, both in the order in which they come."""
    _require(frame, ("block", "arm", "value"))
    twice = frame.duplicated(["block", "arm"])
    if twice.any():
        block, arm = frame.loc[twice, ["block", "arm"]].iloc[0]
        raise SpecError(
            f"arm {arm!r} has more than one value in block {str(block)!r}; give each block one value per arm"
        )
    if np.isinf(frame["value"].to_numpy(float)).any():
        block, arm = frame.loc[np.isinf(frame["value"].to_numpy(float)), ["block", "arm"]].iloc[0]
        raise SpecError(f"arm {arm!r} has an infinite value in block {str(block)!r}; leave it out")
    arms = list(dict.fromkeys(frame["arm"]))
    if len(arms) < 2:
        raise SpecError(f"ranks compare two arms or more, and there are {len(arms)}; add arms")
    blocks = list(dict.fromkeys(frame["block"]))
    places = pd.factorize(frame["block"])[0], pd.factorize(frame["arm"])[0]
    values = np.full((len(blocks), len(arms)), math.nan)
    values[places] = frame["value"].to_numpy(float)
    return pd.DataFrame(values, index=blocks, columns=arms)


def _require(frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [name for name in columns if name not in frame]
    if missing:
        raise SpecError(f"the table has no column {missing[0]!r}; it needs {', '.join(columns)}")


def _too_few_blocks(table: pd.DataFrame) -> str:
    counts = table.isna().sum().sort_values(ascending=False)
    worst = f"{counts.index[0]!r} is missing in {counts.iloc[0]} of {len(table)}"
    return (
        f"ranks are compared over two blocks or more that have all {table.shape[1]} arms, and there are "
        f"{int((~table.isna().any(axis=1)).sum())}; leave out arms that many blocks lack ({worst}), or add blocks"
    )
