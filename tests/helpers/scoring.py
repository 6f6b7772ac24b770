"""The engine as tests call it."""

import torch

from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.scoring.engine import score
from alray.scoring.plain import ModulePass
from tests.helpers.builders import everyone


def assert_close(actual, expected):
    """Allow for float32 rounding of sums of up to a hundred terms of size one, through five layers."""
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5, equal_nan=True)


def scored(network, pool, request, indices=None, seed=0):
    """Score as the engine does."""
    wanted = everyone(pool) if indices is None else indices
    return score(network, PoolTensors(pool), wanted, request, torch_generator(seed))


def plain_way(network, pool, request, *, rough):
    """Score by calling the module: stands in for the choice of the fastest way."""
    assert not rough
    return ModulePass(network, pool, request)
