"""One study in a file with all that there is about answers: a crowd, yes/no questions, and variants of the crowd."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from alray import api, load
from alray.reporting.api import report
from alray.strategies.base import given
from tests.helpers.builders import make_pool, one_run, plan_of
from tests.helpers.command import alray
from tests.helpers.experiments import POOL, experiment
from tests.helpers.report_reading import Page, assert_without_gaps, html_of
from tests.helpers.studies import settings

ASKING = ["questions:passive", "questions:alpf:score=edc"]
CROWD = {"assessors": 6, "errors": "structured", "rate": 0.2, "answers": 2, "cost": 0.05}
TREE = "class,parent\nclass-0,near\nclass-1,near\nnear,all\nclass-2,all\n"


def written(folder, pool, **changes):
    """Write a settings file with all of it, and the tree of classes that it names; return the file."""
    (folder / "tree.csv").write_text(TREE)
    study = settings(
        pool,
        strategies=["random", "margin", *ASKING],
        crowd=CROWD,
        questions={"tree": str(folder / "tree.csv"), "cost": 0.02},
        vary={"crowd.answers": [2, 1]},
        seeds=1,
        rounds=2,
    )
    study.update(changes)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("together")


@pytest.fixture(scope="module")
def done(pool, folder):
    path = written(folder, pool, full_data=True)
    return alray("sweep", path, "--results", folder / "results", "--no-report")


@pytest.fixture(scope="module")
def study(done, folder):
    assert done.exit_code == 0, done.output
    assert "arms that ask yes/no questions run once, not for each value of crowd.answers" in (
        " ".join(done.stderr.split())
    )
    return load(folder / "results" / "study")


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    return report(study.path, out=tmp_path_factory.mktemp("report"), formats=("html", "csv"))


def test_arms_that_ask_come_once_and_label_arms_with_each_number_of_answers(study):
    arms = ["random", "random [answers=1]", "margin", "margin [answers=1]"]
    assert sorted(study.runs["arm"].unique()) == sorted([*arms, *ASKING, "full data"])
    assert (study.runs["status"] == "finished").all()
    against = study.runs.drop_duplicates("arm").set_index("arm")["against"]
    assert against["margin [answers=1]"] == "random [answers=1]"
    assert against[ASKING[1]] == ASKING[0]
    assert against[ASKING[0]] == "random"


def test_all_is_compared_along_money(study):
    assert set(study.summary["axis"]) == {"cost"}
    ends = study.rounds.groupby("arm")["cost"].max().drop("full data")
    paid = study.answers.groupby(["arm", "seed"])["cost"].sum().groupby("arm").max()
    pd.testing.assert_series_equal(ends, paid, check_names=False)
    # The study's own settings pay 2 answers for each of 20 + 2 x 5 labels.
    assert ends["random"] == pytest.approx(30 * 2 * 0.05)
    assert ends["random [answers=1]"] == pytest.approx(60 * 0.05)


def test_what_does_not_apply_to_an_arm_is_a_dash_on_the_page_and_empty_in_the_table(made, done):
    page = Page(html_of(made).encode())
    assert_without_gaps(page)
    for text in (done.output, made.verdict, *made.problems):
        assert not re.search(r"\bnan\b", text, re.IGNORECASE)
    path = made.folder / "findings" / "crowd.csv"
    assert not re.search(r"\bnan\b", path.read_text(), re.IGNORECASE)
    table = pd.read_csv(path).set_index("arm")
    of_labels, of_questions = ["skipped", "unanswered", "skill_error"], ["partly_labelled"]
    assert table.loc[ASKING, of_labels].isna().all(axis=None)
    assert table.loc[ASKING, of_questions].notna().all(axis=None)
    assert table.loc["margin [answers=1]", of_labels].notna().all()
    assert table.loc["margin", of_questions].isna().all()
    shown = page.words.partition("What the crowd answered")[2].partition("What the columns")[0]
    # Partly labelled of arms that buy labels; three columns of those that ask.
    assert shown.split().count("-") == 4 + 2 * 3


def test_page_and_terminal_say_that_full_data_has_true_labels(made, done):
    said = "with true labels, which no crowd would give"
    assert html_of(made).count(said) >= 2, "among the facts and below the curves"
    assert f"1 on full data ({said})" in " ".join(done.output.split())


def test_the_crowd_answers_labels_and_questions(study):
    answers = study.answers
    asked = answers["question"].notna()
    assert set(answers.loc[asked, "arm"]) == set(ASKING)
    assert set(answers.loc[asked, "answer"]) == {"yes", "no"}
    assert answers["assessor"].between(0, 5).all()
    questions = set(answers.loc[asked, "question"])
    assert questions <= {"class-0", "class-1", "class-2", "near", "all"}
    assert "near" in questions


@pytest.mark.parametrize("errors", ["structured", "uniform"])
def test_who_confuses_two_classes_of_a_set_is_right_about_the_set_and_wrong_about_each(errors):
    pool = make_pool(300, {"image": 4}, classes=4, absent=0)
    labels = pool.labels
    # 0 and 1 lie near each other, and so do 2 and 3.
    centres = np.array([[9, 1, 0, 0], [9, -1, 0, 0], [-9, 0, 1, 0], [-9, 0, -1, 0]])
    noise = np.random.default_rng(0).normal(size=(300, 4)) * 0.3
    image = replace(pool.modalities[0], features=(centres[labels] + noise).astype(np.float32))
    crowd = {"assessors": 5, "errors": errors, "rate": 0.4, "skill_spread": 0.0}
    run = one_run(
        replace(pool, modalities=(image,)), strategies=[ASKING[0]], crowd=crowd, initial=120
    )
    running = experiment(run, replace(pool, modalities=(image,)))
    asked = given(running.passive().asked)
    sizes = asked.questions.sets.sum(1)[asked.replies.questions]
    right = asked.questions.sets[asked.replies.questions, labels[asked.replies.objects]]
    wrong = right != (asked.replies.answers == 1)
    pairs = {each for each in asked.questions.members if len(each) == 2}
    assert pairs == {(0, 1), (2, 3)}
    about_sets = wrong[sizes == 2].mean()
    if errors == "structured":
        assert about_sets < 0.05
        assert 0.15 < wrong[sizes == 1].mean() < 0.5
    else:
        assert 0.2 < about_sets < 0.35


def test_without_the_studys_own_number_of_answers_arms_that_ask_come_once_too():
    plan = plan_of(
        POOL, strategies=["random", ASKING[1]], crowd=CROWD, vary={"crowd.answers": [1, 3]}
    )
    arms = {arm.label: (arm.against, arm.study.rounds) for arm in plan.arms}
    assert arms.keys() == {"random [answers=1]", "random [answers=3]", *ASKING}
    assert arms[ASKING[1]] == (ASKING[0], 3)
    assert arms[ASKING[0]] == ("", 3)


def test_settings_of_what_assessors_are_like_vary_for_arms_that_ask_too():
    vary = {"crowd.rate": [0.1, 0.3], "crowd.aggregate": ["majority", "one_coin"]}
    plan = plan_of(POOL, strategies=["random", ASKING[0]], crowd=CROWD, vary=vary)
    labels = [arm.label for arm in plan.arms if arm.text == ASKING[0]]
    assert labels == [f"{ASKING[0]} [rate=0.1]", f"{ASKING[0]} [rate=0.3]"]
    assert len({run.run_id for run in plan.runs}) == 2 + 4


def test_the_arms_that_ask_are_the_runs_of_a_study_without_variants(pool):
    settings_ = {"crowd": CROWD, "strategies": ["random", *ASKING]}
    plain = api.plan_sweep(settings(pool, **settings_))
    varied = api.plan_sweep(settings(pool, **settings_, vary={"crowd.answers": [1, 3]}))
    asked = [{run.run_id for run in plan.runs if run.questions} for plan in (plain, varied)]
    assert asked[0] == asked[1]
    assert len(asked[0]) == 2


@pytest.mark.parametrize(
    ("changes", "tree", "message"),
    [
        ({"crowd": {**CROWD, "rate": 2}}, TREE, "crowd.rate: Input should be less than 1"),
        ({"crowd": {**CROWD, "answers": 7}}, TREE, "answers = 7 is more than assessors = 6"),
        ({"vary": {"crowd.answers": [1, 9]}}, TREE, "answers = 9 is more than assessors = 6"),
        ({"vary": {"questions.rate": [0, 0.1]}}, TREE, "vary: questions.rate is the same for all"),
        ({}, TREE.replace("class-2", "clas-2"), "clas"),
    ],
)
def test_bad_settings_are_refused_with_exit_code_2(pool, tmp_path, changes, tree, message):
    path = written(tmp_path, pool, **changes)
    (tmp_path / "tree.csv").write_text(tree)
    done = alray("sweep", path, "--results", tmp_path / "results")
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "results").exists()
