"""Products by oneDNN: their sums, and how few shapes they meet, since each costs time and memory."""

import numpy as np
import pytest
import torch

from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.networks.kernels import few_sizes, padded_rows, round_up
from alray.networks.tensors import PoolTensors
from alray.scoring.request import Request
from alray.strategies.signals import Committee
from alray.training.fit import Draws, FitOptions, fit
from tests.helpers.builders import make_learner, make_network, make_pool
from tests.helpers.scoring import scored

needs_onednn = pytest.mark.skipif(
    kernels._ONEDNN is None, reason="this build of PyTorch has no oneDNN"
)


@pytest.fixture
def shapes(monkeypatch):
    """The shapes that oneDNN is asked for."""
    seen = set()
    real = kernels._ONEDNN
    assert real is not None

    def spy(x, weight, *others):
        seen.add((*x.shape, len(weight)))
        return real(x, weight, *others)

    monkeypatch.setattr(kernels, "_ONEDNN", spy)
    return seen


@pytest.mark.parametrize(
    ("size", "step", "expected"), [(0, 4, 0), (1, 4, 4), (4, 4, 4), (5, 4, 8)]
)
def test_rounding_up(size, step, expected):
    assert round_up(size, step) == expected


def test_there_are_eight_sizes_per_doubling():
    assert [few_sizes(size) for size in (0, 1, 7, 8, 64, 65, 72, 73, 512, 580)] == [
        0, 1, 7, 8, 64, 72, 72, 80, 512, 640,
    ]  # fmt: skip
    sizes = {few_sizes(size) for size in range(256, 1024)}
    assert len(sizes) == 17
    assert all(size <= few_sizes(size) <= 1.125 * size for size in range(1, 3000))


def test_room_is_rows_of_zeros_after_the_matrix():
    matrix = torch.arange(6.0).reshape(3, 2)
    roomy = padded_rows(matrix, 5)
    torch.testing.assert_close(roomy[:3], matrix, rtol=0, atol=0)
    assert roomy.shape == (5, 2)
    assert not roomy[3:].any()
    assert padded_rows(matrix, 3) is matrix


@needs_onednn
def test_committees_of_many_rounds_meet_few_shapes(shapes):
    """Members keep other units in each round, and there are fewer objects in each."""
    pool = make_pool(700, {"image": 9, "text": 40}, absent=0.3)
    network = make_network(pool, width=128)
    for number in range(6):
        indices = np.arange(600 - 7 * number)
        scored(network, pool, Request(committee=Committee(5)), indices, seed=number)
    first = len(shapes)
    for number in range(6, 12):
        indices = np.arange(600 - 7 * number)
        scored(network, pool, Request(committee=Committee(5)), indices, seed=number)
    assert len(shapes) < 200
    assert len(shapes) < 1.3 * first
    assert all(rows % 256 == 0 for rows, *_ in shapes)


@needs_onednn
def test_fits_whose_batches_grow_meet_few_shapes(shapes):
    pool = make_pool(700, {"image": 9, "text": 40}, absent=0.3)
    learner = make_learner(pool)

    def meet(labelled):
        draws = Draws(np.random.default_rng(0), torch_generator(0))
        fit(learner, PoolTensors(pool), pool.train[:labelled], draws, FitOptions(epochs=1))
        return len(shapes)

    meet(256)
    first = meet(250)
    # 250 and 253 objects take the room of 256; of each modality there are fewer, as many as chance wants.
    assert meet(253) <= 1.5 * first
    assert meet(256) <= 1.5 * first
