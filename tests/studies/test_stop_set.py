"""The stop set's columns, against their definitions, in all rounds, and where a run goes on."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from alray import api
from alray.networks.tensors import PoolTensors
from alray.reporting.stopping import stopping
from alray.scoring.evaluation import predict
from alray.settings.run import RunSpec
from alray.studies.rounds import stop_set
from alray.studies.rounds.stop_set import NOT_PREDICTED, StopSet, cohens_kappa
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.state import RunState
from alray.studies.sweep.store import SweepStore
from tests.helpers.builders import one_run, same_tensors
from tests.helpers.experiments import POOL, complete, experiment
from tests.helpers.studies import settings

LEARNS = {"training": {"passive_epochs": 8, "lr": 0.01}, "initial": 40}
RUN = one_run(POOL, query=6, rounds=4, **LEARNS)
COLUMNS = list(NOT_PREDICTED)


def log_probs(rng, n=40, classes=3, scale=2.0):
    return torch.log_softmax(torch.from_numpy(rng.normal(size=(n, classes)) * scale), 1).float()


def kappa_by_pairs(one, other):
    """Return Cohen's kappa by what two random objects would agree in."""
    observed = np.mean([a == b for a, b in zip(one, other, strict=True)])
    expected = np.mean([a == b for a, b in itertools.product(one, other)])
    return (observed - expected) / (1 - expected)


def test_the_columns_are_what_they_are_defined_to_be():
    rng = np.random.default_rng(0)
    measured, before = StopSet(RUN), None
    for number in range(3):
        parts = log_probs(rng), log_probs(rng, 25)
        found = measured.of(parts)
        probs = torch.cat(parts).double().exp().numpy()
        predicted, highest = probs.argmax(1), probs.max(1)
        entropy = -(probs * np.log(probs)).sum(1) / np.log(3)
        assert list(found) == COLUMNS
        assert found["stop_objects"] == 65
        assert found["stop_entropy"] == pytest.approx(entropy.mean(), rel=1e-5)
        assert found["stop_max_entropy"] == pytest.approx(entropy.max(), rel=1e-5)
        assert found["stop_confidence"] == pytest.approx(highest.mean(), rel=1e-5)
        assert found["stop_median_confidence"] == pytest.approx(np.median(highest), rel=1e-5)
        assert found["stop_max_confidence"] == pytest.approx(highest.max(), rel=1e-5)
        if number == 0:
            assert math.isnan(found["stop_kappa"])
            assert math.isnan(found["stop_agreement"])
        else:
            assert found["stop_agreement"] == pytest.approx((before == predicted).mean())
            assert found["stop_kappa"] == pytest.approx(kappa_by_pairs(before, predicted))
        before = predicted


def test_kappa_is_one_for_equal_predictions_and_unknown_for_one_class_alone():
    assert cohens_kappa(np.array([0, 1, 2]), np.array([0, 1, 2]), 3) == 1.0
    assert math.isnan(cohens_kappa(np.array([1, 1]), np.array([1, 1]), 3))
    assert cohens_kappa(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), 2) == pytest.approx(0)
    assert cohens_kappa(np.array([0, 1]), np.array([1, 0]), 2) == pytest.approx(-1)


def test_a_large_pool_is_cut_to_the_same_objects_for_all_arms_of_a_seed(monkeypatch):
    monkeypatch.setattr(stop_set, "MOST", 20)
    rng = np.random.default_rng(1)
    parts = log_probs(rng), log_probs(rng, 25)
    margin, random = (one_run(POOL, strategies=[name]) for name in ("margin", "random"))
    other_seed = margin.model_copy(update={"seed": 5})

    def classes(run: RunSpec):
        measured = StopSet(run)
        assert measured.of(parts)["stop_objects"] == 20
        assert measured.predicted is not None
        return measured.predicted.tolist()

    assert classes(margin) == classes(random)
    assert classes(margin) != classes(other_seed)


@pytest.mark.parametrize("split", ["test", "validation"])
def test_it_is_of_what_the_round_evaluates(split):
    running = experiment(one_run(POOL, metric_split=split, **LEARNS))
    record = running.passive().record
    parts = [POOL.validation] if split == "validation" else [POOL.test, POOL.validation]
    found = predict(running.learner.network, PoolTensors(POOL), parts, ("fused",))
    expected = np.concatenate([each["fused"] for each in found]).argmax(1)
    state = running.state()
    assert state.predicted is not None
    assert record["stop_objects"] == len(expected)
    assert state.predicted.tolist() == expected.tolist()


def test_every_round_has_them_and_labels_play_no_part():
    results, _ = complete(RUN)
    shuffled = POOL.labels.copy()
    held_out = np.concatenate([POOL.test, POOL.validation])
    shuffled[held_out] = np.roll(shuffled[held_out], 7)
    fixed = RUN.model_copy(
        update={"training": RUN.training.model_copy(update={"stopping": "fixed_epochs"})}
    )
    with_truth, without = (
        complete(fixed, pool)[0] for pool in (POOL, replace(POOL, labels=shuffled))
    )
    for each, other in zip(with_truth, without, strict=True):
        assert [each.record[name] for name in COLUMNS] == pytest.approx(
            [other.record[name] for name in COLUMNS], abs=0, nan_ok=True
        )
    known = [math.isfinite(each.record["stop_agreement"]) for each in results]
    assert known == [False, True, True, True, True]
    assert math.isfinite(results[-1].record["stop_kappa"])
    assert all(math.isfinite(each.record["stop_entropy"]) for each in results)


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("stopped_after", range(4))
def test_a_run_that_goes_on_records_the_same_to_the_bit(stopped_after, every):
    run = one_run(POOL, query=6, rounds=4, evaluate_every=every, **LEARNS)
    results, states = complete(run)
    going_on = experiment(run, state=RunState.from_bytes(states[stopped_after]))
    for expected in results[stopped_after + 1 :]:
        found = going_on.next_round().record
        for name in COLUMNS:
            assert repr(found[name]) == repr(expected.record[name])
    found, expected = going_on.state(), RunState.from_bytes(states[-1])
    np.testing.assert_array_equal(found.predicted, expected.predicted)
    assert same_tensors(found.tensors, expected.tensors)


def test_a_state_of_an_older_alray_leaves_only_the_first_comparison_open():
    results, states = complete(RUN)
    old = replace(RunState.from_bytes(states[2]), predicted=None)
    going_on = experiment(RUN, state=RunState.from_bytes(old.to_bytes()))
    found = [going_on.next_round().record for _ in range(2)]
    assert math.isnan(found[0]["stop_kappa"])
    assert math.isnan(found[0]["stop_agreement"])
    assert found[0]["stop_entropy"] == results[3].record["stop_entropy"]
    assert found[1]["stop_kappa"] == results[4].record["stop_kappa"]


def test_a_round_without_evaluation_has_none_of_them():
    results, _ = complete(one_run(POOL, query=6, rounds=4, evaluate_every=2, **LEARNS))
    assert results[1].record["stop_objects"] is None
    assert math.isnan(results[1].record["stop_entropy"])
    assert math.isfinite(results[2].record["stop_agreement"])


def test_more_rounds_for_a_study_of_an_older_alray(pool, tmp_path):
    """Its rounds stay as they are; the first added one has nothing to compare with, and all else is the same."""
    spec = settings(pool, strategies=["margin"], seeds=1, rounds=2)
    whole = api.sweep({**spec, "rounds": 4}, results=tmp_path / "whole")
    begun = api.sweep(spec, results=tmp_path / "begun")
    with SweepStore(begun.path) as store:
        (run_id,) = begun.runs["run_id"]
        recorded = store.read_run(run_id)
        assert recorded is not None
        rounds, queries = recorded
        older = [{**row, **dict.fromkeys(COLUMNS)} for row in rounds.to_pylist()]
        store.write_run(run_id, older, queries.to_pylist())
        state = RunState.from_bytes(store.read_checkpoint(run_id))
        store.write_checkpoint(run_id, replace(state, predicted=None).to_bytes())
    longer = api.sweep({**spec, "rounds": 4}, results=tmp_path / "begun")
    assert longer.rounds["stop_objects"].isna().tolist() == [True] * 3 + [False] * 2
    assert longer.rounds["stop_agreement"].isna().tolist() == [True] * 4 + [False]
    expected, found = (
        each.rounds.drop(columns=[*COLUMNS, *TIMING_COLUMNS]) for each in (whole, longer)
    )
    pd.testing.assert_frame_equal(expected, found, check_exact=True)
    last, added = (each.rounds[COLUMNS].iloc[[-1]].astype(float) for each in (whole, longer))
    pd.testing.assert_frame_equal(last, added, check_exact=True)
    lacking = stopping(longer, rules=["classification_change"]).replay.lacking
    assert lacking == {"classification_change": ("stop_agreement",)}
