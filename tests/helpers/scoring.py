"""The engine as tests call it."""

import torch

from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.scoring import engine
from alray.scoring.plain import ModulePass
from tests.helpers.builders import everyone


def assert_close(actual, expected):
    """Allow for float32 rounding of sums of up to a hundred terms of size one, through five layers."""
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5, equal_nan=True)


def scored(network, pool, request, indices=None, seed=0, predictor=None):
    """Score by the engine, all objects unless some are given."""
    objects = everyone(pool) if indices is None else indices
    generator = torch_generator(seed)
    return engine.score(network, PoolTensors(pool), objects, request, generator, predictor)


def scored_plainly(monkeypatch, *arguments, **options):
    """Score by calling the network itself."""
    with monkeypatch.context() as patch:
        patch.setattr(engine, "_fastest_pass", ModulePass)
        return scored(*arguments, **options)
