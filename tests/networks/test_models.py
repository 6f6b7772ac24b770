import numpy as np
import pytest
import torch
from torch import nn

from alray.errors import SpecError
from alray.networks.generators import torch_generator
from alray.networks.layers import SeededDropout, seed_dropouts
from alray.networks.models import build_network
from alray.networks.network import FUSED
from alray.networks.tensors import PoolTensors
from alray.settings.common import ModelSpec
from tests.helpers.builders import (
    TWO,
    everyone,
    image_pool,
    make_network,
    make_pool,
    same_tensors,
    weights_of,
)

THREE = {"image": 9, "text": 5, "sound": 40}


def pattern_batches(pool):
    """Return a batch per presence pattern, and one of all objects."""
    tensors, objects = PoolTensors(pool), everyone(pool)
    parts = [positions for _, positions in tensors.by_pattern(objects)]
    return [tensors.batch(part) for part in [*parts, objects]]


def trained_on(network, batch):
    """Let one step's gradients flow."""
    seed_dropouts(network, torch_generator(0))
    network.train()
    sum(head.values.square().sum() for head in network(batch).heads.values()).backward()


def widths_of(network):
    linears = [layer.linear for layer in network.hidden_layers()]
    return [(linear.in_features, linear.out_features) for linear in linears]


def test_the_widths_of_the_study_that_the_network_comes_from():
    pool = make_pool(dimensions={"image": 1024, "text": 300}, classes=50)
    network = build_network(ModelSpec(), pool)
    encoders = [(1024, 512), (512, 256), (300, 256), (256, 256)]
    assert widths_of(network) == [*encoders, (512, 128), (128, 128)]
    assert [(layer.in_features, layer.out_features) for layer in network.modules()
            if isinstance(layer, nn.Linear) and layer.out_features == 50] == [
        (256, 50), (256, 50), (128, 50)]  # fmt: skip
    assert network.tap_sizes == (512, 256, 256, 256, 128, 128)


def test_an_encoder_is_wide_from_four_times_the_width_on_and_the_last_layer_drops_nothing():
    network = make_network(make_pool(dimensions={"narrow": 31, "wide": 32}))
    assert widths_of(network)[:3] == [(31, 16), (16, 16), (32, 32)]
    rates = [layer.dropout and layer.dropout.rate for layer in network.hidden_layers()]
    assert rates == [0.5] * 5 + [None]


@pytest.mark.parametrize("dimensions", [{"text": 5}, THREE], ids=len)
@pytest.mark.parametrize("heads", ["all", "one"])
def test_every_combination_of_modalities_passes(dimensions, heads):
    pool = make_pool(dimensions=dimensions, absent=0.4)
    network = make_network(pool, heads=heads).eval()
    side = tuple(dimensions) if heads == "all" and len(dimensions) > 1 else ()
    assert network.head_names == (FUSED, *side)
    learned = [name for name in network.state_dict() if name.endswith("absent")]
    assert len(learned) == (len(dimensions) if len(dimensions) > 1 else 0)
    batches = pattern_batches(pool)
    assert len(batches) == 2 ** len(dimensions)
    for batch in batches:
        outputs = network(batch)
        assert next(iter(outputs.heads)) == FUSED
        there = {name for name in side if len(batch.features[name])}
        assert set(outputs.heads) == {FUSED, *there}
        for name, head in outputs.heads.items():
            count = batch.size if name == FUSED else len(batch.features[name])
            assert head.values.shape == (count, 3)
        assert outputs.features is not None
        assert outputs.features.shape == (batch.size, 8)
        assert tuple(tap.values.shape[1] for tap in outputs.taps) == network.tap_sizes


def test_an_object_is_scored_alike_alone_and_among_objects_of_other_patterns():
    pool = make_pool(dimensions=THREE, absent=0.4)
    network = make_network(pool, randomised=True).eval()
    tensors = PoolTensors(pool)
    together = network(tensors.batch(everyone(pool))).heads[FUSED].values
    alone = [network(tensors.batch(np.array([i]))).heads[FUSED].values for i in range(len(pool))]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("missing", ["image", "text"])
def test_an_absent_modality_gets_no_gradient_and_no_statistics(missing):
    pool = make_pool(absent=0.5)
    without = np.flatnonzero(~pool.modalities[list(TWO).index(missing)].present)
    network = make_network(pool)
    encoders = dict(network.encoders())
    before = {name: weights_of(encoder) for name, encoder in encoders.items()}
    trained_on(network, PoolTensors(pool).batch(without))
    for name, encoder in encoders.items():
        assert same_tensors(weights_of(encoder), before[name]) == (name == missing)
    encoder = encoders[missing]
    gradients = {name: parameter.grad for name, parameter in encoder.named_parameters()}
    assert gradients.pop("absent") is not None
    assert set(gradients.values()) == {None}


def test_statistics_are_those_of_the_present_objects():
    pool = make_pool(absent=0.5)
    network = make_network(pool)
    batch = PoolTensors(pool).batch(everyone(pool))
    encoder = dict(network.encoders())["text"]
    wanted = torch.relu(encoder.first.linear(batch.features["text"])).mean(dim=0) * 0.1
    trained_on(network, batch)
    torch.testing.assert_close(encoder.first.norm.running_mean, wanted)


def test_modalities_may_be_called_anything_and_have_any_number_of_features():
    pool = make_pool(dimensions={"img.emb": 4, "keys": 1, "training": 3})
    network = make_network(pool).eval()
    assert network.head_names == (FUSED, "img.emb", "keys", "training")
    assert network(PoolTensors(pool).batch(everyone(pool))).heads[FUSED].values.shape == (120, 3)


def test_no_modality_may_be_called_like_the_main_head():
    with pytest.raises(SpecError, match="'fused'"):
        make_network(make_pool(dimensions={"fused": 4, "text": 3}))


@pytest.mark.parametrize("shape", [(8, 9), (3, 12, 10)])
def test_cnn(shape):
    pool = image_pool(shape=shape)
    network = make_network(pool, name="cnn", width=7).eval()
    outputs = network(PoolTensors(pool).batch(everyone(pool)))
    assert outputs.heads[FUSED].values.shape == (60, 2)
    assert outputs.features.shape == (60, 7)
    assert tuple(tap.values.shape[1] for tap in outputs.taps) == network.tap_sizes == (32, 32, 7)
    rates = [layer.rate for layer in network.modules() if isinstance(layer, SeededDropout)]
    assert rates == [0.25, 0.5]


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (make_pool(), "one image array"),
        (make_pool(dimensions={"text": 64}), "one image array"),
        (image_pool(shape=(7, 20)), "8 x 8"),
        (image_pool(shape=(2, 3, 8, 8)), "8 x 8"),
    ],
)
def test_cnn_names_its_needs(pool, message):
    with pytest.raises(SpecError, match=message):
        make_network(pool, name="cnn")


def test_a_custom_module():
    pool = make_pool(absent=0.4)
    network = make_network(
        pool, name="tests.helpers.own_modules:OwnNetwork", options={"width": 4}
    ).eval()
    outputs = network(PoolTensors(pool).batch(everyone(pool)))
    assert outputs.heads[FUSED].values.shape == (120, 3)
    assert network.head_names == (FUSED,)
    assert network.tap_sizes == ()
    assert network.get_parameter("module.first.weight").shape == (4, 14)
    assert [layer.rate for layer in network.modules() if isinstance(layer, SeededDropout)] == [0.5]


def test_a_module_that_draws_numbers_when_it_is_imported_changes_no_weights(tmp_path, monkeypatch):
    """The first network of a process equals the next ones."""
    (tmp_path / "drawing_module.py").write_text(
        "import torch\nfrom tests.helpers.own_modules import OwnNetwork\ntorch.rand(3)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    first, second = (make_network(make_pool(), name="drawing_module:OwnNetwork") for _ in range(2))
    assert same_tensors(weights_of(first), weights_of(second))


def test_a_custom_module_gets_dense_features_and_presence_masks():
    pool = make_pool(absent=0.4)
    network = make_network(pool, name="tests.helpers.own_modules:OwnNetwork")
    calls = []
    network.module.register_forward_pre_hook(lambda _, arguments: calls.append(arguments))
    network.eval()(PoolTensors(pool).batch(everyone(pool)))
    ((features, present),) = calls
    for modality in pool.modalities:
        x = features[modality.name].numpy()
        assert np.array_equal(present[modality.name].numpy(), modality.present)
        assert np.array_equal(x[modality.present], modality.features)
        assert (x[~modality.present] == 0).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("late_fusoin", "did you mean 'late_fusion'"),
        ("resnet", "valid are: late_fusion, linear, cnn"),
        ("no_such_package.at_all:build", "No module named 'no_such_package'"),
        ("tests.helpers.own_modules:missing", "missing"),
        ("tests.helpers.own_modules:no_network", "returned str"),
    ],
)
def test_a_name_that_yields_no_network_is_refused(name, message):
    with pytest.raises(SpecError, match=message) as caught:
        make_network(make_pool(), name=name)
    assert "model.name" in str(caught.value)
