"""Rank correlation of scores and usefulness in one grouping: pooled, partial, with intervals and permutation p."""

from typing import Any

import numpy as np
from jaxtyping import Float

from alray.analysis.correlation.groupings import GroupedOutcomes
from alray.statistics.ranks import (
    bootstrap_counts,
    bootstrap_interval,
    partial_spearman,
    permutation_p,
    pooled,
    principal_components,
    resampled_ranks,
    spearman,
)


def rank_rows(
    rankings: list[tuple[str, GroupedOutcomes]],
    rng: np.random.Generator,
    permutations: int,
    bootstraps: int,
) -> list[dict[str, Any]]:
    """Return for every score, outcome and dose, in this order, the columns of the summary that rest on ranks.

    `rankings` holds each score with the grouping whose groups it ranks: its own, or one common to all scores.
    """
    groupings = [grouped for _, grouped in rankings]
    x = np.stack([grouped.scores[score] for score, grouped in rankings])  # [score, base, group]
    # [score, base, outcome x dose, group]
    y = np.stack([_columns(grouped) for grouped in groupings])
    rhos = spearman(x[:, :, None], y)
    partial = _partial(x, y, groupings)
    common_groups = all(grouped is groupings[0] for grouped in groupings)
    p, p_max = permutation_p(
        x, np.moveaxis(y, 2, 3), rng, permutations, common_groups=common_groups
    )
    counts = bootstrap_counts(x.shape[1], x.shape[2], bootstraps, rng)
    ends = _bootstrap_ends(x, y, rhos, counts, common_groups=common_groups)
    return [
        {
            **pooled(rhos[score, :, column]).columns("rho"),
            "rho_bootstrap_low": float(ends[score, column, 0]),
            "rho_bootstrap_high": float(ends[score, column, 1]),
            "rho_bases": rhos[score, :, column].tolist(),
            "p": float(p[score, column]),
            "p_max": float(p_max[score, column]),
            "partial_rho": pooled(partial[score, :, column]).estimate,
        }
        for score, column in np.ndindex(p.shape)
    ]


def _columns(grouped: GroupedOutcomes) -> Float[np.ndarray, "base column group"]:
    of_groups = np.moveaxis(grouped.usefulness.mean(axis=2), 1, -1)  # [base, outcome, dose, group]
    return np.asarray(of_groups.reshape(of_groups.shape[0], -1, of_groups.shape[-1]))


def _partial(
    x: Float[np.ndarray, "score base group"],
    y: Float[np.ndarray, "score base column group"],
    groupings: list[GroupedOutcomes],
) -> Float[np.ndarray, "score base column"]:
    rhos = np.empty(y.shape[:3])
    for score, grouped in enumerate(groupings):
        for base, shares in enumerate(grouped.shares):
            components = principal_components(shares)
            rhos[score, base] = partial_spearman(x[score, base], y[score, base], components)
    return rhos


def _bootstrap_ends(
    x: Float[np.ndarray, "score base group"],
    y: Float[np.ndarray, "score base column group"],
    rhos: Float[np.ndarray, "score base column"],
    counts: Float[np.ndarray, "base group draw"],
    *,
    common_groups: bool,
) -> Float[np.ndarray, "score column 2"]:
    ends = np.empty((len(x), y.shape[2], 2))
    # Scores with the same groups share the resampled outcomes, which is where the time goes.
    indices = list(range(len(x)))
    for scores in [indices] if common_groups else [[index] for index in indices]:
        ranked = [resampled_ranks(x[score], counts) for score in scores]
        for column in range(y.shape[2]):
            outcome = resampled_ranks(y[scores[0], :, column], counts)
            for score, by_score in zip(scores, ranked, strict=True):
                interval = bootstrap_interval(rhos[score, :, column], by_score, outcome)
                ends[score, column] = interval
    return ends
