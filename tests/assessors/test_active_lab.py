"""Label again or label new: against cleanlab, and by hand where all have one answer."""

import warnings

import numpy as np
import pytest

from alray.assessors.active_lab import active_lab_scores, at_temperature, best_temperature
from alray.assessors.answers import Answers
from alray.assessors.crowd import SKIP


def predictions(rng, truths, classes):
    """Return (n, classes) probabilities of which some are right, more or less surely."""
    logits = rng.normal(size=(len(truths), classes)) * rng.uniform(0.3, 2)
    logits[np.arange(len(truths)), truths] += rng.uniform(0, 4)
    exp = np.exp(logits * rng.uniform(0.5, 4))
    return exp / exp.sum(1, keepdims=True)


def case(seed, *, single=False):
    """Return answers, their table with NaN in its gaps, and predictions of objects with answers and of new ones."""
    rng = np.random.default_rng(seed)
    objects, assessors = int(rng.integers(20, 80)), int(rng.integers(3, 9))
    classes = int(rng.integers(2, 7))
    truths = rng.integers(0, classes, objects)
    table, rows = np.full((objects, assessors), np.nan), []
    for index, truth in enumerate(truths):
        number = 1 if single else int(rng.integers(1, assessors + 1))
        for assessor in rng.choice(assessors, number, replace=False):
            knows = rng.random() < 0.3 + 0.6 * assessor / assessors
            table[index, assessor] = truth if knows else rng.integers(0, classes)
            rows.append((0, 10 * index, assessor, int(table[index, assessor])))
    rows.append((0, 5, 0, SKIP))
    labelled = predictions(rng, truths, classes)
    new = predictions(rng, rng.integers(0, classes, 30), classes)
    return Answers.of_table(np.array(rows)), table, labelled, new


@pytest.fixture
def reference(monkeypatch):
    """cleanlab's scores, with answers counted under their own classes: it counts floats under the first ones."""
    multiannotator = pytest.importorskip(
        "cleanlab.multiannotator", reason="cleanlab is not installed"
    )
    utils = pytest.importorskip("cleanlab.internal.multiannotator_utils")
    counts = utils.value_counts
    monkeypatch.setattr(
        utils, "value_counts", lambda x, **more: counts(np.asarray(x).astype(int), **more)
    )

    def scores(table, labelled, new):
        heard = ~np.isnan(table).all(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return multiannotator.get_active_learning_scores(table[:, heard], labelled, new)

    return scores


@pytest.mark.parametrize("single", [False, True])
def test_scores_are_those_of_cleanlab(single, reference):
    for seed in range(20):
        answers, table, labelled, new = case(seed, single=single)
        again, first = active_lab_scores(answers, labelled, new)
        expected = reference(table, labelled.copy(), new.copy())
        assert again == pytest.approx(expected[0], abs=1e-12)
        assert first == pytest.approx(expected[1], abs=1e-12)


def test_with_one_answer_each_all_sources_count_alike():
    """(P + 1 / K) / 2 of a new object; where one has answered, two sources speak for its class, and the next is one."""
    rows = np.array([[0, 3, 1, 0], [0, 8, 0, 2]])
    labelled = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]])
    new = np.array([[0.1, 0.1, 0.8]])
    again, first = active_lab_scores(Answers.of_table(rows), labelled, new)
    assert again == pytest.approx([(2 * 0.7 + 1 / 3) / 3, (2 * 0.2 + 1 / 3) / 3])
    assert first == pytest.approx([(0.8 + 1 / 3) / 2])


def test_another_answer_is_worth_most_where_answers_disagree_and_least_where_many_agree():
    rng = np.random.default_rng(0)
    rows = [(0, index, each, index % 2) for index in range(40) for each in range(3)]
    rows += [(0, 40, 0, 0), (0, 40, 1, 1), (0, 41, 0, 0)]
    rows += [(0, 42, each, 0) for each in range(6)]
    labelled = np.full((43, 2), 0.5)
    labelled[:40] = np.where(np.eye(2)[np.arange(40) % 2] > 0, 0.8, 0.2)
    labelled[40:] += rng.uniform(-0.01, 0.01, size=(3, 1)) * [1, -1]
    again, _ = active_lab_scores(Answers.of_table(np.array(rows)), labelled, np.empty((0, 2)))
    assert again[40] < again[41] < again[42]
    assert again[40] == again.min()


def test_the_temperature_is_the_one_at_which_predictions_are_the_shares_of_answers():
    _, _, labelled, _ = case(3)
    for planted in (0.2, 0.725, 1.0, 2.5, 6.5):
        shares = at_temperature(labelled, planted)
        assert best_temperature(7 * shares, labelled) == pytest.approx(planted)


def test_without_new_objects_only_those_with_answers_have_scores():
    answers, _, labelled, new = case(1)
    both, _ = active_lab_scores(answers, labelled, new)
    alone, none = active_lab_scores(answers, labelled, new[:0])
    assert (both == alone).all()
    assert len(none) == 0
