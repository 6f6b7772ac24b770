"""The confusions of workers by their answers, against planted ones."""

import numpy as np
import pytest

from alray.assessors.table import WEIGHT, confusions_of
from alray.errors import SpecError
from alray.pools.answer_table import UNKNOWN, AnswerTable

CLASSES = 4


def planted(workers, seed=0):
    """Return confusions of workers who err each at a rate of their own, mostly towards the next class."""
    rng = np.random.default_rng(seed)
    wrong = rng.uniform(0.05, 0.6, workers)
    shares = 0.1 * (1 - np.eye(CLASSES)) + 0.7 * np.roll(np.eye(CLASSES), 1, axis=1)
    return (1 - wrong)[:, None, None] * np.eye(CLASSES) + wrong[:, None, None] * shares


def table_of(confusions, tasks, each, known=1.0, seed=1):
    """Return a table of so many tasks with so many answers each, of which a share has a known truth."""
    rng = np.random.default_rng(seed)
    truths = rng.integers(0, CLASSES, tasks)
    numbers = np.repeat(np.arange(tasks), each)
    workers = np.concatenate(
        [rng.choice(len(confusions), each, replace=False) for _ in range(tasks)]
    )
    rows = confusions[workers, truths[numbers]]
    labels = np.array([rng.choice(CLASSES, p=row / row.sum()) for row in rows])
    truths[rng.random(tasks) >= known] = UNKNOWN
    names = tuple(map(str, range(len(confusions))))
    return AnswerTable(names, numbers, workers, labels, truths, "", 0)


def distance(one, other):
    """Return the mean total variation between answers."""
    return np.abs(one - other).sum(2).mean() / 2


@pytest.mark.parametrize("known", [1.0, 0.3, 0.0])
def test_planted_confusions_are_found_and_better_with_more_answers(known):
    confusions = planted(12)
    few, many = (
        distance(confusions_of(table_of(confusions, tasks, 5, known), CLASSES, "t"), confusions)
        for tasks in (150, 3000)
    )
    assert many < 0.03
    assert many < few < 0.12


def test_each_row_is_a_distribution_without_zeros():
    found = confusions_of(table_of(planted(5), 30, 3), CLASSES, "t")
    assert found.sum(2) == pytest.approx(np.ones((5, CLASSES)))
    assert found.min() > 0


def test_counts_weigh_beside_the_prior_as_answers_do():
    """By hand, for one worker who is as good as all are."""
    labels = np.repeat([0, 0, 1, 1], [30, 10, 30, 10])
    truths = np.repeat([0, 1, 1, 0], [30, 10, 30, 10])
    table = AnswerTable(("w",), np.arange(80), np.zeros(80, np.int64), labels, truths, "", 0)
    found = confusions_of(table, 2, "t")
    wrong = (20 + 1) / (80 + 2)
    usual = (10 + WEIGHT * wrong) / (40 + WEIGHT)
    factor = (20 + WEIGHT * wrong) / (80 * usual + WEIGHT * wrong)
    expected = (10 + WEIGHT * factor * usual) / (40 + WEIGHT)
    assert found[0] == pytest.approx(
        np.array([[1 - expected, expected], [expected, 1 - expected]])
    )


def test_a_worker_with_few_answers_errs_as_all_do_and_nobody_is_left_out():
    confusions = planted(10)
    table = table_of(confusions, 2000, 5)
    keep = (table.answered_by != 9) | (np.cumsum(table.answered_by == 9) <= 2)
    few = AnswerTable(
        table.workers,
        table.tasks[keep],
        table.answered_by[keep],
        table.labels[keep],
        table.truths,
        "",
        0,
    )
    found = confusions_of(few, CLASSES, "t")
    assert len(found) == 10
    mean = found[:9].mean(0)
    assert distance(found[9:], mean[None]) < 0.12
    off = ~np.eye(CLASSES, dtype=bool)
    assert np.corrcoef(found[9][off], mean[off])[0, 1] > 0.95


def test_who_errs_often_in_some_classes_is_expected_to_in_those_that_he_did_not_see():
    confusions = planted(8)
    table = table_of(confusions, 3000, 4)
    unseen = (table.truths[table.tasks] == 2) & (table.answered_by < 2)
    known = AnswerTable(
        table.workers,
        table.tasks[~unseen],
        table.answered_by[~unseen],
        table.labels[~unseen],
        table.truths,
        "",
        0,
    )
    found = confusions_of(known, CLASSES, "t")
    assert found[:2, 2, 2] == pytest.approx(confusions[:2, 2, 2], abs=0.08)
    assert abs(found[0, 2, 2] - found[1, 2, 2]) > 0.1


def test_answers_that_nothing_can_be_compared_with_are_refused():
    rows = np.arange(6)
    alone = AnswerTable(("a", "b"), rows, rows % 2, rows % 3, np.full(6, UNKNOWN), "", 0)
    with pytest.raises(SpecError, match=r"t\.csv says no truth, and no task has two answers"):
        confusions_of(alone, 3, "t.csv")


def test_such_answers_count_for_nothing_beside_others():
    confusions = planted(6)
    table = table_of(confusions, 400, 4, known=0.0)
    tasks = np.concatenate([table.tasks, 400 + np.arange(500)])
    more = AnswerTable(
        table.workers,
        tasks,
        np.concatenate([table.answered_by, np.zeros(500, np.int64)]),
        np.concatenate([table.labels, np.arange(500) % CLASSES]),
        np.full(900, UNKNOWN),
        "",
        0,
    )
    expected = confusions_of(table, CLASSES, "t")
    assert (confusions_of(more, CLASSES, "t") == expected).all()


def test_too_many_confusions_are_refused(monkeypatch):
    monkeypatch.setattr("alray.assessors.table.MOST_NUMBERS", 100)
    with pytest.raises(SpecError, match="keep the 6 workers with the most answers"):
        confusions_of(table_of(planted(7), 20, 3), CLASSES, "t")
