"""Sweeps whose labels come from a crowd."""

import copy
import os
import signal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alray import api
from alray.assessors.answers import Answers
from alray.assessors.one_coin import one_coin
from alray.errors import Interrupted, SpecError
from alray.networks.tensors import PoolTensors
from alray.strategies.base import given
from alray.studies.sweep import records
from alray.studies.sweep.annotation import crowd_of
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.results import load
from alray.studies.sweep.state import RunState
from alray.training.gpu.stacks import Stacks
from tests.helpers.builders import one_run, plan_of
from tests.helpers.experiments import POOL, after_passive, clock, complete, experiment
from tests.helpers.records import schema, typed
from tests.helpers.studies import ROUNDS, Recorder, assert_same_records, files, settings

CROWD = {"assessors": 6, "answers": 3, "rate": 0.4, "skips": 0.2, "cost": 0.25}


def sweep(pool, results, observer=None, **changes):
    with_it = {"crowd": CROWD, "strategies": ["random", "margin"], **changes}
    return api.sweep(settings(pool, **with_it), results=results, observer=observer)


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    return sweep(pool, tmp_path_factory.mktemp("crowd"), seeds=2)


def test_answers_have_the_documented_columns(study):
    names = {path.stem for path in (study.path / "answers").iterdir()}
    assert names == set(study.runs["run_id"])
    for path in (study.path / "answers").iterdir():
        assert list(schema(path).items()) == [row[:2] for row in typed(records.ANSWER_COLUMNS)]
    assert load(study.path).answers.equals(study.answers)


def test_every_queried_object_was_asked_about_and_paid_for(study):
    for run_id, answers in study.answers.groupby("run_id"):
        queries = study.queries[study.queries["run_id"] == run_id]
        rounds = study.rounds[study.rounds["run_id"] == run_id].sort_values("round")
        assert set(zip(answers["round"], answers["id"], strict=True)) == set(
            zip(queries["round"], queries["id"], strict=True)
        )
        assert not answers.duplicated(["id", "assessor"]).any()
        given = answers[answers["answer"].notna()]
        assert (given["cost"] == 0.25).all()
        assert (answers.loc[answers["answer"].isna(), "cost"] == 0).all()
        assert given.groupby("id").size().max() == 3
        bought = given.groupby("round").size().cumsum().tolist()
        assert rounds["answers"].tolist() == bought
        assert rounds["cost"].tolist() == pytest.approx([0.25 * each for each in bought])
        assert rounds["skipped"].iloc[-1] == answers["answer"].isna().sum() > 0


def test_wrong_labels_and_skills_are_those_of_the_recorded_answers(study):
    """Read anew from the file, by hand."""
    run_id = study.runs["run_id"].iloc[0]
    answers = study.answers[study.answers["run_id"] == run_id]
    truth = study.queries[study.queries["run_id"] == run_id].set_index("id")["label"]
    classes, objects = sorted(truth.unique()), list(truth.index)
    table = np.stack(
        [
            answers["round"],
            answers["id"].map(objects.index),
            answers["assessor"],
            [-1 if pd.isna(each) else classes.index(each) for each in answers["answer"]],
        ],
        axis=1,
    ).astype(np.int64)
    asked, found = Answers.of_table(table), None
    for number in range(ROUNDS + 1):
        so_far = asked.where(asked.rounds <= number)
        found = one_coin(so_far, 6, len(classes), start=found)
    assert found is not None
    likeliest = found.posterior.argmax(1)
    truths = np.array([classes.index(truth[objects[index]]) for index in found.objects])
    last = study.rounds[study.rounds["run_id"] == run_id].sort_values("round").iloc[-1]
    assert last["wrong_labels"] == pytest.approx((likeliest != truths).mean())
    assert 0.05 < last["wrong_labels"] < 0.5
    assert 0 < last["skill_error"] < 0.4
    assert last["unanswered"] == len(objects) - len(found.objects)


def test_arms_of_a_seed_hear_the_same_about_the_same_object(study):
    seeds = dict(zip(study.runs["run_id"], study.runs["seed"], strict=True))
    answers = study.answers.assign(seed=study.answers["run_id"].map(seeds))
    answers["answer"] = answers["answer"].fillna("skipped")
    said = answers.groupby(["seed", "id", "assessor"])["answer"]
    assert (said.nunique() == 1).all()
    assert said.size().max() == 2, "both arms asked about some object"
    by_seed = answers.groupby(["id", "assessor"])["answer"].nunique()
    assert (by_seed > 1).any(), "another seed is another crowd"


def test_a_crowd_that_never_errs_teaches_what_the_labels_do():
    perfect = {"rate": 0.0, "answers": 1, "aggregate": "majority"}
    changes = {"strategies": ["margin"], "training": {"passive_epochs": 3, "mode": "scratch"}}
    asked, _ = complete(one_run(POOL, crowd=perfect, **changes))
    plain, _ = complete(one_run(POOL, **changes))
    for one, other in zip(asked, plain, strict=True):
        assert one.indices.tolist() == other.indices.tolist()
        assert one.record["nll"] == pytest.approx(other.record["nll"], rel=1e-4)
        assert one.record["wrong_labels"] == 0


def test_objects_that_nobody_answers_about_are_not_learnt_from():
    run = one_run(POOL, crowd={"assessors": 1, "answers": 1, "skips": 0.5})
    results, _ = complete(run)
    last = results[-1].record
    assert 0 < last["unanswered"] < last["labels"]
    assert last["unanswered"] + last["answers"] == last["labels"]
    crowd = given(crowd_of(run, PoolTensors(POOL), results[0].answers))
    known = crowd.known(results[0].indices)
    heard = results[0].answers.given
    assert known.objects.tolist() == [
        each for each in results[0].indices.tolist() if each in set(heard.objects.tolist())
    ]
    answered = dict(zip(heard.objects.tolist(), heard.classes.tolist(), strict=True))
    learnt = given(known.targets)(known.objects).argmax(1).tolist()
    assert learnt == [answered[index] for index in known.objects.tolist()]


def learnt_by(aggregate):
    """Return a run after its second round and again from its checkpoint there, with what it learns of its objects."""
    crowd = {"assessors": 4, "answers": 2, "rate": 0.4, "aggregate": aggregate}
    run = one_run(POOL, crowd=crowd, strategies=["random"], rounds=2)
    running, networks = after_passive(run), {}
    for number in (1, 2):
        networks[number] = copy.deepcopy(running.learner.network)
        running.next_round()
    state = RunState.from_bytes(running.state().to_bytes())
    found = [given(each._crowd)._found for each in (running, experiment(run, POOL, state))]
    return running, networks, found


def test_joint_begins_from_what_the_network_predicted_before_it_learnt_of_an_object():
    running, networks, (found, from_checkpoint) = learnt_by("joint")
    crowd = given(running._crowd)
    row = {index: place for place, index in enumerate(found.objects.tolist())}
    answers = crowd.answers.given
    said = np.zeros((len(found.objects), 3))
    for index, assessor, answer in zip(
        answers.objects.tolist(), answers.assessors, answers.classes, strict=True
    ):
        said[row[index]] += np.log(found.confusions[assessor, :, answer])
    prior = np.zeros_like(said)
    for number, network in networks.items():
        new = np.unique(answers.objects[answers.rounds == number])
        prior[[row[index] for index in new.tolist()]] = crowd._log_probs(network, new)
    weights = np.exp(said + prior)
    assert (prior != 0).any(axis=1).sum() == 2 * running.run.query
    expected = weights / weights.sum(1, keepdims=True)
    assert found.posterior == pytest.approx(expected, abs=1e-5)
    assert from_checkpoint.posterior == pytest.approx(found.posterior, abs=1e-6)
    targets = given(crowd.known(found.objects).targets)(found.objects)
    assert targets.numpy() == pytest.approx(expected, abs=1e-5)
    # By the answers alone the same objects, and answers, come to something else.
    without, _, (other, _) = learnt_by("one_coin")
    assert given(without._crowd).answers.table().tolist() == crowd.answers.table().tolist()
    assert np.abs(other.posterior - found.posterior).max() > 0.05


@pytest.mark.usefixtures("round_by_round")
def test_a_study_that_was_stopped_or_grows_comes_to_the_same(pool, tmp_path):
    whole = sweep(pool, tmp_path / "whole")
    stop = Recorder(("run", ROUNDS - 1), lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        sweep(pool, tmp_path / "stopped", stop)
    resumed = sweep(pool, tmp_path / "stopped")
    assert_same_records(whole, resumed)
    sweep(pool, tmp_path / "grown", rounds=1)
    grown = sweep(pool, tmp_path / "grown")
    assert_same_records(whole, grown)
    assert files(whole.path) == files(grown.path) == files(resumed.path)


def test_a_ceiling_is_by_the_true_labels(pool, tmp_path):
    asked = sweep(pool, tmp_path / "asked", full_data=True, rounds=1)
    plain = sweep(pool, tmp_path / "plain", full_data=True, rounds=1, crowd=None)
    of_both = [
        each.rounds[each.rounds["full_data"]]["accuracy"].tolist() for each in (asked, plain)
    ]
    assert of_both[0] == of_both[1]


def test_runs_without_a_crowd_keep_their_names():
    plain = one_run(POOL)
    assert "crowd" not in plain.identity()
    assert one_run(POOL, crowd={}).run_id != plain.run_id


def test_stacks_which_learn_the_labels_are_not_used(monkeypatch):
    placed = []
    monkeypatch.setattr(Stacks, "place", lambda *_: placed.append(1))
    cases: list[tuple[dict[str, Any], int]] = [({"crowd": {}}, 0), ({}, 1)]
    for changes, count in cases:
        run, stacks = one_run(POOL, **changes), Stacks(1)
        Experiment(run, PoolTensors(POOL), clock(), stacks=stacks)
        assert len(placed) == count


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategies": ["random", "best_of_batches"]}, "tries batches with their true labels"),
        (
            {"initial_draw": "with_replacement", "training": {"stopping": "held_out"}},
            "draws some twice",
        ),
    ],
)
def test_what_a_crowd_cannot_answer_is_refused(changes, message):
    with pytest.raises((SpecError, ValueError), match=message):
        plan_of(POOL, crowd={}, **changes)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr("alray.assessors.aggregation.find_spec", lambda _: None)
    with pytest.raises(SpecError, match=r"crowd.aggregate: glad needs crowd-kit.*alray\[crowd\]"):
        plan_of(POOL, crowd={"aggregate": "glad"})
