"""Products by oneDNN: their sums, and how few shapes they meet, since each costs time and memory."""

import numpy as np
import pytest
import torch

from alray import onednn
from alray.fitting import fit
from alray.onednn import linear, product, round_up, shapes_vary
from alray.passes import Request
from alray.signals import Committee
from alray.tensors import PoolTensors
from alray.torch_random import torch_generator
from tests.builders import make_learner, make_network, make_pool
from tests.scoring import scored

needs_onednn = pytest.mark.skipif(
    onednn._ONEDNN is None, reason="this build of PyTorch has no oneDNN"
)


@pytest.fixture
def shapes(monkeypatch):
    """The shapes that oneDNN is asked for."""
    seen = set()
    real = onednn._ONEDNN
    assert real is not None

    def spy(x, weight, *others):
        seen.add((*x.shape, len(weight)))
        return real(x, weight, *others)

    monkeypatch.setattr(onednn, "_ONEDNN", spy)
    return seen


@pytest.mark.parametrize(
    ("size", "step", "expected"), [(0, 4, 0), (1, 4, 4), (4, 4, 4), (5, 4, 8)]
)
def test_rounding_up(size, step, expected):
    assert round_up(size, step) == expected


@needs_onednn
def test_in_a_context_where_shapes_vary_it_is_not_asked(shapes):
    rng = np.random.default_rng(0)
    x, weight = (torch.from_numpy(rng.normal(size=size)) for size in ((5, 3), (4, 3)))
    bias = torch.arange(4.0, dtype=torch.float64)
    expected = x @ weight.T + bias
    with shapes_vary():
        torch.testing.assert_close(linear(x, weight, bias), expected)
        torch.testing.assert_close(linear(x, weight, bias, rectified=True), expected.relu())
        torch.testing.assert_close(product(x, weight.T), x @ weight.T)
        assert not shapes
    found = linear(x.float(), weight.float(), bias.float())
    torch.testing.assert_close(found, expected.float())
    assert shapes == {(5, 3, 4)}


@needs_onednn
def test_it_is_asked_again_after_an_error_in_such_a_context(shapes):
    with pytest.raises(ZeroDivisionError), shapes_vary():
        raise ZeroDivisionError
    linear(torch.ones(2, 3), torch.ones(4, 3))
    assert shapes


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
def test_a_fit_whose_batches_grow_asks_for_none(shapes):
    pool = make_pool(200)
    learner = make_learner(pool)
    fit(
        learner,
        PoolTensors(pool),
        pool.train,
        epochs=1,
        rng=np.random.default_rng(0),
        dropout=torch_generator(0),
    )
    assert not shapes
