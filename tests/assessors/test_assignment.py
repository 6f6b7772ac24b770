"""Who is asked: those who are likely to be right, while everyone gets a chance."""

from functools import partial

import numpy as np
import pytest

from alray.assessors.aggregation import aggregate
from alray.assessors.answers import Answers
from alray.assessors.asking import Asking, ask, until
from alray.assessors.assignment import by_skill
from alray.assessors.confusable import alike
from alray.assessors.crowd import make_crowd
from alray.assessors.dawid_skene import Aggregated, read_by
from alray.settings.crowd import CrowdSpec

CLASSES = 3


def answers_of(rights):
    """Return answers of assessors about objects of their own, by (right, wrong) for each class; and their reading."""
    rows: list[tuple[int, ...]] = []
    truths: list[int] = []
    for assessor, of_classes in enumerate(rights):
        for truth, (right, wrong) in enumerate(of_classes):
            for is_right in [True] * right + [False] * wrong:
                answer = truth if is_right else (truth + 1) % CLASSES
                rows.append((0, len(truths), assessor, answer))
                truths.append(truth)
    answers = Answers.of_table(np.array(rows, dtype=np.int64).reshape(-1, 4))
    posterior = np.eye(CLASSES)[truths]
    return answers, read_by(answers, np.arange(len(truths)), posterior, len(rights))


def first_of(orders, assessor):
    return (orders[:, 0] == assessor).mean()


def test_who_is_asked_first_is_who_draws_the_largest_share():
    answers, found = answers_of(
        [[(6, 1), (0, 0), (2, 1)], [(3, 0), (1, 1), (0, 0)], [(0, 2), (0, 0), (0, 0)]]
    )
    orders = by_skill(found, answers, 40_000, np.random.default_rng(0))
    assert (np.sort(orders, axis=1) == np.arange(3)).all()
    rng = np.random.default_rng(1)
    shares = np.stack([rng.beta(1 + r, 1 + w, 400_000) for r, w in ((8, 2), (4, 1), (0, 2))])
    for assessor in range(3):
        expected = (shares.argmax(0) == assessor).mean()
        assert first_of(orders, assessor) == pytest.approx(expected, abs=0.01)
    assert first_of(orders, 2) > 0, "two wrong answers do not write anyone off"


def test_nobody_is_known_before_the_first_answer():
    answers, found = answers_of([[(0, 0)] * 3] * 4)
    orders = by_skill(found, answers, 20_000, np.random.default_rng(0))
    assert [first_of(orders, each) for each in range(4)] == pytest.approx([0.25] * 4, abs=0.015)


def test_the_same_draws_choose_the_same_people():
    answers, found = answers_of([[(6, 1), (0, 0), (2, 1)], [(3, 0), (1, 1), (0, 0)]])
    one, same, other = (by_skill(found, answers, 50, np.random.default_rng(s)) for s in (4, 4, 5))
    assert (one == same).all()
    assert (one != other).any()


def wrong_labels(spec, seed, *, best):
    """Return the share of wrong labels of 40 rounds of ten objects, and how often each assessor was asked."""
    rng = np.random.default_rng(seed)
    crowd = make_crowd(spec, alike(CLASSES), rng)
    truths = rng.integers(0, CLASSES, 400)
    answers = Answers()
    found: Aggregated | None = None
    for number, objects in enumerate(np.split(np.arange(400), 40)):
        orders = None
        if best and found is not None:
            orders = by_skill(found, answers, len(objects), np.random.default_rng([seed, number]))
        asking = Asking(number, until(3), orders)
        answers += ask(crowd, objects, truths[objects], asking, partial(drawn, seed))
        found = aggregate(answers, len(crowd), CLASSES, "one_coin", found)
    assert found is not None
    asked = np.bincount(answers.assessors, minlength=len(crowd))
    return (found.posterior.argmax(1) != truths).mean(), asked, crowd.skills


def drawn(seed, index):
    return np.random.default_rng([seed, index])


def test_the_best_leave_fewer_wrong_labels_and_nobody_is_forgotten():
    spec = CrowdSpec(rate=0.35, skill_spread=1.0, spammers=0.2)
    gains, shares = [], []
    for seed in range(8):
        by_chance, _, _ = wrong_labels(spec, seed, best=False)
        chosen, asked, skills = wrong_labels(spec, seed, best=True)
        gains.append(by_chance - chosen)
        shares.append(np.corrcoef(asked, skills)[0, 1])
        assert asked.min() > 0
    assert np.mean(gains) > 0.05
    assert min(shares) > 0.2
