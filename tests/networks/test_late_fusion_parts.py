"""Blocks, encoders and joins of late fusion against their definitions."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from alray.errors import SpecError
from alray.networks.blocks import GATE_BIAS, make_hidden
from alray.networks.generators import forked_rng, torch_generator
from alray.networks.joins import RANK, Attention, Gated, Product, Sum, make_join
from alray.networks.layers import seed_dropouts
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from tests.helpers.builders import everyone, make_network, make_pool, randomise
from tests.helpers.parts import NAMES, PARTS, THREE


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch_generator(seed))


def made(kind, inputs, outputs):
    with forked_rng(3):
        layer = make_hidden(kind, inputs, outputs, 0.5)
    randomise(layer)
    return layer.eval()


@pytest.mark.parametrize("outputs", [4, 6])
def test_blocks_are_what_their_papers_say(outputs):
    x = drawn(9, 6)
    for kind in ("residual", "highway"):
        layer = made(kind, 6, outputs)
        branch = functional.relu(x @ layer.linear.weight.T + layer.linear.bias)
        branch = layer.norm(branch)
        same = outputs == 6
        assert (layer.shortcut is None) is same
        passed = x if same else x @ layer.shortcut.weight.T
        if kind == "residual":
            wanted = branch + passed
        else:
            assert set(layer.gate.bias.tolist()) == {GATE_BIAS}
            assert GATE_BIAS < 0
            gate = 1 / (1 + torch.exp(-(x @ layer.gate.weight.T + layer.gate.bias)))
            wanted = gate * branch + (1 - gate) * passed
        torch.testing.assert_close(layer(x), wanted)


def test_in_training_a_mask_drops_the_branch_and_never_the_input():
    layer = made("residual", 6, 6).train()
    seed_dropouts(layer, torch_generator(1))
    x = drawn(50, 6)
    added = layer(x) - x
    assert 0.3 < (added == 0).float().mean() < 0.7


def encodings(seed=0):
    return [drawn(7, 3, seed=seed), drawn(7, 3, seed=seed + 1)]


def test_gates_attention_and_products_are_what_their_papers_say():
    a, b = encodings()
    with forked_rng(0):
        gated, attention = Gated([3, 3], 5), Attention([3, 3])
        full, low = Product([3, 3], 5), Product([70, 70], 5)
    both = torch.cat([a, b], 1) @ gated.gates.weight.T + gated.gates.bias
    (t, u) = (layer(x) for layer, x in zip(gated._hidden, (a, b), strict=True))
    wanted = both[:, :5].sigmoid() * t.tanh() + both[:, 5:].sigmoid() * u.tanh()
    torch.testing.assert_close(gated([a, b], [None, None]), wanted)

    scores = [attention.score(torch.tanh(attention.hidden(x))) for x in (a, b)]
    first = torch.exp(scores[0]) / (torch.exp(scores[0]) + torch.exp(scores[1]))
    torch.testing.assert_close(attention([a, b], [None, None]), first * a + (1 - first) * b)

    one = torch.ones(7, 1)
    outer = torch.einsum("ni,nj->nij", torch.cat([a, one], 1), torch.cat([b, one], 1))
    assert full.full
    assert full.width == 16
    torch.testing.assert_close(full([a, b], [None, None]), outer.flatten(1))

    assert not low.full
    x, y = drawn(4, 70), drawn(4, 70, seed=1)
    factors = [layer(z).view(4, RANK, 5) for layer, z in zip(low._factors, (x, y), strict=True)]
    torch.testing.assert_close(low([x, y], [None, None]), (factors[0] * factors[1]).sum(1))
    torch.testing.assert_close(Sum([3, 3])([a, b], [None, None]), a + b)


def test_attention_ignores_what_is_absent_and_an_object_with_nothing_is_zero():
    a, b = encodings()
    with forked_rng(0):
        attention = Attention([3, 3])
    rows = [torch.tensor([0, 1, 2]), torch.tensor([2, 3])]
    found = attention([a, b], rows)
    torch.testing.assert_close(found[:2], a[:2])
    torch.testing.assert_close(found[3], b[3])
    assert not found[4:].any()
    assert not torch.allclose(found[2], a[2])


def test_widths_that_do_not_fit_are_refused():
    for fusion in ("sum", "attention"):
        with pytest.raises(SpecError, match=r"image 9, text 5.*encoder mlp or linear"):
            make_join(fusion, {"image": 9, "text": 5}, 8)
    with pytest.raises(SpecError, match="one width"):
        make_network(make_pool(), encoder="none", fusion="sum")


@pytest.mark.parametrize(("dimensions", "model"), PARTS, ids=NAMES)
def test_an_object_is_scored_alike_alone_and_among_others(dimensions, model):
    pool = make_pool(dimensions=dimensions, absent=0.4)
    network = make_network(pool, randomised=True, **model).eval()
    tensors = PoolTensors(pool)
    outputs = network(tensors.batch(everyone(pool)))
    alone = [network(tensors.batch(np.array([i]))).heads[FUSED].values for i in range(len(pool))]
    torch.testing.assert_close(outputs.heads[FUSED].values, torch.cat(alone))
    assert tuple(tap.values.shape[1] for tap in outputs.taps) == network.tap_sizes
    assert outputs.features.shape == (len(pool), 8)
    sides = () if model["fusion"] == "early" else tuple(dimensions)
    assert network.head_names == (FUSED, *sides)


@pytest.mark.parametrize(("dimensions", "model"), PARTS, ids=NAMES)
def test_every_weight_learns(dimensions, model):
    pool = make_pool(dimensions=dimensions, absent=0.4)
    network = make_network(pool, randomised=True, **model).train()
    seed_dropouts(network, torch_generator(0))
    outputs = network(PoolTensors(pool).batch(everyone(pool)))
    sum(head.values.square().sum() for head in outputs.heads.values()).backward()
    # Attention gives what is absent no weight, so its vectors are never used.
    unused = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert all(name.endswith("absent") for name in unused)
    assert bool(unused) is (model["fusion"] == "attention")


def test_the_usual_parts_are_the_network_that_they_were():
    network = make_network(make_pool(dimensions=THREE))
    assert network.plain
    assert network.join is None
    names = {name.partition(".")[0] for name in network.state_dict()}
    assert names == {"_encoders", "fuse", "last", "output"}
    assert not make_network(make_pool(dimensions=THREE), fusion="sum").plain
    assert make_network(make_pool(dimensions={"a": 4}), fusion="sum").plain


def test_early_fusion_reads_all_features_by_one_encoder():
    network = make_network(make_pool(dimensions=THREE), fusion="early")
    assert [layer.linear.in_features for layer in network.hidden_layers()] == [54, 32, 16, 8]


def test_softmax_regression_is_one_matrix_on_all_features():
    pool = make_pool(dimensions=THREE, absent=0.4)
    network = make_network(pool, name="linear")
    linears = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linears] == [(54, 3)]
    batch = PoolTensors(pool).batch(everyone(pool))
    for parameter in network._absent:
        nn.init.normal_(parameter)
    rows = []
    for i in range(len(pool)):
        one = PoolTensors(pool).batch(np.array([i]))
        parts = [
            one.features[name][0] if len(one.features[name]) else absent
            for name, absent in zip(THREE, network._absent, strict=True)
        ]
        rows.append(network.output(torch.cat(parts)))
    torch.testing.assert_close(network(batch).heads[FUSED].values, torch.stack(rows))
