"""Predictions with inputs dropped: masks of their own for each object, whatever else is scored."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.scoring import input_dropout
from alray.scoring.input_dropout import Masks, dropped_classes
from alray.scoring.plain import ModulePass
from alray.strategies.signals import InputDropout
from tests.helpers.builders import everyone, image_pool, make_network, make_pool, with_scaling

DROPOUT = InputDropout(0.5, 4)
ONE = {"text": 5}


def rng(seed=0):
    return np.random.default_rng(seed)


def dropped(network, pool, objects=None, dropout=DROPOUT, seed=0):
    chosen = everyone(pool) if objects is None else objects
    return dropped_classes(network, PoolTensors(pool), chosen, dropout, rng(seed))


def test_masks_drop_the_share_and_keep_the_mean():
    mask = Masks(0.75, rng()).of(np.arange(1000), 64, 0, 0)
    assert set(mask.unique().tolist()) == {0.0, 4.0}
    # Five standard deviations of a share of 64,000.
    assert abs(float((mask == 0).float().mean()) - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 64_000)
    assert abs(float((mask == 0).float().mean(0).std())) < 0.03


def test_a_mask_is_that_of_its_object_modality_and_time_alone():
    masks = Masks(0.5, rng())
    whole = masks.of(np.arange(2000), 7, 1, 2)
    order = np.random.default_rng(1).permutation(2000)[:300]
    assert torch.equal(masks.of(order, 7, 1, 2), whole[order])
    others = [masks.of(np.arange(2000), 7, *which) for which in ((0, 2), (1, 0), (2, 1))]
    others.append(Masks(0.5, rng(1)).of(np.arange(2000), 7, 1, 2))
    assert all(not torch.equal(other, whole) for other in others)
    assert not torch.equal(whole[:256], whole[256:512])


@pytest.mark.parametrize("rate", [1e-9, 1 - 1e-9])
def test_a_rate_next_to_0_or_1_keeps_and_drops_some(rate):
    mask = Masks(rate, rng()).of(np.arange(256), 2000, 0, 0)
    assert 0 < int((mask == 0).sum()) < mask.numel()


def test_classes_are_those_of_the_network_for_the_dropped_features():
    pool = make_pool(60, ONE, absent=0.0)
    network = make_network(pool, name="linear").eval()
    found = dropped(network, pool)
    tensors, masks = PoolTensors(pool), Masks(0.5, rng())
    for time in range(4):
        batch = tensors.batch(everyone(pool))
        batch.features["text"].mul_(masks.of(everyone(pool), 5, 0, time))
        expected = network(batch).heads["fused"].values.argmax(1)
        assert found[:, time].tolist() == expected.tolist()
    assert len({tuple(column.tolist()) for column in found.T}) == 4


NETWORKS: dict[str, Callable[[], tuple[dict[str, Any], PreparedPool]]] = {
    "late_fusion": lambda: ({"width": 32}, with_scaling(make_pool(400, absent=0.4))),
    "linear": lambda: ({"name": "linear"}, make_pool(400, absent=0.4)),
    "own": lambda: ({"name": "tests.helpers.own_modules:OwnNetwork"}, make_pool(400, absent=0.4)),
    "cnn": lambda: ({"name": "cnn"}, image_pool()),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_neither_blocks_nor_other_objects_change_anything(monkeypatch, name):
    settings, pool = NETWORKS[name]()
    network = make_network(pool, **settings)
    whole = dropped(network, pool)
    assert whole.shape == (len(pool), 4)
    assert len(whole.unique()) > 1
    order = np.random.default_rng(0).permutation(len(pool))[: len(pool) // 2]
    assert torch.equal(dropped(network, pool, order), whole[order])
    monkeypatch.setattr(ModulePass, "block_size", 7)
    assert torch.equal(dropped(network, pool), whole)


def test_an_absent_modality_changes_nothing():
    """An object without its picture is predicted alike, whether others have theirs or not; its text is masked alike."""
    pool = make_pool(300, absent=0.5)
    network = make_network(pool, width=32)
    text_alone = np.flatnonzero(~pool.modalities[0].present)
    assert len(text_alone) > 30
    whole = dropped(network, pool)
    assert len(whole[text_alone].unique()) > 1
    assert torch.equal(dropped(network, pool, text_alone), whole[text_alone])


def test_it_changes_nothing_in_the_pool_and_draws_by_its_generator_alone():
    pool = make_pool()
    network = make_network(pool, width=32)
    before = pool.checksum()
    one, same, other = (dropped(network, pool, seed=seed) for seed in (3, 3, 4))
    assert pool.checksum() == before
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert dropped(network, pool, everyone(pool)[:0]).shape == (0, 4)


def test_chunks_are_part_of_what_a_seed_means():
    """Another size would change the records of studies that exist."""
    assert input_dropout.CHUNK == 256
    assert Masks(0.5, rng()).of(np.array([0, 300]), 6, 0, 0).tolist() == PINNED


PINNED = [[0.0, 2.0, 0.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0, 0.0, 2.0]]
