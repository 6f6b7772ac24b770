"""What groups change at all, and whether the queried tenth of them does more: what verdicts rest on."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.analysis.correlation.groupings import GroupedOutcomes, queried_end
from alray.settings.correlation import OUTCOMES
from alray.statistics.paired import SIGNIFICANCE, excludes_zero, mean_interval
from alray.statistics.reliability import no_difference_p
from alray.statistics.uplift import queried_tenth, uplift_p

EFFECT_COLUMNS: Mapping[str, str] = {
    "typical_change": "size of what a random group changes on average against the control (without random groups: a "
    "group of the grouping), mean over bases",
    "changed": "whether random groups change the outcome measurably at this dose",
    "groups_p": "p of groups that do not differ in usefulness at all: F test over the seeds; null for one seed",
    "uplift_p": "permutation p of uplift, corrected for all scores of this grouping and all doses; null for groups cut "
    "at random",
}
"""Columns of the summary that this module computes."""

ROW_KEYS = ["score", "grouping", "outcome", "epochs"]
"""What names a row of the summary."""

Usefulness = Float[np.ndarray, "base group seed"]


def effect_rows(
    rankings: Sequence[tuple[str, GroupedOutcomes]],
    random: GroupedOutcomes | None,
    rng: np.random.Generator,
    permutations: int,
) -> pd.DataFrame:
    """Return a row per score, outcome and dose with `ROW_KEYS` and `EFFECT_COLUMNS`.

    Args:
        rankings: The scores of a grouping, each with the groups that it ranks.
        random: Random groups of the same bases, where there are any.
        rng: For the permutations behind `uplift_p`.
        permutations: How many.
    """
    rows = []
    for number, outcome in enumerate(OUTCOMES):
        p = _uplift_p(rankings, random, number, rng, permutations)
        for (score, grouped), of_score in zip(rankings, p, strict=True):
            for dose, epochs in enumerate(grouped.epochs):
                groups = grouped.usefulness[..., number, dose]
                reference = groups if random is None else random.usefulness[..., number, dose]
                rows.append(
                    {
                        **dict(
                            zip(ROW_KEYS, (score, grouped.grouping, outcome, epochs), strict=True)
                        ),
                        "typical_change": float(np.abs(reference.mean(axis=-1)).mean()),
                        "changed": _is_measurable(reference),
                        "groups_p": no_difference_p(groups),
                        "uplift_p": float(of_score[dose]),
                    }
                )
    return pd.DataFrame(rows)


def _uplift_p(
    rankings: Sequence[tuple[str, GroupedOutcomes]],
    random: GroupedOutcomes | None,
    outcome: int,
    rng: np.random.Generator,
    permutations: int,
) -> Float[np.ndarray, "score dose"]:
    first = rankings[0][1]
    if first.grouping == "random":
        return np.full((len(rankings), len(first.epochs)), math.nan)
    sides = []
    for score, grouped in rankings:
        doses = np.moveaxis(grouped.usefulness[..., outcome, :].mean(axis=2), -1, 0)
        against = None if random is None else random.usefulness[..., outcome, :].mean(axis=2)
        for dose, usefulness in enumerate(doses):
            tenth, others = queried_tenth(usefulness, grouped.scores[score], queried_end(score))
            sides.append((tenth, others if against is None else against[..., dose]))
    shape = len(rankings), len(first.epochs)
    tenths, rest = (np.stack(each) for each in zip(*sides, strict=True))
    return uplift_p(
        tenths.reshape(*shape, *tenths.shape[1:]),
        rest.reshape(*shape, *rest.shape[1:]),
        rng,
        permutations,
    )


def _is_measurable(usefulness: Usefulness) -> bool:
    """Return whether groups change the outcome.

    They do not where more than half of the fine-tunes end exactly where the control does, and where neither groups
    are shown to differ nor their mean, over bases and seeds, is shown to differ from zero.
    """
    if np.isnan(usefulness).any():
        return True
    if (usefulness == 0).mean() > 0.5:
        return False
    p = no_difference_p(usefulness)
    means = mean_interval(usefulness.mean(axis=1).ravel())
    unknown = math.isnan(p) or math.isnan(means.low)
    return unknown or p < SIGNIFICANCE or excludes_zero(means.low, means.high)
