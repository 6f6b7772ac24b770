"""Stopping rules beside those of small-text, on the same predictions, round by round."""

import itertools
import math
import warnings
from importlib import import_module

import numpy as np
import pytest
import torch

from alray.analysis.stopping_rules.registry import parse_rule
from alray.strategies import scores
from alray.studies.rounds.stop_set import cohens_kappa
from tests.helpers.library_strategies import install_beside

pytestmark = [pytest.mark.install, pytest.mark.usefixtures("criteria")]
N, ROUNDS = 60, 25


@pytest.fixture(scope="module")
def criteria(tmp_path_factory):
    install_beside(tmp_path_factory.mktemp("small-text"))
    return import_module("small_text.stopping_criteria")


def predictions(seed, classes):
    """Return (round, object) classes that change less and less."""
    rng = np.random.default_rng(seed)
    found = [rng.integers(classes, size=N)]
    for number in range(1, ROUNDS):
        changed = rng.random(N) < rng.choice([0.0, 0.02, 0.05, 0.4]) / math.sqrt(number)
        found.append(np.where(changed, rng.integers(classes, size=N), found[-1]))
    return np.stack(found)


def columns_of(made, classes):
    pairs = list(itertools.pairwise(made))
    return {
        "round": np.arange(float(len(made))),
        "stop_kappa": np.array([np.nan, *(cohens_kappa(*two, classes) for two in pairs)]),
        "stop_agreement": np.array([np.nan, *((a == b).mean() for a, b in pairs)]),
    }


def theirs(criterion, made):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [bool(criterion.stop(predictions=each)) for each in made]


def assert_equal_decisions(text, make, classes):
    said = []
    for seed in range(40):
        made = predictions(seed, classes)
        ours = parse_rule(text).stops(columns_of(made, classes)).tolist()
        assert ours == theirs(make(), made)
        said += ours
    assert 0 < np.mean(said) < 1


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize(("window", "threshold"), [(3, 0.99), (2, 0.95), (5, 0.98)])
def test_kappa_is_their_kappa_average(criteria, window, threshold, classes):
    assert_equal_decisions(
        f"kappa:window={window}:threshold={threshold}",
        lambda: criteria.KappaAverage(classes, window_size=window, kappa=threshold),
        classes,
    )


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.1])
def test_classification_change(criteria, threshold, classes):
    assert_equal_decisions(
        f"classification_change:threshold={threshold}",
        lambda: criteria.ClassificationChange(classes, threshold=threshold),
        classes,
    )


@pytest.mark.parametrize("threshold", [0.05, 0.2])
def test_overall_uncertainty(criteria, threshold, capsys):
    rng, classes = np.random.default_rng(0), 4
    ours, them = [], []
    rule = parse_rule(f"overall_uncertainty:threshold={threshold}")
    for scale in np.linspace(1, 60, 40):
        log_probs = torch.log_softmax(torch.from_numpy(rng.normal(size=(N, classes))) * scale, 1)
        entropy = float(scores.entropy(log_probs).mean()) / math.log(classes)
        ours += rule.stops({"stop_entropy": np.array([entropy])}).tolist()
        criterion = criteria.OverallUncertainty(classes, threshold=threshold)
        proba = log_probs.exp().numpy()
        them.append(bool(criterion.stop(proba=proba, indices_stopping=np.arange(N))))
    assert ours == them
    assert 0 < np.mean(ours) < 1


def test_fixed_rounds_is_their_max_iterations(criteria):
    criterion = criteria.MaxIterations(7)
    them = [criterion.stop() for _ in range(12)]
    ours = parse_rule("fixed_rounds:rounds=7").stops({"round": np.arange(1.0, 13.0)})
    assert ours.tolist() == them
