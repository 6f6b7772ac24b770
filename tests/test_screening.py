"""Scoring less than everything: a random part, or what the last full scoring left plausible."""

import math

import numpy as np
import pytest
from typing_extensions import override

from alray.api import plan_study, sweep
from alray.errors import SpecError
from alray.loop import Experiment
from alray.plan import make_plan
from alray.report_api import report
from alray.screening import is_full, kept, plausible, recall
from alray.settings import validate
from alray.spec import ScreenSpec, StudySpec
from alray.state import RunState
from alray.tensors import PoolTensors
from tests.builders import make_pool, one_run, plan_of
from tests.studies import Recorder, assert_same_records, settings, write_pool

POOL = make_pool(400)
SCREEN = {"share": 0.2, "every": 3}


def ticking():
    return 0.0


def experiment(run, state=None):
    return Experiment(run, PoolTensors(POOL), ticking, state)


def play(run, rounds):
    playing = experiment(run)
    return [playing.passive(), *(playing.next_round() for _ in range(rounds))]


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return write_pool(tmp_path_factory.mktemp("pools") / "pool.parquet")


def test_every_so_many_rounds_are_full():
    spec = ScreenSpec(every=3)
    assert [number for number in range(1, 11) if is_full(spec, number)] == [1, 4, 7, 10]


@pytest.mark.parametrize(
    ("candidates", "query", "expected"), [(1000, 5, 200), (1001, 5, 201), (1000, 90, 270), (100, 50, 100)]
)  # fmt: skip
def test_a_screen_keeps_its_share_and_enough_to_choose_from(candidates, query, expected):
    assert kept(ScreenSpec(**SCREEN), candidates, query) == expected


@pytest.mark.parametrize("largest", [True, False])
def test_the_best_stay(largest):
    rng = np.random.default_rng(0)
    candidates = np.sort(rng.choice(10_000, 500, replace=False))
    scores = rng.normal(size=500)
    left = plausible(candidates, scores, 60, largest=largest)
    order = np.argsort(-scores if largest else scores)
    assert left.tolist() == sorted(candidates[order[:60]].tolist())


def test_recall_is_the_share_that_would_have_been_let_through():
    assert recall(np.array([5, 2, 9, 7]), np.array([1, 2, 3, 7, 9])) == 0.75


def test_a_screened_run_scores_all_now_and_then_and_says_what_it_missed():
    run = one_run(POOL, strategies=("margin",), rounds=8, screen=SCREEN)
    records = [result.record for result in play(run, 8)]
    unlabelled = [len(POOL.train) - run.initial - number * run.query for number in range(9)]
    scored = [record["scored"] for record in records]
    first, fourth = (math.ceil(0.2 * unlabelled[number]) for number in (0, 3))
    assert scored[:5] == [
        0,
        unlabelled[0],
        first - run.query,
        first - 2 * run.query,
        unlabelled[3],
    ]
    assert scored[5:7] == [fourth - run.query, fourth - 2 * run.query]
    known = [not math.isnan(record["screen_recall"]) for record in records]
    assert known == [False] * 4 + [True, False, False, True, False]
    assert all(
        0 <= record["screen_recall"] <= 1 for record in records if record["screen_recall"] >= 0
    )


def test_a_screen_that_leaves_everything_changes_nothing():
    """Chosen exactly: the same objects as without a screen, and a recall of one."""
    exact = play(one_run(POOL, strategies=("margin",), rounds=5), 5)
    near_all = {"share": 0.999, "every": 2}
    screened = play(one_run(POOL, strategies=("margin",), rounds=5, screen=near_all), 5)
    assert len(exact) == 6
    for one, other in zip(exact, screened, strict=True):
        assert one.indices.tolist() == other.indices.tolist()
    assert [result.record["screen_recall"] for result in screened[3::2]] == [1, 1]


def test_between_full_scorings_only_plausible_objects_are_chosen():
    run = one_run(POOL, strategies=("entropy",), rounds=3, screen={"share": 0.1, "every": 3})
    playing = experiment(run)
    playing.passive()
    playing.next_round()
    left = set(playing.state().plausible.tolist())
    for _ in range(2):
        assert set(playing.next_round().indices.tolist()) <= left


@pytest.mark.parametrize("extra", [{"screen": SCREEN}, {"candidates": 30}])
@pytest.mark.parametrize("until", [1, 2, 3, 4])
def test_a_run_that_goes_on_from_a_checkpoint_is_the_same(extra, until):
    run = one_run(POOL, strategies=("margin",), rounds=6, **extra)
    whole = play(run, 6)
    playing = experiment(run)
    playing.passive()
    for _ in range(until):
        playing.next_round()
    resumed = experiment(run, RunState.from_bytes(playing.state().to_bytes()))
    for expected in whole[until + 1 :]:
        found = resumed.next_round()
        np.testing.assert_equal(found.record, expected.record)
        assert found.indices.tolist() == expected.indices.tolist()


def test_candidates_are_a_random_part_anew_in_each_round():
    run = one_run(POOL, strategies=("margin",), rounds=4, candidates=30)
    playing = experiment(run)
    playing.passive()
    seen = []
    for _ in range(4):
        playing.round += 1
        unlabelled = np.setdiff1d(POOL.train, playing._labelled)
        drawn = playing._candidates(unlabelled)
        assert len(np.unique(drawn)) == 30
        assert np.isin(drawn, unlabelled).all()
        assert (np.diff(drawn) > 0).all()
        seen.append(drawn.tolist())
    assert len({tuple(drawn) for drawn in seen}) == 4
    assert [result.record["scored"] for result in play(run, 3)] == [0, 30, 30, 30]


def test_chance_is_not_screened_and_scores_nothing():
    records = [
        result.record
        for result in play(one_run(POOL, strategies=("random",), rounds=3, screen=SCREEN), 3)
    ]
    assert [record["scored"] for record in records] == [0] * 4
    assert all(math.isnan(record["screen_recall"]) for record in records)


def test_more_candidates_than_there_are_are_all():
    exact = play(one_run(POOL, strategies=("margin",), rounds=2), 2)
    asked = play(one_run(POOL, strategies=("margin",), rounds=2, candidates=10_000), 2)
    assert [one.indices.tolist() for one in exact] == [one.indices.tolist() for one in asked]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"candidates": 3}, "candidates must be at least query"),
        ({"candidates": 30, "screen": True}, "give one of them"),
        ({"screen": {"share": 1.5}}, "share"),
        ({"screen": {"every": 1}}, "every"),
    ],
)
def test_what_cannot_be_is_refused(wrong, message):
    with pytest.raises(SpecError, match=message):
        validate(StudySpec, {"query": 5, **wrong}, "study.yaml")


def test_a_strategy_without_scores_cannot_be_screened():
    study = StudySpec(strategies=("tests.own_modules:Choosing",), initial=20, query=5, rounds=2)
    plan = plan_of(POOL, strategies=("tests.own_modules:Choosing",))
    make_plan(study, plan.pool, POOL)
    with pytest.raises(SpecError, match="Choosing: screen needs a strategy that ranks"):
        make_plan(study.model_copy(update={"screen": ScreenSpec()}), plan.pool, POOL)


def test_true_and_false_stand_for_the_defaults_and_none():
    assert StudySpec.model_validate({"screen": True}).screen == ScreenSpec()
    assert StudySpec.model_validate({"screen": False}).screen is None


def test_runs_from_before_it_could_be_chosen_keep_their_names_and_others_get_new_ones():
    plain = one_run(POOL)
    assert "screen" not in plain.identity()
    names = {
        one_run(POOL, **extra).run_id
        for extra in ({}, {"screen": True}, {"screen": SCREEN}, {"candidates": 30})
    }
    assert len(names) == 4
    assert plain.passive_id == one_run(POOL, screen=True).passive_id


@pytest.mark.parametrize("extra", [{}, {"screen": SCREEN}, {"candidates": 30}])
def test_the_plan_knows_how_many_objects_are_scored(extra):
    plan = plan_of(POOL, strategies=("margin",), seeds=(0,), rounds=7, **extra)
    played = play(plan.runs[0], 7)
    assert plan.forward_passes(plan.arms[0]) == sum(result.record["scored"] for result in played)


def test_a_study_says_in_its_report_what_was_scored(pool, tmp_path):
    wanted = settings(pool, strategies=["random", "margin"], seeds=2, screen=SCREEN)
    study = sweep(wanted, results=tmp_path)
    made = report(study.path, formats=("html",))
    assert made.page is not None
    html = made.page.read_text()
    assert "all candidates every 3 rounds, 20% of them in between" in html
    measured = study.rounds["screen_recall"].dropna()
    assert f"{measured.mean():.1%} at its oldest" in html


def test_a_screened_study_is_the_same_when_it_was_interrupted(pool, tmp_path):
    """Checkpoints hold what is plausible."""
    wanted = settings(pool, strategies=["margin"], screen=SCREEN)
    whole = sweep(wanted, results=tmp_path / "whole")

    class Stopping(Recorder):
        @override
        def progressed(self, name, status, record):
            super().progressed(name, status, record)
            if status is not None and record["round"] == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(wanted, results=tmp_path / "cut", observer=Stopping())
    assert_same_records(whole, sweep(wanted, results=tmp_path / "cut"))
    assert plan_study(StudySpec.model_validate(wanted)).study.screen == ScreenSpec(**SCREEN)
