"""Kernels against the documented way to do the same, and how few shapes oneDNN meets: each costs time and memory."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from alray.networks import kernels
from alray.networks.generators import torch_generator
from alray.networks.kernels import few_sizes, padded_rows
from alray.networks.products import SCORING, Products
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.strategies.signals import Committee, Request
from alray.training.fit import Draws, FitOptions, fit
from tests.helpers.builders import make_learner, make_network, make_pool
from tests.helpers.scoring import scored

ONEDNN = {"onednn_linear", "bf16_supported"} | kernels.INT8
needs_onednn = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason="this build of PyTorch has no oneDNN"
)


def normal(*size, seed=0):
    return torch.randn(size, generator=torch_generator(seed))


def test_the_kernels_of_this_build_are_named():
    every = {*kernels.PATHS, "hooks"}
    onednn = ONEDNN if torch.backends.mkldnn.is_available() else set()
    assert kernels.available() == (every - ONEDNN) | onednn
    assert every >= kernels.INT8 | {"fused_adam"} | kernels.GRADIENTS | kernels.HOOKS


# What a build lacks is looked up when the module is imported: only its private functions look again.
@pytest.mark.parametrize("name", kernels.PATHS)
def test_a_kernel_that_a_build_lacks_is_not_available(monkeypatch, name):
    monkeypatch.setitem(kernels.PATHS, name, f"{kernels.PATHS[name]}_of_another_version")
    missing = kernels._find(kernels.PATHS[name])
    assert missing is None
    monkeypatch.setitem(kernels.FOUND, name, missing)
    assert name not in kernels.available()
    with pytest.raises(RuntimeError, match="of_another_version"):
        kernels._kernel(name)


def test_a_build_without_lists_of_hooks_does_not_name_them(monkeypatch):
    monkeypatch.setattr(nn, "Identity", object)
    assert "hooks" not in kernels.available()


@pytest.mark.usefixtures("products")
def test_products_are_those_of_float64_to_rounding():
    by = SCORING
    x, weight, bias = (
        normal(*size, seed=seed).double() for seed, size in enumerate([(33, 20), (7, 20), (7,)])
    )
    single = [tensor.float() for tensor in (x, weight, bias)]
    expected = x @ weight.t() + bias
    for found, wanted in [
        (by.linear(*single), expected),
        (by.linear(*single, rectified=True), expected.clamp(min=0)),
        (by.linear(*single[:2]), x @ weight.t()),
        (by.product(single[0], single[1].t()), x @ weight.t()),
        (by.product(single[0].t(), single[0]), x.t() @ x),
        (by.linear(single[0][:, :9], single[1][:, :9]), x[:, :9] @ weight[:, :9].t()),
    ]:
        # Sums of 33 products of size one: an error of a few units of 6e-8.
        torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-5)


def test_a_slice_of_columns_is_copied_first():
    """Products do not show it: oneDNN takes a slice too, but slowly."""
    whole = torch.zeros(4, 6)
    assert kernels._dense(whole) is whole
    assert kernels._dense(transposed := whole.t()) is transposed
    assert kernels._dense(whole[:, :3]).is_contiguous()


@needs_onednn
def test_int8_sums_are_those_of_integers():
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(0, 256, (300, 96), dtype=np.uint8))
    levels = torch.from_numpy(rng.integers(-127, 128, (64, 96), dtype=np.int8))
    steps, bias = torch.rand(64, generator=torch_generator(0)) / 100, normal(64)
    step, zero = 0.125, 128
    weights = kernels.int8_weights(levels, steps, bias)
    sums = (x.long() - zero) @ levels.long().t()
    expected = sums.double() * step * steps + bias
    found = kernels.int8_linear(x, step, zero, weights)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)
    rectified = kernels.int8_linear(x, step, zero, weights, 0.5)
    assert rectified.dtype == torch.uint8
    near = (expected / 0.5).clamp(0, 255)
    # Half a level of rounding, and a little for sums in float32 next to a half.
    assert (rectified.double() - near).abs().max() < 0.501


@pytest.mark.parametrize("live", [True, False])
def test_batch_norm_is_that_of_torch_forward_and_backward(live):
    norms = [nn.BatchNorm1d(5, momentum=0.3, eps=1e-3).train(live) for _ in range(2)]
    names = ("weight", "bias", "running_mean")
    state = {name: normal(5, seed=seed) for seed, name in enumerate(names)}
    x, gradient = normal(9, 5, seed=3), normal(9, 5, seed=4)
    expected_x = x.clone().requires_grad_()
    found, reference = norms
    for norm in norms:
        norm.load_state_dict(state, strict=False)
    expected = reference(expected_x)
    expected.backward(gradient)
    with torch.no_grad():
        step = kernels.NormStep(found, x, live=live)
        torch.testing.assert_close(step.output, expected)
        torch.testing.assert_close(step.backward(gradient), expected_x.grad)
    for name in ("weight", "bias"):
        torch.testing.assert_close(getattr(found, name).grad, getattr(reference, name).grad)
    torch.testing.assert_close(found.state_dict(), reference.state_dict())


def test_a_relu_has_its_gradient():
    x, gradient = normal(6, 4), normal(6, 4, seed=1)
    x[0, 0] = 0
    x.requires_grad_()
    rectified = functional.relu(x)
    rectified.backward(gradient)
    with torch.no_grad():
        assert torch.equal(kernels.relu_backward(gradient, rectified), x.grad)


@pytest.mark.parametrize(
    ("register", "direction"),
    [
        ("register_forward_hook", "forward"),
        ("register_forward_pre_hook", "forward"),
        ("register_full_backward_hook", "backward"),
        ("register_full_backward_pre_hook", "backward"),
    ],
)
def test_hooks_are_found(register, direction):
    layer = nn.Linear(2, 2)
    other: Any = {"forward": "backward", "backward": "forward"}[direction]
    hook = getattr(layer, register)(lambda *_: None)
    assert kernels.has_hooks(layer, direction)
    assert not kernels.has_hooks(layer, other)
    hook.remove()
    assert not kernels.has_hooks(layer, direction)


def test_there_are_eight_sizes_per_doubling():
    assert [few_sizes(size) for size in (0, 1, 7, 8, 64, 65, 72, 73, 512, 580)] == [
        0, 1, 7, 8, 64, 72, 72, 80, 512, 640,
    ]  # fmt: skip
    sizes = {few_sizes(size) for size in range(256, 1024)}
    assert len(sizes) == 17
    assert all(size <= few_sizes(size) <= 1.125 * size for size in range(1, 3000))


def test_padding_is_rows_of_zeros_after_the_matrix():
    matrix = torch.arange(6.0).reshape(3, 2)
    padded = padded_rows(matrix, 5)
    torch.testing.assert_close(padded[:3], matrix, rtol=0, atol=0)
    assert padded.shape == (5, 2)
    assert not padded[3:].any()
    assert padded_rows(matrix, 3) is matrix


@pytest.fixture
def shapes(monkeypatch):
    """The shapes that oneDNN meets."""
    seen = set()
    real = kernels.FOUND["onednn_linear"]
    assert real is not None

    def spy(x, weight, *others):
        seen.add((*x.shape, len(weight)))
        return real(x, weight, *others)

    monkeypatch.setitem(kernels.FOUND, "onednn_linear", spy)
    return seen


@needs_onednn
def test_only_products_by_onednn_call_it_and_keep_to_few_shapes(shapes):
    x = normal(3, 2)
    by_blas, by_onednn = Products("blas"), Products("onednn")
    by_blas.linear(x, x)
    assert shapes == set()
    by_onednn.linear(x, x)
    assert shapes == {(3, 2, 3)}
    assert (by_blas.few_sizes(65), by_onednn.few_sizes(65)) == (65, 72)


@needs_onednn
def test_committees_of_many_rounds_meet_few_shapes(shapes):
    """Members keep other units in each round, and there are fewer objects in each."""
    pool = make_pool(700, {"image": 9, "text": 40}, absent=0.3)
    network = make_network(pool, width=128)
    request = Request(log_probs=True, committee=Committee(5))
    met = []
    for number in range(12):
        scored(network, pool, request, np.arange(600 - 7 * number), seed=number)
        met.append(len(shapes))
    assert met[-1] < 200
    assert met[-1] < 1.3 * met[5]
    assert all(rows % 256 == 0 for rows, *_ in shapes)


@needs_onednn
def test_fits_whose_batches_grow_meet_few_shapes(shapes):
    pool = make_pool(700, {"image": 9, "text": 40}, absent=0.3)
    learner = make_learner(pool)

    def meet(labelled):
        draws = Draws(np.random.default_rng(0), torch_generator(0))
        fit(learner, PoolTensors(pool), Known(pool.train[:labelled]), draws, FitOptions(epochs=1))
        return len(shapes)

    meet(256)
    first = meet(250)
    # 250 and 253 objects are padded to 256 rows; of each modality there are fewer, a random number of them.
    assert meet(253) <= 1.5 * first
    assert meet(256) <= 1.5 * first
