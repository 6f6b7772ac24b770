"""Which arms are ahead of which: at how many label counts one is better than another by the metric."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import ArmCurves, Pair, pair
from alray.analysis.sweep.metrics import better_sign
from alray.statistics.bands import simultaneous_half_widths
from alray.statistics.curves import Curve, Curves
from alray.statistics.paired import pointwise

WINS = ("arm", "versus", "wins", "ties", "losses", "unknown", "seeds", "exploratory")


def wins(arms: Sequence[ArmCurves], metric: str, rng: np.random.Generator) -> pd.DataFrame:
    """Return a row per ordered pair of arms of one variant.

    A label count is a win where the band around the paired difference lies on the better side of zero. The bands are
    for the whole curves of all pairs at once (`simultaneous_half_widths`). Of studies of five equal arms, made of
    real random runs with 5 to 12 seeds, 11 % have a win anywhere, and 1 % a pair that differs by a tenth of the label
    counts or more, where t intervals of single label counts give 15 % of the pairs (`scripts/studies/nulls`).

    Args:
        arms: Arms with a finished run; those without the metric have no row.
        metric: What arms are compared by.
        rng: For the bands. The order and the names of arms change no number.
    """
    pairs = [
        each
        for each in (pair(*two) for two in itertools.combinations(arms, 2))
        if each.arm.variant == each.reference.variant and metric in each.metrics
    ]
    differences = [better_sign(metric) * each.differences(metric) for each in pairs]
    halves = simultaneous_half_widths(differences, [each.seeds for each in pairs], rng)
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for each, values, half in zip(pairs, differences, halves, strict=True):
        first, second = each.arm.name, each.reference.name
        rows[first, second] = _row(each, values, half)
        rows[second, first] = _mirrored(rows[first, second])
    names = itertools.permutations([arm.name for arm in arms], 2)
    return pd.DataFrame([rows[two] for two in names if two in rows], columns=list(WINS))


def _row(each: Pair, differences: Curves, half: Curve) -> dict[str, object]:
    mean, _ = pointwise(differences)
    above, below = int((mean > half).sum()), int((mean < -half).sum())
    unknown = int(np.isnan(half).sum())
    return {
        "arm": each.arm.name,
        "versus": each.reference.name,
        "wins": above,
        "ties": len(mean) - above - below - unknown,
        "losses": below,
        "unknown": unknown,
        "seeds": len(each.seeds),
        "exploratory": each.exploratory,
    }


def _mirrored(row: dict[str, object]) -> dict[str, object]:
    exchanged = {"arm": "versus", "versus": "arm", "wins": "losses", "losses": "wins"}
    return row | {column: row[other] for column, other in exchanged.items()}
