"""The engine as tests call it."""

import dataclasses

import torch

from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.scoring import engine
from alray.scoring.plain import ModulePass
from alray.strategies.signals import Signals
from tests.helpers.builders import everyone

SIGNAL_NAMES = [f.name for f in dataclasses.fields(Signals) if f.name not in engine.NOT_OF_BLOCKS]


def assert_close(actual, expected):
    """Allow for float32 rounding of sums of up to a hundred terms of size one, through five layers."""
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5, equal_nan=True)


def assert_same_signals(actual, expected):
    """The same signals of the same objects, to rounding."""
    assert actual.candidates.tolist() == expected.candidates.tolist()
    for name in (*SIGNAL_NAMES, "side_log_probs"):
        assert_close(getattr(actual, name), getattr(expected, name))


def scored(network, pool, request, indices=None, seed=0, predictor=None):
    """Score by the engine, all objects unless some are given."""
    objects = everyone(pool) if indices is None else indices
    generator = torch_generator(seed)
    return engine.score(network, PoolTensors(pool), objects, request, generator, predictor)


def scored_plainly(monkeypatch, *arguments, **options):
    """Score by calling the network itself."""
    with monkeypatch.context() as patch:
        # No setting chooses the slow pass.
        patch.setattr(engine, "_fastest_pass", ModulePass)
        return scored(*arguments, **options)


def assert_scored_as_the_module(monkeypatch, *arguments, **options):
    """Score both ways, the same to rounding; return the engine's signals."""
    found = scored(*arguments, **options)
    assert_same_signals(found, scored_plainly(monkeypatch, *arguments, **options))
    return found
