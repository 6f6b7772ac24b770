"""The networks: late fusion of any modalities, a small CNN, and a user's module behind the same interface."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from alray.custom.loading import load, refuse_path
from alray.errors import SpecError
from alray.networks.generators import forked_rng
from alray.networks.layers import Hidden, SeededDropout, replace_dropouts
from alray.networks.sequential import Block, find_blocks
from alray.networks.tensors import Batch
from alray.pools.pool import PreparedPool
from alray.settings.base import unknown_name
from alray.settings.common import ModelSpec

BUILT_IN = ("late_fusion", "cnn")
"""Names of the networks that come with alray; any other is `package.module:factory`."""

FUSED = "fused"
"""Name of the main head; a side head has the name of its modality."""


@dataclass(frozen=True)
class Values:
    """Values for the objects of a batch that have a modality.

    Attributes:
        values: (present, ...).
        rows: (present,) int64 positions in the batch, or None where every object has it.
    """

    values: Tensor
    rows: Tensor | None = None


@dataclass(frozen=True)
class Outputs:
    """Results of a forward pass.

    Attributes:
        heads: Per head the logits (present, classes); `fused` comes first and covers the whole batch.
        features: (batch, width) input of the last layer, or None where the network does not offer it.
        taps: Outputs of the hidden layers, for a module that predicts the loss.
    """

    heads: dict[str, Values]
    features: Tensor | None = None
    taps: list[Values] = field(default_factory=list)


class Network(nn.Module):
    """Interface of every network that alray trains and scores with.

    Attributes:
        head_names: `fused` first.
        tap_sizes: Widths of the hidden layers in `Outputs.taps`, empty where there are none.
    """

    head_names: tuple[str, ...]
    tap_sizes: tuple[int, ...]

    @override
    def forward(self, batch: Batch) -> Outputs:
        raise NotImplementedError


class Encoder(nn.Module):
    """One modality's part of late fusion: two hidden layers, a side head, and a learned vector for absent objects."""

    def __init__(self, inputs: int, classes: int, spec: ModelSpec, *, alone: bool) -> None:
        super().__init__()
        d = spec.width
        first = 4 * d if inputs >= 4 * d else 2 * d
        self.first = Hidden(inputs, first, spec.dropout)
        self.second = Hidden(first, 2 * d, spec.dropout)
        has_head = spec.heads == "all" and not alone
        self.head = nn.Linear(2 * d, classes) if has_head else None
        self.absent = None if alone else nn.Parameter(torch.zeros(2 * d))

    @property
    def width(self) -> int:
        """Number of units that enter the fusion."""
        return self.second.linear.out_features

    def with_absent(self, x: Tensor, rows: Tensor | None, size: int) -> Tensor:
        """Return (size, width): the encoding x where the modality is present, the learned vector elsewhere."""
        if rows is None or self.absent is None:
            return x
        return self.absent.expand(size, -1).index_copy(0, rows, x)


class LateFusion(Network):
    """An encoder per modality, fused by concatenation; a side head per encoder where there are several.

    With d = `spec.width`: an encoder is inputs -> 4d or 2d -> 2d (4d where the modality has at least 4d features),
    the trunk is (modalities x 2d) -> d -> d -> classes, a side head is 2d -> classes. An absent modality enters the
    trunk as a learned vector; encoders and side heads see present objects only. Of an image array they see the pixels
    in a row.
    """

    def __init__(self, dimensions: dict[str, int], classes: int, spec: ModelSpec) -> None:
        super().__init__()
        d = spec.width
        alone = len(dimensions) == 1
        self._names = tuple(dimensions)
        # Not a ModuleDict: its keys may neither hold a dot nor equal the name of one of its methods.
        self._encoders = nn.ModuleList(
            Encoder(inputs, classes, spec, alone=alone) for inputs in dimensions.values()
        )
        self.fuse = Hidden(2 * d * len(dimensions), d, spec.dropout)
        self.last = Hidden(d, d, None)
        self.output = nn.Linear(d, classes)
        self.head_names = (FUSED, *(name for name, encoder in self.encoders() if encoder.head))
        self.tap_sizes = tuple(layer.linear.out_features for layer in self.hidden_layers())

    def encoders(self) -> list[tuple[str, Encoder]]:
        """Return (modality, encoder) in the pool's order."""
        encoders = cast("list[Encoder]", list(self._encoders))
        return list(zip(self._names, encoders, strict=True))

    def hidden_layers(self) -> list[Hidden]:
        """Return all hidden layers, in the order of `Outputs.taps`."""
        encoders = [layer for _, part in self.encoders() for layer in (part.first, part.second)]
        return [*encoders, self.fuse, self.last]

    @override
    def forward(self, batch: Batch) -> Outputs:
        heads: dict[str, Values] = {}
        taps: list[Values] = []
        encoded: list[Tensor] = []
        for name, encoder in self.encoders():
            x, rows = batch.features[name].flatten(1), batch.rows[name]
            if len(x) > 0:
                first = encoder.first(x)
                second = encoder.second(first)
            else:
                first = x.new_empty(0, encoder.first.linear.out_features)
                second = x.new_empty(0, encoder.width)
            taps += [Values(first, rows), Values(second, rows)]
            if encoder.head is not None and len(x) > 0:
                heads[name] = Values(encoder.head(second), rows)
            encoded.append(encoder.with_absent(second, rows, batch.size))
        fused = self.fuse(torch.cat(encoded, dim=1))
        h = self.last(fused)
        taps += [Values(fused), Values(h)]
        return Outputs({FUSED: Values(self.output(h)), **heads}, features=h, taps=taps)


class Cnn(Network):
    """Small convolutional classifier for one image modality, after Gal et al. 2017, section 5.1.

    conv 4x4 (32) - ReLU - conv 4x4 (32) - ReLU - max-pool 2 - dropout 0.25 - dense (width) - ReLU - dropout - dense.
    The first dropout drops half as much as the second, as there.
    """

    def __init__(self, name: str, shape: tuple[int, ...], classes: int, spec: ModelSpec) -> None:
        super().__init__()
        self.name = name
        channels, height, width = shape if len(shape) == 3 else (1, *shape)
        self.shape = (channels, height, width)
        self.first = nn.Conv2d(channels, 32, 4)
        self.second = nn.Conv2d(32, 32, 4)
        flat = 32 * ((height - 6) // 2) * ((width - 6) // 2)
        self.first_dropout = SeededDropout(spec.dropout / 2)
        self.dense = nn.Linear(flat, spec.width)
        self.second_dropout = SeededDropout(spec.dropout, spec.width)
        self.output = nn.Linear(spec.width, classes)
        self.head_names = (FUSED,)
        self.tap_sizes = (32, 32, spec.width)

    @override
    def forward(self, batch: Batch) -> Outputs:
        x = batch.features[self.name].view(-1, *self.shape)
        first = functional.relu(self.first(x))
        second = functional.relu(self.second(first))
        flat = functional.max_pool2d(second, 2).flatten(1)
        h = functional.relu(self.dense(self.first_dropout(flat)))
        # Convolutional taps are averaged over the image, as in Yoo and Kweon 2019, figure 2.
        taps = [Values(first.mean((2, 3))), Values(second.mean((2, 3))), Values(h)]
        h = self.second_dropout(h)
        return Outputs({FUSED: Values(self.output(h))}, features=h, taps=taps)


class CustomModule(Network):
    """A user's module: called with dense features and presence masks, returns logits.

    Its dropout layers are replaced by alray's, so that its training repeats to the bit and a committee member is one
    mask for all objects, as for the built-in networks. No other layer of it may be replaced.
    """

    def __init__(self, module: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Wrap a module for a pool whose modalities have these shapes."""
        super().__init__()
        replace_dropouts(module)
        self.module = module
        self.head_names = (FUSED,)
        self.tap_sizes = ()
        self._shapes = dict(shapes)

    @cached_property
    def blocks(self) -> Sequence[Block] | None:
        """The module's blocks if it is one sequence of known layers (see `find_blocks`), else None; traced once."""
        return find_blocks(self.module, self._shapes)

    @override
    def forward(self, batch: Batch) -> Outputs:
        return Outputs({FUSED: Values(self.answer(batch))})

    def answer(self, batch: Batch) -> Any:
        """Call the module; return what it returns, which should be logits (batch, classes)."""
        features: dict[str, Tensor] = {}
        present: dict[str, Tensor] = {}
        for name, x in batch.features.items():
            rows = batch.rows[name]
            if rows is None:
                features[name], present[name] = x, x.new_ones(batch.size, dtype=torch.bool)
                continue
            features[name] = x.new_zeros(batch.size, *x.shape[1:]).index_copy(0, rows, x)
            present[name] = x.new_zeros(batch.size, dtype=torch.bool).index_fill(0, rows, 1)
        return self.module(features, present)


def build_network(spec: ModelSpec, pool: PreparedPool) -> Network:
    """Build the network of these settings for a pool; its weights come from the global generator.

    Raises:
        SpecError: The name is unknown, a factory cannot be imported, or the network does not fit the pool.
    """
    if spec.name == "late_fusion":
        dimensions = {modality.name: modality.dimension for modality in pool.modalities}
        if FUSED in dimensions:
            raise SpecError(
                f"a modality cannot be called {FUSED!r}, as the network's main head is: give it another name with "
                f"pool.modalities"
            )
        return LateFusion(dimensions, pool.class_count, spec)
    if spec.name == "cnn":
        return _build_cnn(spec, pool)
    return _build_custom(spec, pool)


def _build_cnn(spec: ModelSpec, pool: PreparedPool) -> Network:
    images = [modality for modality in pool.modalities if len(modality.shape) > 1]
    if len(pool.modalities) != 1 or len(images) != 1:
        names = ", ".join(f"{modality.name} {modality.shape}" for modality in pool.modalities)
        raise SpecError(f"model cnn takes a pool of one image array; this pool has: {names}")
    shape = images[0].shape
    if min(shape[-2:]) < 8 or len(shape) > 3:
        raise SpecError(
            f"model cnn takes images of at least 8 x 8 pixels, (channels,) height, width; got {shape}"
        )
    return Cnn(images[0].name, shape, pool.class_count, spec)


def _build_custom(spec: ModelSpec, pool: PreparedPool) -> Network:
    if ":" not in spec.name:
        refuse_path(spec.name, "model.name")
        raise SpecError(
            f"model.name: {unknown_name('model', spec.name, [*BUILT_IN])} "
            "(a custom one: package.module:factory)"
        )
    # Its first import may draw numbers, which must not change the network's.
    with forked_rng(0):
        factory: Callable[..., nn.Module] = load(spec.name, "model.name")
    shapes = {modality.name: modality.shape for modality in pool.modalities}
    module = factory(shapes=shapes, classes=pool.class_count, **spec.options)
    if not isinstance(module, nn.Module):
        raise SpecError(
            f"model.name: {spec.name!r} returned {type(module).__name__}, not a torch.nn.Module"
        )
    return CustomModule(module, {modality.name: modality.shape for modality in pool.modalities})
