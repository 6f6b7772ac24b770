"""Scores of yes/no questions against their definitions, one object and question at a time."""

import math

import numpy as np
import pytest
import torch

from alray.strategies.questions.scores import best_questions, question_scores
from tests.helpers.yes_no import EVERYTHING, balanced, some_tree


def by_hand(prior, possible, question, rule):
    """Return a question's score, a larger one being better, as Hu et al. define it."""
    yes = sum(p for p, member in zip(prior, question, strict=True) if member)
    inside = sum(a and member for a, member in zip(possible, question, strict=True))
    every = sum(possible)
    if rule == "eig":
        return -sum(p * math.log(p) for p in (yes, 1 - yes) if 0 < p < 1)
    remaining = yes * inside + (1 - yes) * (every - inside)
    return -remaining if rule == "erc" else every - remaining


def beliefs(objects, classes, rng):
    possible = rng.random((objects, classes)) < 0.7
    possible[:, :2] = True
    prior = rng.dirichlet(np.ones(classes), objects) * possible
    return prior / prior.sum(1, keepdims=True), possible


@pytest.mark.parametrize("rule", EVERYTHING)
def test_scores_and_choices_are_those_of_the_definitions(rule):
    rng = np.random.default_rng(1)
    questions = some_tree(6, rng)
    prior, possible = beliefs(40, 6, rng)
    tensors = torch.from_numpy(prior), torch.from_numpy(possible)
    sets = torch.from_numpy(questions.sets)
    scores, parting = question_scores(*tensors, sets.t().double(), rule)
    best = best_questions(*tensors, sets, rule)
    for row in range(40):
        wanted = {}
        for number, question in enumerate(questions.sets):
            score = by_hand(prior[row], possible[row], question, rule)
            assert float(scores[row, number]) == pytest.approx(score, abs=1e-8)
            inside = (question & possible[row]).sum()
            assert bool(parting[row, number]) == (0 < inside < possible[row].sum())
            if parting[row, number]:
                wanted[number] = round(score, 8)
        highest = max(wanted.values())
        assert int(best.questions[row]) == min(
            number for number, score in wanted.items() if score == highest
        )
        assert float(best.scores[row]) == pytest.approx(highest, abs=1e-7)


@pytest.mark.parametrize("rule", EVERYTHING)
def test_where_no_question_tells_anything_the_likeliest_class_is_asked_about(rule):
    questions = balanced(4)
    possible = torch.tensor([[True, True, False, True], [False, False, True, False]])
    prior = torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]], dtype=torch.float64)
    best = best_questions(prior, possible, torch.from_numpy(questions.sets), rule)
    chosen = [questions.members[number] for number in best.questions.tolist()]
    assert chosen[1] == (2,)
    if rule == "eig":
        assert chosen[0] == (1,)
        assert best.scores.tolist() == [0.0, 0.0]


def test_for_one_object_erc_and_edc_choose_alike():
    rng = np.random.default_rng(2)
    questions = some_tree(9, rng)
    prior, possible = (torch.from_numpy(each) for each in beliefs(200, 9, rng))
    sets = torch.from_numpy(questions.sets)
    erc, edc = (best_questions(prior, possible, sets, rule) for rule in ("erc", "edc"))
    assert erc.questions.tolist() == edc.questions.tolist()
    assert erc.scores.argsort().tolist() != edc.scores.argsort().tolist()


def test_many_objects_are_looked_at_in_blocks_with_equal_results(monkeypatch):
    rng = np.random.default_rng(3)
    questions = some_tree(5, rng)
    prior, possible = (torch.from_numpy(each) for each in beliefs(50, 5, rng))
    sets = torch.from_numpy(questions.sets)
    whole = best_questions(prior, possible, sets, "eig")
    monkeypatch.setattr("alray.strategies.questions.scores.ROWS", 7)
    parts = best_questions(prior, possible, sets, "eig")
    assert whole.questions.tolist() == parts.questions.tolist()
    assert whole.scores.tolist() == parts.scores.tolist()
    assert len(best_questions(prior[:0], possible[:0], sets, "eig").scores) == 0
