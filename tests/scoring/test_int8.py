"""Scales and layers in int8: near the exact ones."""

import numpy as np
import pytest
import torch

from alray.networks.kernels import has_int8
from alray.scoring.folding import Affine
from alray.scoring.int8 import Int8Affine, scale_of, signed_scale_of

pytestmark = pytest.mark.skipif(
    not has_int8(), reason="this build of PyTorch has no 8-bit products"
)


def test_a_scale_holds_what_it_was_made_for():
    x = torch.tensor([[-2.0, 0.5, 1.0, 0.0]])
    scale = signed_scale_of(x)
    assert scale.bytes_of(x.clone()).tolist() == [[1, 160, 192, 128]]
    assert scale.bytes_of(10 * x).tolist() == [[0, 255, 255, 128]]
    assert scale_of(torch.tensor([0.0, 5.1])).step == pytest.approx(0.02)
    assert scale_of(torch.tensor([0.5]), torch.tensor([2.55])).step == pytest.approx(0.01)
    assert scale_of(torch.zeros(3)).step > 0


def test_a_layer_is_near_the_exact_one():
    rng = np.random.default_rng(0)
    x, weight, bias = (
        torch.from_numpy(rng.normal(size=size).astype(np.float32))
        for size in ((256, 96), (64, 96), (64,))
    )
    # Outputs of very different sizes each have a scale of their own.
    affine = Affine(weight * torch.logspace(-3, 1, 64)[:, None], bias)
    exact = affine.rectified(x)
    inputs, outputs = signed_scale_of(x), scale_of(exact)
    layer = Int8Affine(affine, inputs, outputs)
    logits = layer(inputs.bytes_of(x.clone()))
    off = (logits - affine(x)).abs().mean(dim=0) / (affine(x) - bias).std(dim=0)
    assert logits.dtype == torch.float32
    assert 1e-4 < off.max() < 0.02
    rectified = layer.rectified(inputs.bytes_of(x.clone()))
    assert rectified.dtype == torch.uint8
    error = (rectified.float() * outputs.step - exact).abs().max()
    assert error < 0.02 * exact.max()
    last = Int8Affine(affine, inputs)
    assert torch.equal(last(inputs.bytes_of(x.clone())), logits)
    with pytest.raises(RuntimeError, match="without a scale for its outputs"):
        last.rectified(inputs.bytes_of(x.clone()))
