"""The cached scorer: what the engine gives, from features that were gathered once."""

import numpy as np
import pytest
import torch

from alray.networks.tensors import PoolTensors
from alray.scoring.cached import BLOCK, CachedScorer
from alray.scoring.engine import score
from alray.strategies.signals import Request
from tests.helpers.builders import TWO, make_network, make_pool
from tests.helpers.scoring import assert_close


@pytest.mark.parametrize("dimensions", [TWO, {"text": 5}])
def test_the_cached_scorer_gives_what_the_engine_gives(dimensions):
    pool = make_pool(2 * BLOCK + 77, dimensions)
    tensors = PoolTensors(pool)
    indices = np.random.default_rng(0).permutation(len(pool))[: 2 * BLOCK + 50]
    scorer = CachedScorer(tensors, indices)
    for seed in range(2):
        network = make_network(pool, seed, randomised=True)
        expected = score(network, tensors, indices, Request(log_probs=True)).log_probs
        found = scorer.log_probs(network)
        assert_close(found, expected)
        assert torch.equal(found, scorer.log_probs(network))


def test_no_objects_have_no_log_probabilities():
    pool = make_pool()
    scorer = CachedScorer(PoolTensors(pool), np.empty(0, dtype=np.int64))
    assert scorer.log_probs(make_network(pool)).shape == (0, pool.class_count)
