"""Evaluation of parts of the pool, which are scored in one pass."""

import math

import numpy as np
import pytest

from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.scoring.evaluation import evaluate, metrics_by_head, predict
from alray.scoring.folded import FoldedPass
from alray.scoring.metrics import measure
from alray.scoring.passes import RECURRING_ROW_STEP
from alray.strategies.base import given
from alray.strategies.signals import Request
from tests.helpers.builders import make_network, make_pool
from tests.helpers.scoring import assert_close, scored

HEADS = (FUSED, "image", "text")


@pytest.fixture
def pool():
    return make_pool(90, {"image": 9, "text": 7}, absent=0.3)


@pytest.fixture
def network(pool):
    return make_network(pool)


def test_each_part_has_the_predictions_of_its_objects(pool, network):
    parts = [pool.test, pool.validation[::-1]]
    request = Request(log_probs=True, side_heads=HEADS[1:])
    for part, found in zip(parts, predict(network, PoolTensors(pool), parts, HEADS), strict=True):
        expected = scored(network, pool, request, part)
        assert_close(found[FUSED], expected.log_probs.numpy())
        for head in HEADS[1:]:
            assert_close(found[head], expected.side_log_probs[head].numpy())


def test_a_head_is_measured_on_the_objects_that_have_its_modality(pool, network):
    (found,) = predict(network, PoolTensors(pool), [pool.test], HEADS)
    labels = pool.labels[pool.test]
    metrics = metrics_by_head(found, labels, HEADS)
    present = pool.modalities[0].present[pool.test]
    assert 0 < present.sum() < len(present)
    assert metrics["image"] == measure(found["image"][present], labels[present])
    assert metrics[FUSED] == measure(found[FUSED], labels)
    assert evaluate(network, PoolTensors(pool), pool.test).nll == pytest.approx(metrics[FUSED].nll)


def test_of_no_objects_nothing_is_known(pool, network):
    """A part without objects, and one without objects that have a modality, beside one that has both."""
    lacking = np.flatnonzero(~pool.modalities[0].present)
    parts = [pool.test, lacking, lacking[:0]]
    every, without, empty = (
        metrics_by_head(found, pool.labels[part], HEADS)
        for part, found in zip(
            parts, predict(network, PoolTensors(pool), parts, HEADS), strict=True
        )
    )
    assert not any(math.isnan(every[head].nll) for head in HEADS)
    assert math.isnan(without["image"].accuracy)
    assert not math.isnan(without[FUSED].accuracy)
    assert all(math.isnan(empty[head].accuracy) for head in HEADS)


def test_few_rows_are_added(pool, network, monkeypatch):
    """Objects are scored by their modalities: blocks are small, and the same each time."""
    rows = []
    real = FoldedPass.score_block

    def spy(self, indices):
        signals = real(self, indices)
        rows.append((len(indices), len(given(signals.log_probs))))
        return signals

    monkeypatch.setattr(FoldedPass, "score_block", spy)
    predict(network, PoolTensors(pool), [pool.test], (FUSED,))
    assert len(rows) > 1
    assert all(0 <= computed - objects < RECURRING_ROW_STEP for objects, computed in rows)
