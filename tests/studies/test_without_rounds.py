"""A sweep without rounds: strategies do nothing, and equal fits are refused."""

import logging

import pytest

from alray import api
from alray.errors import SpecError
from alray.networks.models import build_network
from alray.settings.common import ModelSpec
from alray.studies.sweep.choice import choice_of
from alray.studies.sweep.store import SweepStore
from tests.helpers.studies import assert_same_records, settings

VARY = {"model.width": [4, 8]}


def without(pool, **changes):
    values = settings(pool, **{"rounds": 0, "vary": VARY, **changes})
    if "strategies" not in changes:
        del values["strategies"]
    return values


def test_a_variant_has_one_arm_where_no_strategy_is_named(pool, caplog):
    plan = api.plan_sweep(without(pool))
    assert [arm.label for arm in plan.arms] == ["random [width=4]", "random"]
    assert plan.study.strategies == ("random",)
    assert not caplog.records
    with_rounds = api.plan_sweep({**without(pool), "rounds": 1, "strategies": ["margin"]})
    assert len(with_rounds.arms) == 2


def test_strategies_that_are_named_run_and_are_said_to_do_nothing(pool, tmp_path, caplog):
    """Their records are those of a study of random alone, and of studies from before."""
    with caplog.at_level(logging.WARNING):
        plan = api.plan_sweep(without(pool, strategies=["margin", "entropy", "random"]))
    assert len(plan.arms) == 6
    (record,) = caplog.records
    assert "so margin and entropy do nothing" in record.getMessage()
    caplog.clear()
    api.plan_sweep(without(pool, strategies=["random", "learning_loss"]))
    assert not caplog.records, "it trains a loss predictor"


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ({"training.mode": ["finetune", "scratch"]}, "mode=scratch are the same fit"),
        ({"query": [5, 6]}, "own settings and query=6 are the same fit, .* or give --rounds"),
        ({"training.batch_norm": ["live", "frozen"]}, "the same fit"),
    ],
)
def test_variants_that_differ_in_rounds_only_are_refused(pool, vary, message):
    with pytest.raises(SpecError, match=message):
        api.plan_sweep(without(pool, vary=vary))
    api.plan_sweep(without(pool, vary=vary, rounds=2))


def test_each_run_says_how_many_parameters_its_network_has(pool, tmp_path):
    study = api.sweep(without(pool, full_data=True), results=tmp_path)
    prepared = api.plan_sweep(without(pool)).prepared
    for variant, width in (("width=4", 4), ("", 8)):
        network = build_network(ModelSpec(width=width), prepared)
        expected = sum(each.numel() for each in network.parameters())
        found = study.runs.loc[study.runs["variant"] == variant, "parameters"]
        assert found.tolist() == [expected] * 2, "the run on full data too"


def test_a_study_from_before_parameters_were_recorded_goes_on(pool, tmp_path):
    """Its other runs keep a row without them, however often it goes on."""
    first = api.sweep(without(pool, seeds=2, strategies=["random"]), results=tmp_path)
    with SweepStore(first.path) as store:
        runs = store.read_runs().drop(columns="parameters")
        store.write_runs([{str(k): v for k, v in row.items()} for row in runs.to_dict("records")])
    table = choice_of(first.rounds, runs, first.settings.model_dump())
    assert table["parameters"].isna().all()
    for _ in range(2):
        again = api.sweep(without(pool, strategies=["random"]), results=tmp_path)
        unknown = again.runs.loc[again.runs["parameters"].isna(), "seed"]
        assert unknown.tolist() == [1, 1]
    whole = api.sweep(without(pool, seeds=2, strategies=["random"]), results=tmp_path)
    assert whole.runs["parameters"].notna().all()
    assert_same_records(first, whole)
