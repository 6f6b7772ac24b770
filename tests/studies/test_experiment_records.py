"""The records of a run's rounds: their columns, metrics and seconds."""

import math
from dataclasses import replace

import numpy as np
import pytest

from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score
from alray.strategies.base import given
from alray.strategies.signals import Request
from alray.studies.sweep.records import HEAD_COLUMNS, ROUND_COLUMNS, RUN_COLUMNS, TIMING_COLUMNS
from tests.helpers.builders import make_pool, one_run
from tests.helpers.experiments import POOL, complete, experiment


@pytest.mark.parametrize("split", ["test", "validation"])
def test_metrics_are_those_of_the_chosen_part(split):
    running = experiment(one_run(POOL, metric_split=split))
    record = running.passive().record
    part = {"test": POOL.test, "validation": POOL.validation}[split]
    network, tensors = running.learner.network, PoolTensors(POOL)
    request = Request(log_probs=True, side_heads=network.head_names[1:])
    found = score(network, tensors, part, request)
    right = given(found.log_probs).argmax(dim=1).numpy() == POOL.labels[part]
    assert record["accuracy"] == right.mean()
    for modality in POOL.modalities:
        present = modality.present[part]
        predicted = found.side_log_probs[modality.name].argmax(dim=1).numpy()
        expected = (predicted == POOL.labels[part])[present].mean()
        assert record[f"accuracy_{modality.name}"] == pytest.approx(expected)
    same = [record[name] == record[f"validation_{name}"] for name in ("accuracy", "nll", "ece")]
    assert all(same) == (split == "validation")


def test_a_head_without_objects_to_evaluate_has_no_accuracy():
    pool = make_pool(absent=0.0)
    image, text = pool.modalities
    rows = image.rows.copy()
    rows[pool.test] = -1
    changed = replace(pool, modalities=(replace(image, rows=rows), text))
    record = experiment(one_run(changed), changed).passive().record
    assert math.isnan(record["accuracy_image"])
    assert not math.isnan(record["accuracy_text"])


def test_a_record_has_the_documented_columns():
    results, _ = complete(one_run(POOL))
    heads = [FUSED, *(modality.name for modality in POOL.modalities)]
    fixed = set(ROUND_COLUMNS) - set(RUN_COLUMNS)
    extra = {f"sigma_{name}" for name in heads} | {f"accuracy_{name}" for name in heads[1:]}
    assert len(HEAD_COLUMNS) == 2
    for result in results:
        assert set(result.record) == fixed | extra


def test_seconds_are_those_of_the_clock():
    record = complete(one_run(POOL))[0][1].record
    # The clock ticks once a look: before and after the query, before the fit, before and after the evaluation.
    assert [record[name] for name in TIMING_COLUMNS] == [1, 1, 1]


@pytest.mark.parametrize("split", ["test", "validation"])
def test_rare_recall_is_that_of_the_rarest_class_of_the_train_part(split):
    # Classes are equally large in the whole pool, where the first one would count as the rarest.
    pool = make_pool(seed=3, separation=1.0)
    assert np.bincount(pool.labels[pool.train]).argmin() > 0
    training = {"passive_epochs": 8, "lr": 0.01}
    run = one_run(pool, metric_split=split, training=training, initial=40)
    running = experiment(run, pool)
    found = running.passive().record["rare_recall"]
    part = pool.test if split == "test" else pool.validation
    rarest = np.bincount(pool.labels[pool.train]).argmin()
    rare = part[pool.labels[part] == rarest]
    scored = score(running.learner.network, PoolTensors(pool), rare, Request(log_probs=True))
    assert len(rare) > 0
    predicted = given(scored.log_probs).argmax(dim=1).numpy()
    assert found == pytest.approx(np.mean(predicted == rarest))


def test_rare_recall_is_undefined_where_the_rarest_class_does_not_occur():
    rarest = np.bincount(POOL.labels[POOL.train]).argmin()
    without = replace(POOL, test=POOL.test[POOL.labels[POOL.test] != rarest])
    assert math.isnan(experiment(one_run(without), without).passive().record["rare_recall"])
