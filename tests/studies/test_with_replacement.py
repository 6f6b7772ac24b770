"""Initial labels drawn with replacement: an object counts, and is learnt from, as often as it was drawn."""

import signal
from functools import partial

import numpy as np
import pytest

from alray import api
from alray.errors import Interrupted
from alray.training.fit import fitting
from tests.helpers.studies import Recorder, assert_same_records, settings

INITIAL = 60


def values(pool, **changes):
    with_it = {
        "strategies": ["random", "margin"],
        "initial": INITIAL,
        "rounds": 3,
        "compat": "original",
    }
    return settings(pool, **{**with_it, **changes})


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    return api.sweep(values(pool, full_data=True), results=tmp_path_factory.mktemp("whole"))


def test_draws_count_as_labels_and_queries_are_of_others(study):
    queries = study.queries[~study.queries["full_data"]]
    for _, of_run in queries.groupby("run_id"):
        first = of_run[of_run["round"] == 0]
        assert len(first) == INITIAL
        assert first["rank"].tolist() == list(range(INITIAL))
        assert first["id"].nunique() < INITIAL
        later = of_run[of_run["round"] > 0]
        assert later["id"].is_unique
        assert set(first["id"]).isdisjoint(later["id"])
    rounds = study.rounds[~study.rounds["full_data"]]
    assert sorted(rounds["labels"].unique()) == [INITIAL, 65, 70, 75]
    firsts = queries[queries["round"] == 0].groupby("run_id")["id"].apply(tuple)
    assert firsts.nunique() == 1, "arms of a seed share the draw"


def test_what_is_drawn_twice_is_learnt_twice(pool, tmp_path, monkeypatch):
    learnt = []

    def noted(learner, tensors, labelled, draws, options):
        learnt.append(labelled.objects)
        return fitting(learner, tensors, labelled, draws, options)

    monkeypatch.setattr("alray.studies.rounds.round_fit.fitting", noted)
    api.sweep(values(pool, strategies=["random"], rounds=1), results=tmp_path)
    assert [len(labelled) for labelled in learnt] == [INITIAL, INITIAL + 5]
    assert len(np.unique(learnt[0])) < INITIAL


def test_a_run_on_full_data_learns_each_object_once(study, pool):
    (labels,) = study.rounds.loc[study.rounds["full_data"], "labels"]
    full = study.queries[study.queries["full_data"]]
    assert full["id"].is_unique
    assert len(full) == labels == len(api.plan_sweep(values(pool)).prepared.train)


def test_runs_have_other_names_only_where_it_is_set(pool):
    with_it, without = (
        api.plan_sweep(values(pool, initial_draw=draw)).runs[0]
        for draw in ("with_replacement", "distinct")
    )
    assert with_it.run_id != without.run_id
    assert with_it.passive_id != without.passive_id
    assert "initial_draw" not in without.identity()
    assert "compat" not in with_it.identity()


def test_a_study_that_was_stopped_goes_on_to_the_same_records(study, pool, tmp_path):
    stop = Recorder(("run", 1), partial(signal.raise_signal, signal.SIGINT))
    with pytest.raises(Interrupted):
        api.sweep(values(pool), results=tmp_path, observer=stop)
    again = api.sweep(values(pool, full_data=True), results=tmp_path)
    assert_same_records(study, again)
