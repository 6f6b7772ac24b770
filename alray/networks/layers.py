"""Building blocks whose randomness and statistics alray controls."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

_LEVELS = 1 << 16


def draw_mask(shape: tuple[int, ...], rate: float, generator: torch.Generator) -> Tensor:
    """Draw a dropout mask: 0 with probability `rate`, else what keeps the mean at 1.

    Four entries come from one draw of 64 bits, a quarter of what `bernoulli_` takes, so the rate is a multiple of 2^-16:
    0.5 is exact, any other wrong by less than 0.00001. A rate next to 0 or 1 still keeps and drops something.
    """
    size = math.prod(shape)
    draws = torch.empty(-(-size // 4), dtype=torch.int64).random_(
        -(1 << 63), None, generator=generator
    )
    kept = min(max(round((1 - rate) * _LEVELS), 1), _LEVELS - 1)
    mask = draws.view(torch.int16)[:size].view(shape) < kept - _LEVELS // 2
    return mask * (_LEVELS / kept)


class SeededDropout(nn.Module):
    """Dropout that draws from a generator it is given, and can hold one fixed mask per committee member.

    In training, `generator` must be set. For a committee, `draw_masks` fixes masks that all objects share, and `member`
    chooses the one in force: that is what makes a member one thinned network. A layer that a user's module calls at
    several places has masks for each shape that it meets.
    """

    def __init__(self, rate: float, size: int | None = None, *, channels: bool = False) -> None:
        super().__init__()
        self.rate = rate
        self.size = size
        self.channels = channels
        self.generator: torch.Generator | None = None
        self.member: int | None = None
        self._members = 0
        self._masks: dict[tuple[int, ...], list[Tensor]] = {}
        self._mask_generator: torch.Generator | None = None

    def draw_masks(self, members: int, generator: torch.Generator) -> None:
        """Fix a mask for each member; where the layer's size is unknown they are drawn when first needed."""
        self.forget_masks()
        self._members, self._mask_generator = members, generator
        if self.size is not None:
            self.member_masks((self.size,))

    def member_masks(self, shape: tuple[int, ...]) -> list[Tensor]:
        """Return each member's mask for objects of this shape."""
        if shape not in self._masks:
            if self._mask_generator is None:
                raise RuntimeError("draw_masks comes before the masks are used")
            drawn = [self._draw(shape, self._mask_generator) for _ in range(self._members)]
            self._masks[shape] = drawn
        return self._masks[shape]

    def forget_masks(self) -> None:
        """End the committee."""
        self.member, self._members, self._masks, self._mask_generator = None, 0, {}, None

    @override
    def forward(self, x: Float[Tensor, "n *rest"]) -> Float[Tensor, "n *rest"]:
        if self.member is not None:
            return x * self.member_masks(self._mask_shape(x))[self.member].to(x.device)
        mask = self.training_mask(x)
        return x if mask is None else x * mask

    def training_mask(self, x: Tensor) -> Tensor | None:
        """Draw the mask of a batch in training; None where nothing is dropped."""
        if not self.training or self.rate == 0:
            return None
        if self.generator is None:
            raise RuntimeError("SeededDropout needs its generator before training")
        return self._draw((len(x), *self._mask_shape(x)), self.generator).to(x.device)

    def _mask_shape(self, x: Tensor) -> tuple[int, ...]:
        """Return the shape of one object's mask."""
        return (x.shape[1],) + (1,) * (x.dim() - 2) if self.channels else tuple(x.shape[1:])

    def _draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        return draw_mask(shape, self.rate, generator)


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


def replace_dropouts(module: nn.Module) -> None:
    """Put a SeededDropout in the place of every dropout layer inside a user's module; one with two names stays one."""
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
