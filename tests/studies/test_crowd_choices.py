"""Whom a crowd's answers are bought of, and about which objects again."""

import os
import signal

import numpy as np
import pytest

from alray import api
from alray.assessors import active_lab
from alray.assessors.crowd import SKIP
from alray.errors import Interrupted
from alray.networks.tensors import PoolTensors
from alray.studies.sweep import annotation
from alray.studies.sweep.annotation import crowd_of
from tests.helpers.builders import make_pool, one_run
from tests.helpers.experiments import complete
from tests.helpers.studies import ROUNDS, Recorder, assert_same_records, settings

POOL = make_pool(objects=240)
ACTIVE_LAB = {"relabel": "active_lab", "assessors": 6, "answers": 2, "rate": 0.5, "skips": 0.1}
SCRATCH = {"mode": "scratch", "passive_epochs": 8}


def asked_by(run):
    """Return a run's results, and all of its answers."""
    results, _ = complete(run, POOL)
    answers = [result.answers for result in results]
    return results, sum(answers[1:], start=answers[0])


@pytest.fixture(scope="module")
def relabelled():
    run = one_run(POOL, crowd=ACTIVE_LAB, rounds=12, training=SCRATCH)
    return run, *asked_by(run)


def test_a_round_buys_as_many_answers_as_it_queries_objects(relabelled):
    _, results, _ = relabelled
    assert results[0].answers.bought == 12, "one about each initial object"
    assert [each.answers.bought for each in results[1:]] == [4] * 12


def test_only_objects_that_were_asked_about_are_labelled(relabelled):
    _, results, _ = relabelled
    seen: set[int] = set()
    new = []
    for result in results:
        asked = set(result.answers.objects.tolist())
        assert set(result.indices.tolist()) == asked - seen
        assert len(result.indices) == len(result.scores)
        seen |= asked
        new.append(len(result.indices))
        assert result.record["labels"] == len(seen)
    assert {0, 4} & set(new[1:]) or len(set(new[1:])) > 1
    assert 0 < sum(new[1:]) < 48, "some answers are about new objects, and some are not"


def test_nobody_answers_twice_and_no_object_gets_more_answers_than_it_may(relabelled):
    _, _, answers = relabelled
    pairs = list(zip(answers.objects.tolist(), answers.assessors.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    given = np.bincount(answers.given.objects)
    assert given.max() == 2


def test_the_next_answers_are_about_the_objects_with_the_lowest_scores(monkeypatch, relabelled):
    run, results, _ = relabelled
    scored = []

    def recorded(answers, labelled, new):
        scores = active_lab.active_lab_scores(answers, labelled, new)
        scored.append((answers, *scores))
        return scores

    monkeypatch.setattr(annotation, "active_lab_scores", recorded)
    again, _ = complete(run, POOL)
    assert [each.indices.tolist() for each in again] == [each.indices.tolist() for each in results]
    assert len(scored) == 12
    for (answers, older, new), result in zip(scored, results[1:], strict=True):
        known = np.unique(answers.given.objects)
        given = np.bincount(answers.given.objects, minlength=len(POOL))[known]
        asked = np.bincount(answers.objects, minlength=len(POOL))[known]
        is_open = (given < 2) & (asked < 6)
        limit = np.sort(np.concatenate([new, older[is_open]]))[3]
        about = result.answers.objects
        chosen = older[np.isin(known, about)]
        assert (chosen <= limit).all()
        assert is_open[np.isin(known, about)].all()
        left = older[is_open & ~np.isin(known, about)]
        assert (left >= limit).all()


@pytest.mark.parametrize("relabel", ["disagreement", "active_lab"])
def test_an_object_that_is_asked_about_again_counts_once(relabel):
    run = one_run(POOL, crowd={"relabel": relabel, "rate": 0.5}, rounds=4)
    results, _ = complete(run, POOL)
    queried = np.concatenate([result.indices for result in results])
    assert len(np.unique(queried)) == len(queried) == results[-1].record["labels"]
    assert results[-1].record["unanswered"] == 0


def test_more_answers_are_bought_where_two_disagree():
    changes = {"relabel": "disagreement", "answers": 4, "rate": 0.5}
    _, answers = asked_by(one_run(POOL, crowd=changes, rounds=4))
    numbers = set()
    for index in np.unique(answers.objects):
        given = answers.where(answers.objects == index).classes.tolist()
        numbers.add(len(given))
        for end in range(2, len(given)):
            assert max(given[:end].count(each) for each in given) * 2 <= end
        agreed = max(given.count(each) for each in given) * 2 > len(given)
        assert agreed or len(given) == 4
    assert numbers == {2, 3, 4}
    _, certain = asked_by(one_run(POOL, crowd={**changes, "rate": 0.0}, rounds=4))
    assert set(np.bincount(certain.objects).tolist()) == {0, 2}


def test_those_who_are_right_are_asked_more_and_hear_each_object_as_before():
    crowd = {"assessors": 8, "rate": 0.25, "skill_spread": 1.5}
    changes = {"rounds": 20, "initial": 40}
    by_chance = one_run(POOL, crowd=crowd, **changes)
    best = one_run(POOL, crowd={**crowd, "assign": "best"}, **changes)
    results, answers = asked_by(best)
    made = crowd_of(best, PoolTensors(POOL))
    assert made is not None
    later = answers.where(answers.rounds > 0)
    asked = made._crowd.skills[later.assessors].mean()
    assert asked > made._crowd.skills.mean() + 0.1
    _, other = asked_by(by_chance)
    heard, same = (
        {(row[1], row[2]): row[3] for row in each.table().tolist()} for each in (answers, other)
    )
    common = heard.keys() & same.keys()
    assert len(common) > 20
    assert all(heard[pair] == same[pair] for pair in common)
    assert (
        results[-1].record["wrong_labels"]
        < complete(by_chance, POOL)[0][-1].record["wrong_labels"]
    )


def test_a_skip_is_no_answer_and_the_next_one_is_asked(relabelled):
    _, results, answers = relabelled
    assert (answers.classes == SKIP).any()
    for result in results:
        for index in np.unique(result.answers.objects):
            of_object = result.answers.where(result.answers.objects == index)
            assert (of_object.classes[:-1] == SKIP).all()


@pytest.mark.usefixtures("round_by_round")
@pytest.mark.parametrize(
    "crowd",
    [
        {"relabel": "disagreement", "assign": "best", "aggregate": "dawid_skene"},
        {"assign": "best", "aggregate": "none", "skips": 0.2},
    ],
)
def test_a_study_that_was_stopped_or_grows_comes_to_the_same(pool, tmp_path, crowd):
    def sweep(results, observer=None, **changes):
        spec = settings(pool, crowd=crowd, **changes)
        return api.sweep(spec, results=results, observer=observer)

    whole = sweep(tmp_path / "whole", execution={"parallel": 2})
    stop = Recorder(("run", ROUNDS - 1), lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        sweep(tmp_path / "stopped", stop)
    assert_same_records(whole, sweep(tmp_path / "stopped"))
    sweep(tmp_path / "grown", rounds=1)
    assert_same_records(whole, sweep(tmp_path / "grown"))
