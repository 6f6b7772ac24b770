import numpy as np
import pytest
import torch
from torch import nn

from alray.networks.generators import forked_rng, torch_generator
from alray.networks.layers import (
    Hidden,
    SeededDropout,
    as_member,
    batch_norms,
    committee_masks,
    draw_mask,
    draw_masks,
    dropouts,
    replace_dropouts,
    seed_dropouts,
)
from tests.helpers.builders import same_tensors, weights_of


def seeded(rate=0.5, size=None, seed=0, **kind):
    layer = SeededDropout(rate, size, **kind)
    layer.generator = torch_generator(seed)
    return layer


@pytest.mark.parametrize(
    ("rate", "share"), [(0.5, 0.5), (0.3, 0.7), (0.9, 0.1), (1e-9, 1 - 2**-16), (1 - 1e-9, 2**-16)]
)
def test_a_masks_scale_keeps_the_mean_at_one(rate, share):
    """Exactly: an entry is kept with a probability of k / 2^16, and then is 2^16 / k."""
    mask = draw_mask((1000, 1001), rate, torch_generator(0))
    assert set(mask.unique().tolist()) == {
        0.0,
        float(np.float32(1 / (round(share * 2**16) / 2**16))),
    }
    kept = (mask != 0).float().mean().item()
    assert abs(kept - share) < 5 * np.sqrt(share * (1 - share) / mask.numel())


def test_the_entries_of_a_mask_are_independent():
    """Neighbours come from one draw of 64 bits; their correlations are those of independent entries."""
    mask = draw_mask((20000, 16), 0.5, torch_generator(0)).numpy() - 1
    correlations = np.corrcoef(mask.T)[np.triu_indices(16, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(20000)
    assert abs(mask.mean()) < 5 / np.sqrt(mask.size)


def test_each_call_draws_anew_from_the_layers_own_generator():
    x, before = torch.ones(20, 30), torch.random.get_rng_state()
    layer = seeded(seed=1)
    y = layer(x)
    assert torch.equal(y, seeded(seed=1)(x))
    assert not torch.equal(y, seeded(seed=2)(x))
    assert not torch.equal(y, layer(x))
    assert torch.equal(before, torch.random.get_rng_state())


def test_training_without_a_generator_is_refused():
    with pytest.raises(RuntimeError, match="generator"):
        SeededDropout(0.5)(torch.ones(2, 2))


def test_nothing_is_dropped_in_evaluation_or_at_rate_zero():
    x = torch.randn(4, 3, generator=torch_generator(0))
    assert torch.equal(seeded().eval()(x), x)
    assert torch.equal(SeededDropout(0.0)(x), x)


def test_channels_are_dropped_whole():
    y = seeded(channels=True)(torch.ones(10, 20, 3, 3))
    per_channel = y.flatten(2)
    assert (per_channel == per_channel[:, :, :1]).all()
    assert not (y[0] == y[1]).all()


def test_masks_drawn_at_once_are_those_drawn_one_after_the_other():
    """Also where a mask's size is no multiple of the four entries of a draw."""
    shapes = [(3, 5), (7,), (2, 4), (1, 1)]
    generator = torch_generator(0)
    one_by_one = [draw_mask(shape, 0.3, generator) for shape in shapes]
    at_once = draw_masks(shapes, 0.3, torch_generator(0))
    assert all(torch.equal(*pair) for pair in zip(at_once, one_by_one, strict=True))


@pytest.mark.parametrize("size", [None, 30])
def test_a_member_is_one_mask_for_all_objects(size):
    layer = SeededDropout(0.25, size).eval()
    x, generator = torch.ones(6, 30), torch_generator(0)
    masks = [draw_mask((30,), 0.25, generator) for _ in range(3)]
    with committee_masks(layer, 3, torch_generator(0)):
        for member in range(3):
            with as_member([layer], member):
                assert torch.equal(layer(x), masks[member].expand(6, 30))
                assert torch.equal(layer(x[2:4]), masks[member].expand(2, 30))
            assert torch.equal(layer(x), x)


def fail_as_member(layer):
    with as_member([layer], 1):
        raise ArithmeticError


def test_no_member_and_no_mask_remain_after_an_error():
    layer, x = SeededDropout(0.5, 30).eval(), torch.ones(6, 30)
    with committee_masks(layer, 2, torch_generator(0)):
        with pytest.raises(ArithmeticError):
            fail_as_member(layer)
        assert torch.equal(layer(x), x)
        assert len(layer.masks().of_shape((30,))) == 2
    with pytest.raises(ArithmeticError), committee_masks(layer, 2, torch_generator(0)):
        fail_as_member(layer)
    assert layer.committee is None
    assert torch.equal(layer(x), x)


def test_channels_of_a_member_are_dropped_whole():
    layer = SeededDropout(0.5, channels=True)
    with committee_masks(layer, 1, torch_generator(0)), as_member([layer], 0):
        y = layer(torch.ones(4, 20, 3, 3))
    assert (y == y[:1, :, :1, :1]).all()
    assert 0 < (y[0, :, 0, 0] == 0).sum() < 20


def test_a_member_has_a_mask_for_each_shape_that_the_layer_meets():
    """A user's module often calls one dropout layer several times."""
    layer = SeededDropout(0.5)
    wide, narrow = torch.ones(3, 40), torch.ones(3, 20)
    with committee_masks(layer, 2, torch_generator(0)), as_member([layer], 1):
        first = layer(wide), layer(narrow)
        assert torch.equal(first[0], layer(wide))
        assert torch.equal(first[1], layer(narrow))


def test_a_member_exists_only_within_a_committee():
    layer = SeededDropout(0.5, 4)
    with pytest.raises(RuntimeError, match="committee_masks"):
        layer.masks()
    with pytest.raises(RuntimeError, match="committee_masks"):
        fail_as_member(layer)


def test_a_single_object_is_normalised_as_when_scored_and_changes_no_statistics():
    with forked_rng(0):
        layer, x = Hidden(4, 3, None), torch.randn(8, 4)
    layer(x)
    before = weights_of(layer.norm)
    alone = layer(x[:1])
    assert same_tensors(weights_of(layer.norm), before)
    torch.testing.assert_close(alone, layer.eval()(x[:1]))


def test_dropouts_are_those_that_can_drop():
    module = nn.Sequential(
        SeededDropout(0.5), nn.Sequential(SeededDropout(0.0), Hidden(2, 2, 0.1))
    )
    assert [layer.rate for layer in dropouts(module)] == [0.5, 0.1]
    generator = torch_generator(0)
    seed_dropouts(module, generator)
    assert all(layer.generator is generator for layer in dropouts(module))


def test_every_kind_of_batch_norm_is_found():
    module = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.BatchNorm2d(2)), nn.BatchNorm3d(2))
    assert len(batch_norms(module)) == 3


class Dropouts(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = self.two = nn.Dropout(0.3)
        self.deep = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout2d(0.4), nn.Dropout(0)))


def test_dropout_layers_of_a_users_module_are_replaced_wherever_they_are():
    module = Dropouts()
    replace_dropouts(module)
    found = [layer for layer in module.modules() if isinstance(layer, SeededDropout)]
    assert [(layer.rate, layer.channels) for layer in found] == [
        (0.3, False),
        (0.4, True),
        (0, False),
    ]
    assert module.one is module.two
    assert not any(isinstance(layer, (nn.Dropout, nn.Dropout2d)) for layer in module.modules())
