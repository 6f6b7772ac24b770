"""A round of yes/no questions against brute force: which pair is next, when an object is done, what halving costs."""

import math

import numpy as np
import pytest

from alray.assessors.evidence import PER_HALVING, SURE
from alray.assessors.replies import Replies, Respondent
from alray.studies.sweep import question_pairs, question_rounds
from alray.studies.sweep.question_pairs import ask_best_pairs, best_pairs, blocks_of
from alray.studies.sweep.question_rounds import (
    ask_all,
    ask_in_order,
    asked_by_halves,
    beliefs_of,
)
from tests.helpers.yes_no import EVERYTHING, asking, balanced, predictions, some_tree


def classes_left(likelihoods):
    return np.isfinite(likelihoods)


def score(prior, possible, question, rule):
    yes, inside, every = prior[question].sum(), (question & possible).sum(), possible.sum()
    if rule == "eig":
        return -sum(p * math.log(p) for p in (yes, 1 - yes) if 0 < p < 1)
    remaining = yes * inside + (1 - yes) * (every - inside)
    return -remaining if rule == "erc" else every - remaining


def by_brute_force(questions, labels, predicted, rule, budget, chances):
    """Return the pairs that are asked: before each answer every question about every object is looked at."""
    classes = questions.classes
    possible = np.ones((len(labels), classes), dtype=bool)
    asked: list[tuple[int, int]] = []
    while len(asked) < budget:
        found = []
        for index in range(len(labels)):
            if possible[index].sum() == 1:
                continue
            prior = np.exp(predicted[index].astype(np.float64)) * possible[index]
            prior /= prior.sum()
            for number, question in enumerate(questions.sets):
                if 0 < (question & possible[index]).sum() < possible[index].sum():
                    value = round(score(prior, possible[index], question, rule), 8)
                    found.append((-value, chances[index], number, index))
        if not found:
            break
        _, _, number, index = min(found)
        asked.append((index, number))
        question = questions.sets[number]
        possible[index] &= question if question[labels[index]] else ~question
    return asked


@pytest.fixture(params=[1, 5, 256])
def at_once(monkeypatch, request):
    """So many objects are asked ahead about together."""
    for module in (question_rounds, question_pairs):
        monkeypatch.setattr(module, "AT_ONCE", request.param)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("rule", EVERYTHING)
@pytest.mark.parametrize("seed", range(4))
def test_the_heap_asks_what_a_look_at_all_pairs_before_each_answer_does(rule, seed):
    rng = np.random.default_rng(seed)
    questions = some_tree(5, rng)
    labels, predicted = rng.integers(0, 5, 12), predictions(12, 5, rng)
    # Equal objects: chance decides.
    predicted[1], labels[1] = predicted[0], labels[0]
    chances = rng.permutation(12)
    done = False
    for budget in (1, 9, 10_000):
        who = asking(questions, labels, rule)
        blocks = blocks_of(np.arange(12), 5)
        pairs, rows = best_pairs(who, blocks, lambda some: predicted[some], chances, budget)
        replies, first = ask_best_pairs(who, pairs, rows, budget, 3)
        got = list(zip(replies.objects.tolist(), replies.questions.tolist(), strict=True))
        assert got == by_brute_force(questions, labels, predicted, rule, budget, chances)
        assert set(first) == set(replies.objects.tolist())
        assert (replies.rounds == 3).all()
        assert replies.ends.sum() == who.evidence.done.sum()
        assert who.evidence.asked.sum() == len(replies)
        done = bool(who.evidence.done.all())
    assert done


def test_as_many_pairs_as_questions_are_kept_and_no_more():
    rng = np.random.default_rng(0)
    questions = some_tree(6, rng)
    labels, predicted = rng.integers(0, 6, 40), predictions(40, 6, rng)
    who = asking(questions, labels, "edc")
    blocks = blocks_of(np.arange(40), 16)
    pairs, rows = best_pairs(who, blocks, lambda some: predicted[some], np.arange(40), 7)
    assert len(pairs) == len(rows) == 7
    assert pairs == sorted(pairs)
    assert (rows == predicted[[pair.object for pair in pairs]]).all()
    every = who.best(np.arange(40), predicted).scores.numpy()
    assert [pair.key for pair in pairs] == sorted(-every)[:7]


@pytest.mark.parametrize("classes", range(2, 65))
def test_by_halves_a_balanced_tree_takes_a_question_for_each_halving_and_at_most_one_more(classes):
    labels = np.arange(classes)
    who = asking(balanced(classes), labels)
    replies = ask_all(who, labels, 0)
    counts = np.bincount(replies.objects, minlength=classes)
    assert counts.max() <= math.ceil(math.log2(classes)) + 1
    assert counts.tolist() == asked_by_halves(balanced(classes)).tolist()
    assert who.evidence.done.all()
    assert (classes_left(who.evidence.of(labels)) == np.eye(classes, dtype=bool)).all()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("rule", EVERYTHING)
def test_one_after_the_other_ends_each_object_before_the_next_and_stops_at_the_budget(rule):
    rng = np.random.default_rng(5)
    questions = some_tree(7, rng)
    labels, predicted = rng.integers(0, 7, 20), predictions(20, 7, rng)
    who = asking(questions, labels, rule)
    order = rng.permutation(20)
    replies = ask_in_order(who, order, 23, 1, lambda some: predicted[some])
    assert len(replies) == who.evidence.asked.sum() == 23
    touched = replies.asked
    assert touched.tolist() == order[: len(touched)].tolist()
    assert who.evidence.done[touched[:-1]].all()
    rest = np.concatenate([touched[-1:], order[len(touched) :]])
    ask_in_order(who, rest[~who.evidence.done[rest]], 10_000, 2, lambda some: predicted[some])
    left = classes_left(who.evidence.of(np.arange(20)))
    assert left.sum(1).tolist() == [1] * 20
    assert left.argmax(1).tolist() == labels.tolist()


def test_a_model_that_is_sure_of_a_wrong_class_ends_too():
    """All scores are zero then: the likeliest class is asked about, and the next likeliest, until one is left."""
    questions = balanced(6)
    predicted = np.full((2, 6), -np.inf, dtype=np.float32)
    predicted[:, 0] = 0.0
    labels = np.array([4, 0])
    for rule in EVERYTHING:
        who = asking(questions, labels, rule)
        order = np.arange(2)
        replies = ask_in_order(who, order, 1_000, 1, lambda some: predicted[some])
        assert who.evidence.done.all(), rule
        assert len(replies) <= 2 * 6
        if rule == "eig":
            assert questions.members[replies.questions[0]] == (0,)


def test_answers_depend_on_object_question_and_how_often_it_was_asked_alone():
    rng = np.random.default_rng(0)
    questions = some_tree(6, rng)
    labels = rng.integers(0, 6, 300)
    one, other = (asking(questions, labels, rate=0.2) for _ in range(2))
    order = np.arange(300)
    ask_all(one, order[::-1].copy(), 0)
    ask_all(other, order, 0)
    assert (one.evidence.of(order) == other.evidence.of(order)).all()
    asked = [
        (index, question, before)
        for index in range(300)
        for question in (0, 4)
        for before in (0, 1)
    ]
    columns = np.array(asked).T
    _, heard = one.respondent.answers(*columns)
    right = [bool(questions.sets[question, labels[index]]) for index, question, _ in asked]
    wrong = heard != np.array(right)
    assert 0.15 < wrong.mean() < 0.25
    # Alone, and in the other order, so that what is kept of objects plays no part.
    alone = [other.respondent.answers(*columns[:, [at]])[1][0] for at in range(len(asked))[::-1]]
    assert heard.tolist() == alone[::-1]


CONFUSIONS = np.stack(
    [
        np.eye(4),
        # Takes 0 for 1 and 2 for 3, and the other way round; then all others alike; then guesses.
        np.array([[0.6, 0.4, 0, 0], [0.4, 0.6, 0, 0], [0, 0, 0.6, 0.4], [0, 0, 0.4, 0.6]]),
        np.full((4, 4), 0.4 / 3) + (0.6 - 0.4 / 3) * np.eye(4),
        np.full((4, 4), 0.25),
    ]
)


def test_of_a_crowd_each_time_another_assessor_answers_about_the_class_he_takes_the_object_for():
    objects, repeated = np.arange(1_000), np.repeat(np.arange(1_000), 4)
    questions, labels = balanced(4), objects % 4
    before = np.tile(np.arange(4), len(objects))
    crowd = Respondent(questions.sets, labels, np.random.default_rng, confusions=CONFUSIONS)
    for number, members in enumerate(questions.members):
        who, answers = crowd.answers(repeated, np.full(len(repeated), number), before)
        first = who.reshape(-1, 4)
        assert (np.sort(first, axis=1) == [0, 1, 2, 3]).all()
        assert np.bincount(first[:, 0]) / len(objects) == pytest.approx([0.25] * 4, abs=0.06)
        said_yes = np.array(
            [
                [answers[(who == each) & (labels[repeated] == truth)].mean() for truth in range(4)]
                for each in range(4)
            ]
        )
        expected = CONFUSIONS[:, :, list(members)].sum(2)
        sure = (expected < 1e-9) | (expected > 1 - 1e-9)
        assert (said_yes[sure] == expected.round()[sure]).all()
        assert said_yes == pytest.approx(expected, abs=0.13)
    assert questions.members[0] == (0, 1), "one confuses classes inside of it, and never errs"


def test_with_wrong_answers_an_object_is_done_where_a_class_is_sure_or_enough_was_asked():
    rng = np.random.default_rng(0)
    classes = 8
    questions = balanced(classes)
    labels = rng.integers(0, classes, 400)
    who = asking(questions, labels, rate=0.2)
    replies = ask_all(who, np.arange(400), 0)
    counts = np.bincount(replies.objects)
    beliefs = beliefs_of(who.evidence.of(np.arange(400)), None).numpy()
    most = PER_HALVING * 3
    assert counts.max() == most
    assert (beliefs[counts < most].max(1) >= SURE).all()
    right = beliefs.argmax(1) == labels
    assert right[counts < most].mean() > 0.93
    # Bayes by hand, for one object.
    of_one = replies.objects == 7
    by_hand = np.ones(classes)
    for question, answer in zip(replies.questions[of_one], replies.answers[of_one], strict=True):
        agrees = questions.sets[question] == bool(answer)
        by_hand *= np.where(agrees, 0.8, 0.2)
    assert beliefs[7] == pytest.approx(by_hand / by_hand.sum())


def test_answers_survive_a_checkpoint_to_the_bit():
    rng = np.random.default_rng(0)
    questions = some_tree(6, rng)
    labels = rng.integers(0, 6, 50)
    who = asking(questions, labels, rate=0.1)
    replies = ask_all(who, np.arange(50), 0)
    again = asking(questions, labels, rate=0.1)
    again.evidence.add(Replies.of_table(replies.table()))
    objects = np.arange(50)
    assert (again.evidence.of(objects) == who.evidence.of(objects)).all()
    assert (again.evidence.done == who.evidence.done).all()
    assert again.evidence.times(np.array([0]), replies.questions[:1]) > 0
    assert replies.where(replies.objects < 3).asked.tolist() == [0, 1, 2]


def test_scores_are_looked_at_block_by_block():
    """Memory is bounded: each block is predicted by itself."""
    seen = []

    def predicted_of(some):
        seen.append(len(some))
        return predictions(len(some), 4, np.random.default_rng(len(seen)))

    who = asking(balanced(4), np.zeros(10, dtype=np.int64))
    best_pairs(who, blocks_of(np.arange(10), 4), predicted_of, np.arange(10), 3)
    assert seen == [4, 4, 2]
