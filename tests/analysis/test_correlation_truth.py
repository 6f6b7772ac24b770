"""Whole correlation studies on pools whose truth is known by construction, with tiny networks."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom

from alray.pools.pool import Modality, PreparedPool
from tests.helpers.correlation_studies import correlation_plan, in_memory

SETTINGS: dict[str, Any] = {
    "scores": ["loss"],
    "initial": 60,
    "sample": 300,
    "group_size": 15,
    "bases": 3,
    "fine_tune_seeds": 2,
    "epochs": [3],
    "replay": "initial",
    "training": {"passive_epochs": 30, "lr": 0.01, "batch_size": 40, "stopping": "held_out"},
    "model": {"width": 16},
}


def pool_of(features: np.ndarray, labels: np.ndarray, train: int) -> PreparedPool:
    """Return a pool of one modality; objects from `train` on are half validation, half test."""
    objects = len(labels)
    rows = np.arange(objects, dtype=np.int32)
    modality = Modality("text", features.astype(np.float32), rows, (features.shape[1],))
    half = (train + objects) // 2
    parts = (np.arange(train), np.arange(train, half), np.arange(half, objects))
    return PreparedPool((modality,), labels.astype(np.int64), int(labels.max()) + 1, *parts)


def mislabelled(share: float, seed: int = 0) -> PreparedPool:
    """Return separable classes; a share of the train labels is wrong, so that a high loss means a wrong label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=2000)
    features = 2.5 * rng.normal(size=(4, 8))[labels] + rng.normal(size=(2000, 8))
    wrong = rng.random(1000) < share
    labels[:1000][wrong] = (labels[:1000][wrong] + rng.integers(1, 4, size=wrong.sum())) % 4
    return pool_of(features, labels, 1000)


def mostly_redundant(seed: int = 0) -> PreparedPool:
    """Return clean classes: half of the objects lie in one easy mode of their class, half in ten rare ones.

    An object of an easy mode has a low loss and teaches nothing; a high loss means a rare mode that the few initial
    labels have missed, and that a part of the test objects lie in.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=2000)
    easy, hard = 3 * rng.normal(size=(4, 16)), 3 * rng.normal(size=(4, 10, 16))
    rare, modes = rng.random(2000) < 0.5, rng.integers(10, size=2000)
    centres = np.where(rare[:, None], hard[labels, modes], easy[labels])
    return pool_of(centres + 0.5 * rng.normal(size=(2000, 16)), labels, 1000)


def row_of(found, outcome, grouping="score"):
    rows = found.summary.query(
        "score == 'loss' and grouping == @grouping and outcome == @outcome"
    ).to_dict("records")
    (row,) = rows
    return row


@pytest.mark.parametrize(
    ("pool", "sign", "verdict"),
    [
        pytest.param(mislabelled(0.3), -1, "hurts", id="wrong labels make a high loss harmful"),
        pytest.param(mostly_redundant(1), 1, "helps", id="redundancy makes a high loss useful"),
    ],
)
def test_the_sign_of_a_planted_truth_is_found(pool, sign, verdict):
    found = in_memory(correlation_plan(pool, **SETTINGS), permutations=2000, bootstraps=100)
    row = row_of(found, "nll")
    assert sign * row["rho"] > 0.3
    assert row["p_max"] < 0.01
    assert sign * row["uplift"] > 0
    assert row["verdict"] == verdict


def _noise(rng: np.random.Generator, _: int, scores: Mapping[str, Any]) -> dict[str, Any]:
    return {"loss": rng.normal(size=len(scores["loss"]))}


@pytest.mark.slow
def test_a_score_that_means_nothing_is_found_to_matter_no_more_often_than_chance_allows():
    """The whole pipeline under the null, 200 studies: the score is noise, everything else is as it always is."""
    studies, found = 200, {"p": 0, "p_max": 0, "spoke": 0}
    rhos = []
    for seed in range(studies):
        rng = np.random.default_rng(seed)
        quick = {"bases": 1, "grouping": ["score"], "replay": "none", "epochs": [2]}
        plan = correlation_plan(mislabelled(0.1, seed), **{**SETTINGS, **quick, "seed": seed})
        noise = in_memory(
            plan,
            functools.partial(_noise, rng),
            permutations=999,
            bootstraps=200,
        )
        row = row_of(noise, "nll")
        rhos.append(row["rho"])
        found["p"] += row["p"] < 0.05
        found["p_max"] += row["p_max"] < 0.05
        found["spoke"] += row["verdict"] in ("helps", "hurts")
    low, high = (float(binom.ppf(end, studies, 0.05)) for end in (0.005, 0.995))
    print(f"null pipeline: {found} of {studies}, mean rho {np.mean(rhos):+.3f}")  # noqa: T201 -- a figure to report
    assert low <= found["p"] <= high
    assert low <= found["p_max"] <= high
    assert found["spoke"] <= high
    assert abs(np.mean(rhos)) < 3 * np.std(rhos) / np.sqrt(studies)
