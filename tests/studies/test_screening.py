"""Scoring only some candidates exactly: a random part, or the shortlist of scores in a low precision."""

import math

import numpy as np
import pytest

from alray.api import sweep
from alray.errors import SpecError
from alray.reporting.api import report
from alray.scoring import engine
from alray.settings.base import validate
from alray.settings.sweep import ScreenSpec, SweepSpec
from alray.studies.sweep.screening import recall, shortlist, shortlist_size
from tests.helpers.builders import make_pool, one_run, plan_of
from tests.helpers.experiments import after_passive, complete
from tests.helpers.own_scores import REQUESTS
from tests.helpers.paths import local
from tests.helpers.studies import settings

POOL = make_pool(400)
SCREEN = {"share": 0.2, "every": 3}


def results_of(**settings):
    """Return the results of a small run's passive phase and rounds."""
    return complete(one_run(POOL, **settings), POOL)[0]


@pytest.mark.parametrize(
    ("candidates", "query", "expected"), [(1000, 5, 200), (1001, 5, 201), (100, 90, 90), (40, 50, 40)]
)  # fmt: skip
def test_a_shortlist_is_its_share_and_at_least_a_query(candidates, query, expected):
    assert shortlist_size(ScreenSpec(**SCREEN), candidates, query) == expected


@pytest.mark.parametrize("largest", [True, False])
def test_the_best_are_on_the_shortlist(largest):
    rng = np.random.default_rng(0)
    candidates = np.sort(rng.choice(10_000, 500, replace=False))
    scores = rng.normal(size=500)
    left = shortlist(candidates, scores, 60, largest=largest)
    order = np.argsort(-scores if largest else scores)
    assert left.tolist() == sorted(candidates[order[:60]].tolist())


def test_recall_is_the_share_of_the_exact_choice_on_the_shortlist():
    assert recall(np.array([5, 2, 9, 7]), np.array([1, 2, 3, 7, 9])) == 0.75


def test_a_screened_run_scores_all_exactly_every_nth_round_and_records_its_recall():
    planned = plan_of(POOL, rounds=8, screen=SCREEN)
    (run,) = planned.runs
    records = [result.record for result in complete(run, POOL)[0]]
    unlabelled = [len(POOL.train) - run.initial - number * run.query for number in range(9)]
    assert [record["scored"] for record in records] == [
        0,
        *(
            left if number % 3 == 0 else math.ceil(0.2 * left)
            for number, left in enumerate(unlabelled[:8])
        ),
    ]
    assert planned.forward_passes(planned.arms[0]) == sum(each["scored"] for each in records)
    known = [not math.isnan(record["screen_recall"]) for record in records]
    assert known == [False, *(number % 3 == 0 for number in range(8))]
    recalls = [record["screen_recall"] for record in records if record["screen_recall"] >= 0]
    assert len(recalls) == 3
    assert all(0.6 <= found <= 1 for found in recalls)


@pytest.mark.parametrize(
    ("strategy", "precision"),
    [
        ("margin", "int8"),
        ("bald:members=3", "int8"),
        ("bald:committee=both", "int8"),
        ("bald:members=3", "bf16"),
    ],
)
def test_a_wide_screen_changes_nothing(strategy, precision):
    """Exact scores decide: the same objects as without a screen, and a recall of one."""
    exact = results_of(strategies=(strategy,), rounds=5)
    wide = {"share": 0.7, "every": 3, "precision": precision}
    screened = results_of(strategies=(strategy,), rounds=5, screen=wide)
    assert len(exact) == 6
    for one, other in zip(exact, screened, strict=True):
        assert one.indices.tolist() == other.indices.tolist()
        np.testing.assert_array_equal(one.scores, other.scores)
    assert [screened[number].record["screen_recall"] for number in (1, 4)] == [1, 1]


@pytest.mark.parametrize(
    ("strategy", "names"),
    [
        ("entropy", ["rounded_scores_of", "scores_of"]),
        ("tests.helpers.own_modules:PowerMargin:beta=1", ["score_rounded", "score"]),
    ],
)
def test_only_the_best_by_rounded_scores_are_scored_exactly(monkeypatch, strategy, names):
    """Signals of all objects are kept only for a strategy that is not pointwise."""
    asked = []

    def spy(name, position):
        real = getattr(engine, name)

        def score(*arguments):
            asked.append((name, arguments[position]))
            return real(*arguments)

        monkeypatch.setattr(engine, name, score)

    run = one_run(POOL, strategies=(strategy,), rounds=3, screen={"share": 0.1, "every": 5})
    running = after_passive(run, POOL)
    running.next_round()
    for name, position in {
        "scores_of": 3,
        "rounded_scores_of": 3,
        "score": 2,
        "score_rounded": 2,
    }.items():
        spy(name, position)
    chosen = running.next_round().indices
    (_, everything), (_, few) = asked[:2]
    assert [name for name, _ in asked[:2]] == names
    assert set(few) < set(everything)
    assert len(few) == math.ceil(0.1 * len(everything))
    assert set(chosen) <= set(few)


def test_candidates_are_a_new_random_part_in_each_round():
    running = after_passive(one_run(POOL, rounds=4, candidates=30), POOL)
    # Which candidates a round scored is in no result.
    unlabelled = np.setdiff1d(POOL.train, running.labelled)
    seen = set()
    for _ in range(4):
        running.round += 1
        drawn = running._candidates(unlabelled)
        assert len(np.unique(drawn)) == 30
        assert np.isin(drawn, unlabelled).all()
        assert (np.diff(drawn) > 0).all()
        seen.add(tuple(drawn))
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("settings", "scored"),
    [
        ({"candidates": 30}, [0, 30, 30, 30]),
        ({}, [0, 228, 224, 220]),
        ({"candidates": 10_000}, [0, 228, 224, 220]),
        ({"strategies": ("random",), "screen": SCREEN}, [0] * 4),
    ],
)
def test_as_many_objects_are_scored_as_there_are_to_choose_from(settings, scored):
    planned = plan_of(POOL, rounds=3, **settings)
    records = [result.record for result in complete(planned.runs[0], POOL)[0]]
    assert [record["scored"] for record in records] == scored
    assert planned.forward_passes(planned.arms[0]) == sum(scored)
    assert all(math.isnan(record["screen_recall"]) for record in records)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"candidates": 3}, "candidates must be at least query"),
        ({"candidates": 30, "screen": True}, "give one of them"),
        ({"screen": {"share": 1.5}}, "share"),
        ({"screen": {"every": 1}}, "every"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(SpecError, match=message):
        validate(SweepSpec, {"query": 5, **wrong}, "study.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategies": ("learning_loss",)}, "learning_loss: screen needs .* from probabilities"),
        (
            {"model": {"width": 8, "block": "highway", "fusion": "sum"}},
            "the usual parts of late_fusion, not with model.block: highway, model.fusion: sum",
        ),
        (
            {"model": {"name": "tests.helpers.own_modules:OwnNetwork"}},
            "works with model late_fusion, not",
        ),
        ({"execution": {"gpus_per_run": 0.5}}, "works on the CPU"),
        (
            {"strategies": ("tests.helpers.own_modules:Choosing",)},
            "Choosing: screen needs a strategy that ranks",
        ),
        *(
            (
                {"strategies": (f"tests.helpers.own_scores:AllAtOnce:by={by}",)},
                f"by={by}: screen needs a strategy that ranks",
            )
            for by in REQUESTS
        ),
    ],
)
def test_where_there_are_no_rounded_scores_a_screen_is_refused(change, message):
    plan_of(POOL, **change)
    with pytest.raises(SpecError, match=message):
        plan_of(POOL, screen=True, **change)


def test_unscreened_runs_keep_their_names_and_screened_ones_get_new_names():
    assert SweepSpec.model_validate({"screen": True}).screen == ScreenSpec()
    assert SweepSpec.model_validate({"screen": False}).screen is None
    plain = one_run(POOL)
    assert "screen" not in plain.identity()
    names = {
        one_run(POOL, **extra).run_id
        for extra in ({}, {"screen": True}, {"screen": SCREEN}, {"candidates": 30})
    }
    assert len(names) == 4
    assert plain.passive_id == one_run(POOL, screen=True).passive_id


def test_a_report_states_which_candidates_were_scored(pool, tmp_path):
    wanted = settings(
        pool, strategies=["random", "margin"], seeds=2, screen={**SCREEN, "precision": "int8"}
    )
    study = sweep(wanted, results=tmp_path)
    made = report(study.path, formats=("html",))
    assert made.page is not None
    html = local(made.page).read_text()
    assert (
        "exactly 20% of the candidates, ranked by 8-bit scores; all of them every 3 rounds" in html
    )
    measured = study.rounds["screen_recall"].dropna()
    assert f"would have let through {measured.mean():.1%}" in html
