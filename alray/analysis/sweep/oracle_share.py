"""What share of an oracle's gain the other arms take: how much there is to win by choosing at all."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alray.analysis.sweep.arms import RANDOM, Pair
from alray.analysis.sweep.metrics import better_sign
from alray.analysis.wording import Row
from alray.statistics.curves import area_under_curve
from alray.statistics.paired import SIGNIFICANCE, Values
from alray.statistics.ratio import ratio_of_means


def with_oracle_shares(
    rows: Sequence[dict[str, Any]], pairs: Mapping[str, Pair], metric: str
) -> list[dict[str, Any]]:
    """Return the rows of a summary with `oracle_share`, its ends, and the oracle's name.

    The oracle is the one with the best area against the same reference, where the joint test shows that it gains. The
    intervals hold for all arms together with all oracles, since the best of these is picked.
    """
    oracles: list[Mapping[Any, Any]] = [
        row for row in rows if row["oracle"] and _gains(row, metric)
    ]
    usable: list[Mapping[Any, Any]] = [row for row in rows if _usable(row)]
    comparisons = len(usable) * sum(row["oracle"] for row in rows)
    found = {str(row["arm"]): _share(row, oracles, pairs, metric, comparisons) for row in usable}
    return [{**row, "oracle_best": "", **found.get(row["arm"], {})} for row in rows]


def share_said(row: Row, reference: str) -> list[str]:
    """Return the sentence on an arm's share of an oracle's gain, where it is bounded."""
    ends = [float(row[f"oracle_share_{end}"]) for end in ("low", "high")]
    if not np.isfinite(ends).all():
        return []
    low, high = (f"{100 * end:.0f}" for end in ends)
    return [
        f"Of what {row['oracle_best']} (oracle) gains over {reference} in area, seeing labels that nobody has bought, "
        f"{row['arm']} takes {100 * row['oracle_share']:.0f} % ({low} to {high} %)."
    ]


def _gains(row: Mapping[Any, Any], metric: str) -> bool:
    gain = better_sign(metric) * row.get("alc_difference", math.nan)
    return bool(gain > 0 and row.get("p", math.nan) < SIGNIFICANCE)


def _usable(row: Mapping[Any, Any]) -> bool:
    known = math.isfinite(row.get("alc_difference", math.nan))
    return not row["oracle"] and row["strategy"] != RANDOM and known


def _share(
    row: Mapping[Any, Any],
    oracles: Sequence[Mapping[Any, Any]],
    pairs: Mapping[str, Pair],
    metric: str,
    comparisons: int,
) -> dict[str, Any]:
    """Return the columns of an arm; none where no oracle that gains has its reference."""
    alike = [each for each in oracles if each["against"] == row["against"]]
    if not alike:
        return {}
    sign = better_sign(metric)
    best = max(alike, key=lambda each: sign * each["alc_difference"])
    arm, oracle = pairs[str(row["arm"])], pairs[str(best["arm"])]
    seeds = sorted(set(arm.seeds) & set(oracle.seeds))
    gains, attainable = (_areas(pair, metric, seeds) for pair in (arm, oracle))
    share = ratio_of_means(gains, attainable, comparisons)
    if not math.isfinite(share.low):
        return {}
    return {**share.columns("oracle_share"), "oracle_best": str(best["arm"])}


def _areas(pair: Pair, metric: str, seeds: Sequence[int]) -> Values:
    rows = [pair.seeds.index(seed) for seed in seeds]
    return area_under_curve(pair.labels, pair.differences(metric)[rows])
