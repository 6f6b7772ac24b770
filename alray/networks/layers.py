"""Building blocks whose randomness and statistics alray controls."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

_LEVELS = 1 << 16


def draw_mask(shape: tuple[int, ...], rate: float, generator: torch.Generator) -> Tensor:
    """Draw a dropout mask: 0 with probability `rate`, else the value that keeps the mean at 1.

    Four entries come from one draw of 64 bits, in a quarter of `bernoulli_`'s time, so the rate is a multiple of 2^-16:
    0.5 is exact, any other wrong by less than 0.00001. A rate next to 0 or 1 still keeps and drops some entries.
    """
    (mask,) = draw_masks([shape], rate, generator)
    return mask


def draw_masks(
    shapes: Sequence[tuple[int, ...]], rate: float, generator: torch.Generator
) -> list[Tensor]:
    """Draw several masks at once: those that `draw_mask` would draw one after the other."""
    sizes = [math.prod(shape) for shape in shapes]
    words = [-(-size // 4) for size in sizes]
    draws = torch.empty(sum(words), dtype=torch.int64).random_(
        -(1 << 63), None, generator=generator
    )
    kept = min(max(round((1 - rate) * _LEVELS), 1), _LEVELS - 1)
    # Compared into floats: as booleans first it takes five times as long.
    entries = torch.empty(4 * len(draws))
    torch.lt(draws.view(torch.int16), kept - _LEVELS // 2, out=entries).mul_(_LEVELS / kept)
    parts = torch.split(entries, [4 * number for number in words])
    return [
        part[:size].view(shape) for part, size, shape in zip(parts, sizes, shapes, strict=True)
    ]


class CommitteeMasks:
    """A committee's masks in one dropout layer: one per member for each shape of an object.

    Attributes:
        member: The member whose mask is applied, or None: nothing is dropped.
    """

    def __init__(
        self, rate: float, size: int | None, members: int, generator: torch.Generator
    ) -> None:
        """Draw the masks of a layer of known size; where it is unknown they are drawn when first needed."""
        self.member: int | None = None
        self._rate, self._members, self._generator = rate, members, generator
        self._by_shape: dict[tuple[int, ...], list[Tensor]] = {}
        if size is not None:
            self.of_shape((size,))

    def of_shape(self, shape: tuple[int, ...]) -> list[Tensor]:
        """Return each member's mask for objects of this shape."""
        if shape not in self._by_shape:
            self._by_shape[shape] = [
                draw_mask(shape, self._rate, self._generator) for _ in range(self._members)
            ]
        return self._by_shape[shape]


class SeededDropout(nn.Module):
    """Dropout that draws a mask per batch in training, and applies a committee member's mask in scoring.

    Training needs `generator` (see `seed_dropouts`). Scoring sets `committee` for a while (see `committee_masks`,
    `as_member`): all objects share a member's mask, which makes it one thinned network. A layer that a user's module
    calls several times has masks for each shape that it meets.
    """

    def __init__(self, rate: float, size: int | None = None, *, channels: bool = False) -> None:
        super().__init__()
        self.rate = rate
        self.size = size
        self.channels = channels
        self.generator: torch.Generator | None = None
        self.committee: CommitteeMasks | None = None

    def masks(self) -> CommitteeMasks:
        """Return the committee's masks, within `committee_masks`."""
        if self.committee is None:
            raise RuntimeError("members have masks only within committee_masks")
        return self.committee

    @override
    def forward(self, x: Float[Tensor, "n *rest"]) -> Float[Tensor, "n *rest"]:
        committee = self.committee
        if committee is not None and committee.member is not None:
            mask: Tensor | None = committee.of_shape(self._object_shape(x.shape))[committee.member]
        else:
            mask = self.training_mask(x.shape)
        return x if mask is None else x * mask.to(x.device)

    def training_mask(self, shape: Sequence[int]) -> Tensor | None:
        """Draw the mask of a batch of this shape in training; None where nothing is dropped."""
        if not self.training or self.rate == 0:
            return None
        if self.generator is None:
            raise RuntimeError("SeededDropout needs its generator before training")
        return draw_mask((shape[0], *self._object_shape(shape)), self.rate, self.generator)

    def _object_shape(self, batch: Sequence[int]) -> tuple[int, ...]:
        """Return the shape of one object's mask."""
        return (batch[1],) + (1,) * (len(batch) - 2) if self.channels else tuple(batch[1:])


class Hidden(nn.Module):
    """Linear, ReLU, BatchNorm, and dropout where `dropout` is not None."""

    def __init__(self, inputs: int, outputs: int, dropout: float | None) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.BatchNorm1d(outputs)
        self.dropout = None if dropout is None else SeededDropout(dropout, outputs)

    @override
    def forward(self, x: Float[Tensor, "n inputs"]) -> Float[Tensor, "n outputs"]:
        h = functional.relu(self.linear(x))
        if self.norm.training and len(h) < 2:
            # A single object has no variance of its own: it is normalised as it will be when scored.
            h = functional.batch_norm(
                h, self.norm.running_mean, self.norm.running_var, self.norm.weight, self.norm.bias
            )
        else:
            h = self.norm(h)
        return h if self.dropout is None else self.dropout(h)


def dropouts(module: nn.Module) -> list[SeededDropout]:
    """Return every dropout layer that can drop something, in the module's order."""
    return [
        layer for layer in module.modules() if isinstance(layer, SeededDropout) and layer.rate > 0
    ]


def batch_norms(module: nn.Module) -> list[nn.Module]:
    """Return every BatchNorm layer."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    return [layer for layer in module.modules() if isinstance(layer, kinds)]


def seed_dropouts(module: nn.Module, generator: torch.Generator) -> None:
    """Let every dropout layer draw its training masks from `generator`."""
    for layer in dropouts(module):
        layer.generator = generator


@contextmanager
def committee_masks(module: nn.Module, members: int, generator: torch.Generator) -> Iterator[None]:
    """Let every dropout layer have a mask per member within a `with` statement, drawn from `generator`."""
    layers = dropouts(module)
    try:
        for layer in layers:
            layer.committee = CommitteeMasks(layer.rate, layer.size, members, generator)
        yield
    finally:
        for layer in layers:
            layer.committee = None


@contextmanager
def as_member(layers: Sequence[SeededDropout], member: int) -> Iterator[None]:
    """Let dropout layers apply this member's mask within a `with` statement inside that of `committee_masks`.

    PyTorch's fast path of attention and Transformer layers is off meanwhile: it calls no dropout layer.
    """
    committees = [layer.masks() for layer in layers]
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        for committee in committees:
            committee.member = member
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for committee in committees:
            committee.member = None


def replace_dropouts(module: nn.Module) -> None:
    """Replace every dropout layer inside a user's module by a SeededDropout; one with two names stays one."""
    channels = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
    replaced: dict[nn.Module, SeededDropout] = {}
    for path, layer in list(module.named_modules(remove_duplicate=False)):
        if isinstance(layer, (nn.Dropout, *channels)):
            parent, _, name = path.rpartition(".")
            if layer not in replaced:
                replaced[layer] = SeededDropout(
                    float(layer.p), channels=isinstance(layer, channels)
                )
            setattr(module.get_submodule(parent), name, replaced[layer])
