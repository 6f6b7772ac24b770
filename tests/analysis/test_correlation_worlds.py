"""Intervals cover and tests err at the rates they claim, in simulated studies whose truth is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from alray.analysis.correlation.summary import summarise
from alray.statistics.ranks import (
    bootstrap_counts,
    bootstrap_interval,
    pooled,
    resampled_ranks,
    spearman,
)
from alray.statistics.uplift import uplift
from tests.helpers.correlation_worlds import SCORES, World, study
from tests.helpers.intervals import generator, sizes, within

GROUPS = 100
NULL = World(groups=30, seeds=3, groupings=("score", "random"), group_sd=0.01, seed_sd=0.01)


def pearson_of(spearman_rho):
    """Return the correlation of a bivariate normal with this Spearman rho, 6 / pi asin(r / 2) (Pearson 1907)."""
    return 2 * np.sin(math.pi * spearman_rho / 6)


def correlated(rng, pearson, kind="normal", groups=GROUPS):
    """Return x and y of groups, [base, group], with the Pearson correlations of the bases."""
    x, noise = rng.normal(size=(2, len(pearson), groups))
    if kind == "spread":
        noise = noise * np.exp(0.5 * x)
    y = pearson[:, None] * x + np.sqrt(1 - pearson[:, None] ** 2) * noise
    return (x, np.round(2 * y)) if kind == "tied" else (x, y)


@sizes(100)
@pytest.mark.parametrize("bases", [3, 5])
@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_t_interval_of_pooled_rho_covers(worlds, bases, rho):
    """Bases differ in their true z by a deviation of 0.15; the truth is the mean z of the population of bases."""
    rng = generator([bases, round(100 * rho)])
    hits = 0
    for _ in range(worlds):
        of_base = np.tanh(np.arctanh(rho) + rng.normal(0, 0.15, size=bases))
        interval = pooled(spearman(*correlated(rng, pearson_of(of_base))))
        hits += interval.low <= rho <= interval.high
    assert within(hits / worlds, 0.93, 0.97, worlds)


@sizes(100)
@pytest.mark.parametrize("bases", [1, 3, 5])
def test_interval_of_uplift_covers(worlds, bases):
    """Over bases that differ in their slopes; over groups where there is one base, whose slope is then the truth."""
    rng = generator([bases, 7])
    positions = scipy_stats.norm.ppf((np.arange(GROUPS) + 0.5) / GROUPS)
    tenth = positions[-GROUPS // 10 :].mean()
    scores = np.tile(np.linspace(-1, 1, GROUPS), (bases, 1))
    hits = 0
    for _ in range(worlds):
        slopes = 0.02 + rng.normal(0, 0.01 if bases > 1 else 0, size=(bases, 1))
        useful = slopes * positions + rng.normal(0, 0.02, size=(bases, GROUPS))
        random = rng.normal(0, 0.02, size=(bases, GROUPS))
        interval = uplift(useful, scores, "large", random)
        hits += interval.low <= 0.02 * tenth <= interval.high
    # Welch's interval counts the slope within the tenth as noise: it errs on the safe side, here by one point.
    assert within(hits / worlds, 0.93, 0.97, worlds)


@sizes(100)
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
@pytest.mark.parametrize("kind", ["normal", "spread", "tied"])
def test_bootstrap_interval_over_the_groups_of_one_base_covers(worlds, rho, kind):
    """Also with a spread that grows with the score, and with ties; the truth is that of 300,000 groups."""
    rng = generator([round(100 * rho), len(kind)])
    pearson = pearson_of(np.array([rho]))
    truth = float(spearman(*correlated(generator(9), pearson, kind, 300_000))[0])
    hits = 0
    counts = bootstrap_counts(1, GROUPS, 500, rng)
    for _ in range(worlds):
        x, y = correlated(rng, pearson, kind)
        ranks = resampled_ranks(x, counts), resampled_ranks(y, counts)
        low, high = bootstrap_interval(spearman(x, y), *ranks)
        hits += low <= truth <= high
    assert within(hits / worlds, 0.93, 0.97, worlds)


def summary_of(world, seed, permutations=199):
    groups, outcomes, bases = study(world, generator([seed, 11]))
    rng = generator([seed, 12])
    return summarise(groups, outcomes, bases, rng, permutations, 20).summary


@pytest.mark.parametrize(
    ("studies", "scores"), [(12, SCORES[:2]), pytest.param(300, SCORES, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("bases", [1, 3])
def test_null_studies_are_called_an_effect_at_most_at_the_stated_rate(studies, scores, bases):
    """Groups differ reliably, but not by their scores, which have groups of their own, and share random ones."""
    by_p = {"score": 0, "random": 0}
    called = reliable = 0
    for seed in range(studies):
        summary = summary_of(replace(NULL, bases=bases, scores=scores), seed)
        at = summary[summary["outcome"] == "accuracy"]
        for grouping in by_p:
            by_p[grouping] += bool((at.loc[at["grouping"] == grouping, "p_max"] < 0.05).any())
        called += bool(at["verdict"].isin(["helps", "hurts"]).any())
        reliable += bool((at["icc"] > 0.3).all())
    of = f"{bases} bases, {studies} studies"
    print(f"{of}: p_max < .05 in {by_p}, effects called in {called}")  # noqa: T201 -- a figure to report
    assert reliable > 0.9 * studies
    low, high = scipy_stats.binom.interval(0.99, studies, 0.05)
    assert low <= by_p["score"] <= high
    assert low <= by_p["random"] <= high
    assert called <= high


@pytest.mark.parametrize("slope", [-0.03, 0.03])
def test_a_planted_effect_is_found_with_its_sign(slope):
    """Useful large scores help where large is queried, and hurt where small is; random groups stay silent."""
    world = World(slope=slope, slope_sd=0.003, groups=40, seeds=4)
    summary = summary_of(world, 1, 499)
    rows = summary[summary["grouping"].isin(["score", "within_class"])]
    assert (np.sign(rows["rho"]) == np.sign(slope)).all()
    assert (rows["p_max"] < 0.05).all()
    helped = {"loss": slope > 0, "margin": slope < 0}
    expected = ["helps" if helped[score] else "hurts" for score in rows["score"]]
    assert rows["verdict"].tolist() == expected


def test_noise_alone_is_inconclusive_and_says_how_many_seeds():
    """A tenth of the seeds' variance: one seed's reliability is 1 / 10, so about 36 seeds."""
    world = World(bases=5, groups=100, seeds=2, group_sd=0.01, seed_sd=0.03, groupings=("score",))
    row = summary_of(world, 2, 99).query("score == 'loss' and outcome == 'accuracy'").iloc[0]
    assert row["icc"] < 0.3
    assert row["verdict"] == "inconclusive"
    assert 15 <= row["seeds_needed"] <= 120
