"""What answers say together, against crowd-kit's results and planted truths."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

import alray.assessors.dawid_skene as of_dawid_skene
import alray.assessors.one_coin as of_one_coin
from alray.assessors.answers import Answers
from alray.assessors.asking import Asking, ask, until
from alray.assessors.beliefs import Beliefs
from alray.assessors.confusable import alike
from alray.assessors.crowd import make_crowd
from alray.assessors.dawid_skene import dawid_skene, majority
from alray.assessors.one_coin import one_coin
from alray.settings.crowd import CrowdSpec

CLASSES, ASSESSORS = 5, 8


def drawn(seed, index):
    return np.random.default_rng([seed, index])


def asked(objects=300, seed=0, **settings):
    """Return the answers of a crowd, the truth, and the crowd."""
    spec = CrowdSpec(assessors=ASSESSORS, skill_spread=1.0, rate=0.25, **settings)
    crowd = make_crowd(spec, alike(CLASSES), np.random.default_rng(seed))
    truths = np.random.default_rng(seed + 1).integers(0, CLASSES, objects)
    answers = ask(crowd, np.arange(objects), truths, Asking(0, until(3)), partial(drawn, seed))
    return answers, truths, crowd


def brute_force(answers, prior, confusions, index):
    """Return the posterior of an object by Bayes' rule, answer by answer."""
    found = prior.copy()
    for position in np.flatnonzero(answers.objects == index):
        assessor, answer = answers.assessors[position], answers.classes[position]
        found *= confusions[assessor, :, answer]
    return found / found.sum()


def end_at(monkeypatch, tolerance, iterations):
    for module in (of_dawid_skene, of_one_coin):
        monkeypatch.setattr(module, "TOLERANCE", tolerance)
        monkeypatch.setattr(module, "ITERATIONS", iterations)


def test_shares_of_answers():
    table = np.array([[0, 7, 0, 1], [0, 7, 1, 1], [0, 7, 2, 2], [0, 3, 0, 4], [0, 3, 1, -1]])
    objects, shares = majority(Answers.of_table(table), CLASSES)
    assert objects.tolist() == [3, 7]
    assert shares == pytest.approx(np.array([[0, 0, 0, 0, 1], [0, 2 / 3, 1 / 3, 0, 0]]))


@pytest.mark.parametrize("read", [dawid_skene, one_coin])
def test_the_posterior_is_bayes_rule_with_the_estimates(read, monkeypatch):
    end_at(monkeypatch, 1e-13, 5000)
    answers, _, _ = asked()
    found = read(answers, ASSESSORS, CLASSES)
    prior = np.full(CLASSES, 1 / CLASSES) if read is one_coin else found.posterior.mean(0)
    for row in range(0, 300, 29):
        expected = brute_force(answers, prior, found.confusions, found.objects[row])
        assert found.posterior[row] == pytest.approx(expected, abs=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*inplace keyword")
@pytest.mark.parametrize("read", [dawid_skene, one_coin])
def test_it_is_what_crowd_kit_finds(read, monkeypatch):
    """To convergence: crowd-kit counts the prior once per answer in the bound by which it stops."""
    aggregation = pytest.importorskip("crowdkit.aggregation", reason="crowd-kit is not installed")
    end_at(monkeypatch, -np.inf, 60)
    monkeypatch.setattr(of_one_coin, "USUAL", 0.0)
    answers, _, _ = asked()
    frame = pd.DataFrame(answers.table()[:, 1:], columns=["task", "worker", "label"])
    kind = aggregation.OneCoinDawidSkene if read is one_coin else aggregation.DawidSkene
    theirs = kind(n_iter=60, tol=-np.inf)
    expected = theirs.fit_predict_proba(frame).sort_index().sort_index(axis=1)
    beliefs = None
    if read is one_coin:
        # Its classes count by their shares, ours alike unless something is believed.
        shares = np.log(theirs.priors_.sort_index().to_numpy())
        beliefs = Beliefs(np.arange(300), np.tile(shares, (300, 1)).astype(np.float32))
    mine = read(answers, ASSESSORS, CLASSES, beliefs=beliefs)
    assert mine.posterior == pytest.approx(expected.to_numpy(), abs=1e-5)


@pytest.mark.parametrize("read", [dawid_skene, one_coin])
def test_skills_are_found_and_beat_the_majority(read):
    right = {"majority": 0.0, "found": 0.0}
    for seed in range(5):
        answers, truths, crowd = asked(2000, seed)
        _, shares = majority(answers, CLASSES)
        found = read(answers, ASSESSORS, CLASSES)
        assert np.abs(found.skills - crowd.skills).max() < 0.08
        right["majority"] += (shares.argmax(1) == truths).mean()
        right["found"] += (found.posterior.argmax(1) == truths).mean()
    assert right["found"] > right["majority"] + 0.05


def test_assessors_without_answers_have_no_estimate_and_no_answers_no_posterior():
    answers, _, _ = asked(40)
    found = dawid_skene(answers.where(answers.assessors != 2), ASSESSORS, CLASSES)
    assert np.flatnonzero(np.isnan(found.skills)).tolist() == [2]
    nothing = dawid_skene(Answers(), ASSESSORS, CLASSES)
    assert nothing.posterior.shape == (0, CLASSES)


@pytest.mark.parametrize("read", [dawid_skene, one_coin])
def test_more_answers_are_read_from_where_fewer_ended(read):
    answers, _, _ = asked(600)
    fewer = read(answers.where(answers.objects < 580), ASSESSORS, CLASSES)
    cold = read(answers, ASSESSORS, CLASSES)
    warm = read(answers, ASSESSORS, CLASSES, start=fewer)
    assert (warm.posterior.argmax(1) == cold.posterior.argmax(1)).mean() > 0.98
    assert warm.skills == pytest.approx(cold.skills, abs=0.03)


def test_with_few_answers_one_number_an_assessor_is_learnt_better_than_a_matrix():
    """50 classes, 20 assessors: each has 60 answers, about one for each class."""
    classes = 50
    wrong = {"majority": 0.0, "one coin": 0.0, "matrix": 0.0}
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truths = rng.integers(0, classes, 400)
        crowd = make_crowd(CrowdSpec(), alike(classes), rng)
        answers = ask(crowd, np.arange(400), truths, Asking(0, until(3)), partial(drawn, seed))
        shares = majority(answers, classes)[1]
        coin, matrix = (read(answers, 20, classes).posterior for read in (one_coin, dawid_skene))
        for name, posterior in zip(wrong, (shares, coin, matrix), strict=True):
            wrong[name] += float((posterior.argmax(1) != truths).mean()) / 3
    assert wrong["one coin"] < wrong["majority"] < wrong["matrix"] - 0.05


def test_a_single_answer_an_object_is_believed():
    """Nothing says then who errs, however rare the class is that was answered."""
    answers, _, _ = asked(300)
    _, firsts = np.unique(answers.objects, return_index=True)
    single = answers.where(np.isin(np.arange(len(answers)), firsts))
    found = one_coin(single, ASSESSORS, CLASSES)
    later = one_coin(single, ASSESSORS, CLASSES, start=found)
    for each in (found, later):
        assert each.posterior.argmax(1).tolist() == single.classes.tolist()


def test_what_a_network_believes_decides_between_answers_that_tie():
    table = np.array([[0, 5, 0, 1], [0, 5, 1, 2], [0, 6, 0, 1], [0, 6, 1, 1]])
    believed = np.log(np.array([[0.5, 0.1, 0.4, 0.0, 0.0]]) + 1e-6).astype(np.float32)
    beliefs = Beliefs(np.array([5]), believed)
    answers = Answers.of_table(table)
    alone = one_coin(answers, 2, CLASSES)
    helped = one_coin(answers, 2, CLASSES, beliefs=beliefs)
    assert alone.posterior[0, 1] == pytest.approx(alone.posterior[0, 2])
    assert helped.posterior[0].argmax() == 2
    assert helped.posterior[1].argmax() == 1


def test_classes_that_nobody_named_keep_their_ratios():
    believed = np.log([[0.2, 0.1, 0.4, 0.05, 0.25]]).astype(np.float32)
    found = one_coin(
        Answers.of_table(np.array([[0, 5, 0, 1], [0, 5, 1, 2]])),
        2,
        CLASSES,
        beliefs=Beliefs(np.array([5]), believed),
    )
    others = found.posterior[0, [0, 3, 4]]
    assert others / others.sum() == pytest.approx([0.4, 0.1, 0.5])
    assert found.posterior.sum() == pytest.approx(1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classes", [1, 3])
def test_every_class_is_named(classes):
    table = np.array([[0, 5, index, index] for index in range(classes)])
    found = one_coin(Answers.of_table(table), classes, classes)
    assert found.posterior == pytest.approx(np.full((1, classes), 1 / classes))


@pytest.mark.parametrize("read", [dawid_skene, one_coin])
def test_who_is_heard_for_the_first_time_is_believed(read):
    """What was read before says nothing of him, and his first answer about an object is all that there is."""
    first = Answers.of_table(np.array([[0, index, 0, index % CLASSES] for index in range(20)]))
    later = Answers.of_table(
        np.array([[1, 20 + index, 1, index % CLASSES] for index in range(20)])
    )
    found = read(first + later, ASSESSORS, CLASSES, start=read(first, ASSESSORS, CLASSES))
    assert found.posterior.argmax(1).tolist() == (first + later).classes.tolist()
    assert found.skills[1] == pytest.approx(found.skills[0])


def test_one_refuted_answer_does_not_make_all_others_wrong():
    """Nobody else was asked about them."""
    table = [[0, index, 0, index % CLASSES] for index in range(10)]
    table += [[0, 10 + index, 1, index % CLASSES] for index in range(10)]
    before = one_coin(Answers.of_table(np.array(table)), ASSESSORS, CLASSES)
    refuted = Answers.of_table(np.array([*table, [1, 3, 1, 4], [1, 3, 2, 4]]))
    found = one_coin(refuted, ASSESSORS, CLASSES, start=before)
    expected = [index % CLASSES for index in range(10)] * 2
    expected[3] = 4
    assert found.posterior.argmax(1).tolist() == expected
    assert 0.1 < found.skills[0] < found.skills[1]
