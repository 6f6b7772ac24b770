"""Sweeps whose arms ask yes/no questions in the place of labels."""

import dataclasses
import os
import signal

import numpy as np
import pytest
import torch

import alray.studies.sweep.question_annotation as question_annotation_module
from alray.analysis.sweep.references import references_said
from alray.analysis.wording import Row
from alray.errors import Interrupted, SpecError
from alray.networks.tensors import PoolTensors
from alray.reporting.facts import _questions
from alray.reporting.sources import find_results, read_sweep
from alray.reporting.sweep.page import page_of
from alray.reporting.sweep.style import arms_of
from alray.reporting.sweep_findings import results_from
from alray.settings.base import validate
from alray.settings.questions import QuestionsSpec
from alray.settings.sweep import SweepSpec
from alray.strategies.base import given
from alray.studies.sweep import records
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.question_annotation import question_annotation
from alray.studies.sweep.question_sets import class_means, questions_of_run
from alray.studies.sweep.state import RunState
from alray.training.gpu.stacks import Stacks
from tests.helpers.builders import make_pool, one_run, plan_of, same_tensors
from tests.helpers.experiments import POOL, clock, complete, experiment
from tests.helpers.paths import local
from tests.helpers.question_studies import ALL, drive
from tests.helpers.records import schema, typed
from tests.helpers.report_reading import Page, assert_without_gaps
from tests.helpers.studies import ROUNDS, Recorder, assert_same_records, files

EIGHT = make_pool(300, classes=8, separation=1.5)
PER_ROUND = 5 * 2
"""Of five labels with three classes, by halves."""


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    return drive(pool, tmp_path_factory.mktemp("questions"), seeds=2)


def of_arm(frame, arm, seed=0):
    return frame[(frame["arm"] == arm) & (frame["seed"] == seed)].sort_values(
        "round", kind="stable"
    )


def test_answers_and_rounds_have_the_documented_columns(study):
    asking = set(study.runs.loc[study.runs["arm"] != "random", "run_id"])
    folder = local(study.path)
    assert {path.stem for path in (folder / "answers").iterdir()} == asking
    for path in (folder / "answers").iterdir():
        assert list(schema(path).items()) == [row[:2] for row in typed(records.ANSWER_COLUMNS)]
    kinds = {name: kind for name, kind, _ in typed(records.QUESTION_COLUMNS)}
    for run_id in asking:
        found = schema(folder / "rounds" / f"{run_id}.parquet")
        assert kinds.items() <= found.items()


@pytest.mark.parametrize("arm", ALL)
def test_a_round_spends_its_questions_on_objects_that_are_then_on_record(study, arm):
    rounds, answers = of_arm(study.rounds, arm), of_arm(study.answers, arm)
    bought = answers.groupby("round").size()
    assert bought[1:].tolist() == [PER_ROUND] * ROUNDS
    assert rounds["answers"].tolist() == bought.cumsum().tolist()
    assert rounds["cost"].tolist() == pytest.approx((0.25 * bought.cumsum()).tolist())
    first = answers.drop_duplicates("id")
    queries = of_arm(study.queries, arm)
    asked = set(zip(first["round"], first["id"], strict=True))
    assert asked == set(zip(queries["round"], queries["id"], strict=True))
    known = rounds["labels"] + rounds["partly_labelled"]
    assert known.tolist() == [(first["round"] <= number).sum() for number in range(ROUNDS + 1)]
    if "alpf" not in arm:
        assert rounds["partly_labelled"].max() == 1, "an object that was begun is ended first"
    assert (rounds["wrong_labels"] == 0).all()
    assert rounds["labels"].iloc[0] == 20
    assert set(answers["answer"]) == {"yes", "no"}
    assert answers["assessor"].isna().all()
    # No question about an object is asked twice, and what was answered is true.
    assert not answers.duplicated(["id", "question"]).any()
    truth = queries.set_index("id")["label"]
    inside = [
        truth[i] in q.split(" or ")
        for i, q in zip(answers["id"], answers["question"], strict=True)
    ]
    assert (answers["answer"] == np.where(inside, "yes", "no")).all()


def test_objects_chosen_by_a_score_have_it_on_record(study):
    later = study.queries[study.queries["round"] > 0]
    scored = later.groupby("arm")["score"].agg(lambda scores: scores.notna().all())
    chosen = {"questions:al", "questions:alpf", "questions:alpf:score=edc"}
    assert {arm for arm, all_have in scored.items() if all_have} == chosen
    eig = later[later["arm"] == "questions:alpf"]["score"]
    assert eig.between(0, np.log(2) + 1e-6).all()


def test_the_page_has_what_was_answered_and_what_it_cost_without_a_crowd_too(study, tmp_path):
    arms = ["random", ALL[0], ALL[3]]
    source = read_sweep(find_results(study), None)
    few = {
        name: frame[frame["arm"].isin(arms) & (frame["seed"] == 0)]
        for name in ("rounds", "queries", "runs")
        for frame in [getattr(source, name)]
    }
    source = dataclasses.replace(source, **few)
    results = results_from(source, tmp_path, "accuracy", ("html", "csv"))
    page = Page(page_of(results, [], arms_of(results.summary)))
    assert_without_gaps(page)
    assert "the crowd" not in page.words
    shown = page.words.partition("What was asked and answered")[2].partition("What the columns")[0]
    assert "answers cost partly labelled wrong labels random" in shown
    rounds = few["rounds"][few["rounds"]["round"] == ROUNDS]
    means = rounds.groupby("arm")[["answers", "cost", "partly_labelled"]].mean()
    for arm in arms[1:]:
        answers, cost, partly = means.loc[arm]
        assert f"{arm} {answers:,.0f} {cost:,.2f} {partly:,.1f} .000" in shown
    assert (
        f"random {means.loc['random', 'answers']:,.0f} {means.loc['random', 'cost']:,.2f} - -"
        in shown
    )
    table = results.comparison.crowd
    assert table.columns.tolist() == ["arm", "seeds", "labels", *means.columns, "wrong_labels"]
    assert table["seeds"].tolist() == [1, 1, 1]


def test_arms_of_a_seed_begin_with_the_same_answers_and_passive_and_aq_with_the_same_objects(
    study,
):
    said = ["id", "question", "answer"]
    begun = [
        of_arm(study.answers, arm).query("round == 0")[said].to_numpy().tolist() for arm in ALL
    ]
    assert all(each == begun[0] for each in begun)
    order = [of_arm(study.queries, arm)["id"].tolist() for arm in ALL[:2]]
    shortest = min(map(len, order))
    assert order[0][:shortest] == order[1][:shortest]
    other = of_arm(study.answers, ALL[0], seed=1).query("round == 0")[said].to_numpy().tolist()
    assert other != begun[0]


def test_arms_that_buy_labels_have_answers_and_cost_by_the_price_of_a_label(study, pool, tmp_path):
    random = of_arm(study.rounds, "random")
    assert random["answers"].tolist() == random["labels"].tolist()
    # Two halvings of three classes.
    assert random["cost"].tolist() == pytest.approx((random["labels"] * 0.5).tolist())
    dear = {"cost": 0.25, "label_cost": 2.0}
    other = drive(pool, tmp_path, questions=dear, strategies=["random", "questions:passive"])
    paid = of_arm(other.rounds, "random")
    assert paid["cost"].tolist() == pytest.approx((paid["labels"] * 2.0).tolist())
    plans = [plan_of(POOL, strategies=["random", ALL[0]], questions=each) for each in ({}, dear)]
    names = [[run.run_id for run in plan.runs] for plan in plans]
    assert names[0][0] != names[1][0]
    free = plan_of(POOL, strategies=["random", ALL[0]], questions={"label_cost": 2.0})
    assert free.runs[1].run_id == names[0][1], "the price of a label is none of arms that ask"


@pytest.mark.usefixtures("round_by_round")
@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_a_study_that_was_stopped_or_grows_comes_to_the_same(pool, tmp_path, rate):
    changes = {"questions": {"rate": rate}, "strategies": ["questions:al", "questions:alpf"]}
    whole = drive(pool, tmp_path / "whole", **changes)
    stop = Recorder(("run", ROUNDS - 1), lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        drive(pool, tmp_path / "stopped", stop, **changes)
    resumed = drive(pool, tmp_path / "stopped", **changes)
    assert_same_records(whole, resumed)
    drive(pool, tmp_path / "grown", rounds=1, **changes)
    grown = drive(pool, tmp_path / "grown", **changes)
    assert_same_records(whole, grown)
    assert files(whole.path) == files(grown.path) == files(resumed.path)


@pytest.mark.parametrize("rate", [0.0, 0.15])
@pytest.mark.parametrize("strategy", ALL)
def test_a_run_goes_on_from_any_round_to_the_bit(strategy, rate):
    run = one_run(EIGHT, strategies=[strategy], questions={"rate": rate}, rounds=2)
    _, states = complete(run, EIGHT)
    for number, state in enumerate(states[:-1]):
        running = experiment(run, EIGHT, RunState.from_bytes(state))
        assert running.round == number
        running.next_round()
        after, expected = running.state(), RunState.from_bytes(states[number + 1])
        assert given(after.replies).table().tolist() == given(expected.replies).table().tolist()
        assert same_tensors(after.tensors, expected.tensors)
        assert after.labelled.tolist() == expected.labelled.tolist()


@pytest.mark.parametrize("strategy", [*ALL, "questions:alpf:score=erc"])
def test_with_right_answers_each_arm_comes_to_the_true_labels_of_all_objects(strategy):
    pool = make_pool(80, classes=5)
    enough = {"per_round": 60}
    run = one_run(pool, strategies=[strategy], questions=enough, rounds=6)
    running = experiment(run, pool)
    running.passive()
    last = running.next_round()
    while not running.finished:
        last = running.next_round()
    assert last.record["labels"] == len(pool.train)
    assert last.record["partly_labelled"] == last.record["wrong_labels"] == 0
    assert len(last.indices) == 0, "nothing was left to ask"
    assert sorted(running.labelled.tolist()) == pool.train.tolist()
    known = running._known()
    targets = given(known.targets)(pool.train)
    assert targets.dtype == torch.bool
    assert torch.equal(
        targets, torch.nn.functional.one_hot(torch.tensor(pool.labels[pool.train])).bool()
    )


def test_wrong_labels_are_counted_as_they_are_learnt(monkeypatch):
    """A prediction that is nearly sure decides where the answers leave several classes alike."""
    truths = np.eye(8, dtype=np.float32)[EIGHT.labels]
    predicted = np.log(0.93 * truths + 0.01 * (1 - truths))
    monkeypatch.setattr(
        question_annotation_module, "_Predictor", lambda *_: lambda objects: predicted[objects]
    )
    questions = {"rate": 0.05, "per_round": 60}
    running = experiment(one_run(EIGHT, strategies=["questions:aq"], questions=questions), EIGHT)
    running.passive()
    record = running.next_round().record
    asked = given(running._questions)
    done = asked.asked[asked._evidence.done[asked.asked]]
    learnt = given(running._known().targets)(done).argmax(1).numpy()
    assert record["labels"] == len(done) > 40
    assert record["wrong_labels"] == pytest.approx((learnt != EIGHT.labels[done]).mean())
    by_answers = asked._evidence.of(done).argmax(1)
    assert (by_answers != EIGHT.labels[done]).mean() > record["wrong_labels"] == 0


def test_partial_labels_alone_teach_the_network():
    """One answer about each of many objects, which leaves several classes possible."""
    pool = make_pool(600, classes=4, separation=3.0)
    fit = {"passive_epochs": 20, "batch_size": 16, "mode": "scratch"}
    settings = {"rounds": 1, "initial": 4, "training": fit, "questions": {"per_round": 150}}
    results, _ = complete(one_run(pool, strategies=["questions:alpf:score=edc"], **settings), pool)
    first, last = results[0].record, results[-1].record
    assert last["labels"] == 4
    assert last["partly_labelled"] == 150
    assert last["accuracy"] > first["accuracy"] + 0.15


def test_what_is_learnt_under_wrong_answers_are_probabilities_by_the_answers_and_the_network():
    run = one_run(EIGHT, strategies=["questions:alpf"], questions={"rate": 0.2}, rounds=1)
    running = experiment(run, EIGHT)
    running.passive()
    asked = given(running._questions)
    running.next_round()
    known = running._known()
    targets = given(known.targets)(known.objects)
    assert targets.dtype == torch.float32
    by_hand = np.ones((len(known.objects), 8))
    row = {each: place for place, each in enumerate(known.objects.tolist())}
    replies = asked.replies
    for index, question, yes in zip(
        replies.objects, replies.questions, replies.answers, strict=True
    ):
        agrees = asked.questions.sets[question] == bool(yes)
        by_hand[row[index]] *= np.where(agrees, 0.8, 0.2)
    # The network of before the fit.
    again = experiment(run, EIGHT)
    again.passive()
    by_hand *= np.exp(given(again._questions)._predictor(again.learner.network)(known.objects))
    assert targets.numpy() == pytest.approx(by_hand / by_hand.sum(1, keepdims=True), abs=1e-5)


def test_the_tree_is_part_of_a_runs_name_and_its_file_is_not():
    names = [
        one_run(POOL, strategies=["questions:passive"], questions=each).run_id
        for each in ({}, {"tree": "features"})
    ]
    assert names[0] == names[1]
    run = one_run(EIGHT, strategies=["questions:passive"])
    spec = given(run.questions)
    sets = (("left", (0, 1, 2)), ("right", (3, 4)))
    others = [spec.model_copy(update={"sets": each}) for each in (sets, sets[:1])]
    ids = {run.model_copy(update={"questions": each}).run_id for each in (spec, *others)}
    assert len(ids) == 3


def test_a_tree_that_is_built_is_that_of_the_train_part_of_the_seed():
    run = one_run(EIGHT, strategies=["questions:passive"])
    tensors = PoolTensors(EIGHT)
    questions = questions_of_run(given(run.questions), tensors)
    assert len(questions) == 8 + 6
    means = class_means(tensors)
    assert means.shape == (8, 14)
    of_first = EIGHT.train[EIGHT.labels[EIGHT.train] == 0]
    image = EIGHT.modalities[0]
    # Absent features count as zeros, the mean of all.
    there = of_first[image.present[of_first]]
    by_hand = image.features[image.rows[there]].sum(0) / len(of_first)
    assert means[0, :9] == pytest.approx(by_hand, abs=1e-5)


def test_a_crowd_answers_questions_and_gives_labels_in_one_study(pool, tmp_path):
    crowd = {"assessors": 6, "answers": 3, "rate": 0.2, "cost": 0.5}
    strategies = ["random", "questions:passive", "questions:alpf"]
    found = drive(pool, tmp_path, crowd=crowd, strategies=strategies)
    for arm in strategies[1:]:
        rounds, answers = of_arm(found.rounds, arm), of_arm(found.answers, arm)
        assert rounds["answers"].iloc[-1] == len(answers)
        assert answers["assessor"].between(0, 5).all()
        assert set(answers["answer"]) == {"yes", "no"}
        assert (answers["cost"] == 0.25).all()
        truth = of_arm(found.queries, arm).set_index("id")["label"]
        inside = np.array(
            [
                truth[i] in q.split(" or ")
                for i, q in zip(answers["id"], answers["question"], strict=True)
            ]
        )
        wrong = (answers["answer"] == "yes") != inside
        assert 0.1 < wrong.mean() < 0.35
    labels = of_arm(found.answers, "random")
    assert labels["question"].isna().all()
    assert (
        of_arm(found.rounds, "random")["cost"]
        == 0.5 * 3 * of_arm(found.rounds, "random")["labels"]
    ).all()


def test_stacks_which_learn_the_labels_are_not_used(monkeypatch):
    placed = []
    monkeypatch.setattr(Stacks, "place", lambda *_: placed.append(1))
    run = one_run(POOL, strategies=["questions:passive"])
    Experiment(run, PoolTensors(POOL), clock(), stacks=Stacks(1))
    assert not placed


def test_passive_is_added_and_what_the_others_are_compared_with():
    plan = plan_of(POOL, strategies=["random", "margin", "questions:alpf"], questions={})
    assert {arm.label: arm.against for arm in plan.arms} == {
        "random": "",
        "margin": "random",
        "questions:alpf": "questions:passive",
        "questions:passive": "random",
    }
    alone = plan_of(POOL, strategies=["questions:alpf", "questions:passive"])
    assert {arm.label: arm.against for arm in alone.arms} == {
        "questions:alpf": "questions:passive",
        "questions:passive": "",
    }
    shared = {run.passive_id for run in alone.runs}
    assert len(shared) == 1, "they have one passive phase"


def test_runs_without_questions_keep_their_names():
    plain = one_run(POOL)
    assert not {"questions", "label_cost"} & plain.identity().keys()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategies": ["margin"]}, "questions has no effect without an arm that asks some"),
        ({"candidates": 20}, "leave candidates out"),
        ({"screen": True}, "leave screen out"),
        ({"crowd": {}, "questions": {"rate": 0.1}}, "leave questions.rate or crowd out"),
        (
            {"model": {"name": "sklearn:sklearn.linear_model.LogisticRegression"}, "training": {}},
            "scikit-learn classifier .* learns from classes alone",
        ),
        (
            {"initial_draw": "with_replacement", "training": {"stopping": "held_out"}},
            "asks about each object once",
        ),
        ({"questions": {"tree": "names"}}, "questions.tree: names finds no tree"),
    ],
)
def test_what_cannot_go_with_questions_is_refused(changes, message):
    wanted = {"questions": {"cost": 0.1}, "strategies": ["questions:alpf"], **changes}
    with pytest.raises((SpecError, ValueError), match=message):
        plan_of(POOL, **wanted)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 0.5}, "questions.rate: .*less than 0.5"),
        ({"cost": -1}, "questions.cost: "),
        ({"per_round": 0}, "questions.per_round: "),
        ({"tre": "names"}, "did you mean"),
        ("rate=.1,rate=.2", "questions names rate more than once"),
        ("rate", "NAME=VALUE,NAME=VALUE, such as tree=names,cost=.01"),
    ],
)
def test_bad_values_are_refused(values, message):
    with pytest.raises(SpecError, match=message):
        validate(SweepSpec, {"questions": values}, "here")


def test_a_run_that_asks_nothing_has_no_annotation():
    assert question_annotation(one_run(POOL), PoolTensors(POOL)) is None


def test_the_report_says_what_arms_that_ask_are_compared_with():
    rows: list[Row] = [
        {"arm": "random", "against": None},
        {"arm": "questions:alpf", "against": "questions:passive"},
        {"arm": "questions:passive", "against": "random"},
    ]
    (said,) = references_said(rows)
    assert said.startswith("questions:alpf is compared with questions:passive, which asks about")
    assert said.endswith("is the difference of questions:passive to random.")
    without: list[Row] = [rows[1], {"arm": "questions:passive", "against": None}]
    (alone,) = references_said(without)
    assert alone.endswith("so that what is asked alone differs.")


def test_the_page_has_what_was_asked_among_its_facts():
    asked = QuestionsSpec(tree="names", cost=0.5, rate=0.1).model_dump()
    assert _questions({"questions": asked}) == {
        "yes/no questions": "0.5 an answer, 10 % of answers wrong, about a tree by class names"
    }
    assert _questions({"questions": None}) == _questions({}) == {}


@pytest.mark.parametrize("strategy", ["questions:passive", "questions:aq", "questions:al"])
def test_an_object_that_was_begun_is_ended_before_another(strategy):
    few = {"per_round": 7}
    results, _ = complete(one_run(EIGHT, strategies=[strategy], questions=few, rounds=8), EIGHT)
    assert max(result.record["partly_labelled"] for result in results) == 1
