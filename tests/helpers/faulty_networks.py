"""Custom networks with one fault each, by name: `factory` makes them."""

import itertools
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

WIDTH = 8

CALLS = itertools.count()
"""Differs from call to call, as a draw from a generator that nobody has seeded does."""


class Network(nn.Module):
    """Two layers; `hidden` and `logits` are what the faulty ones change."""

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(size, WIDTH)
        self.last = nn.Linear(WIDTH, classes)

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Any:
        x = torch.cat(list(features.values()), dim=1)
        return self.logits(self.last(self.hidden(self.first(x).relu())))

    def hidden(self, h: Tensor) -> Tensor:
        return h

    def logits(self, logits: Tensor) -> Any:
        return logits


class With(Network):
    """Returns what a function makes of the logits."""

    def __init__(self, size: int, classes: int, change: Callable[[Tensor], Any]) -> None:
        super().__init__(size, classes)
        self.change = change

    @override
    def logits(self, logits: Tensor) -> Any:
        return self.change(logits)


class WithLayer(Network):
    """Calls a layer in the middle, if `called`."""

    def __init__(self, size: int, classes: int, layer: nn.Module, *, called: bool = True) -> None:
        super().__init__(size, classes)
        self.layer, self.called = layer, called

    @override
    def hidden(self, h: Tensor) -> Tensor:
        return cast("Tensor", self.layer(h)) if self.called else h


class Transformer(Network):
    """Calls a Transformer layer on a sequence of one, objects first or second."""

    def __init__(self, size: int, classes: int, *, batch_first: bool) -> None:
        super().__init__(size, classes)
        self.layer = nn.TransformerEncoderLayer(WIDTH, 2, WIDTH, 0.3, batch_first=batch_first)

    @override
    def hidden(self, h: Tensor) -> Tensor:
        first = self.layer.self_attn.batch_first
        found: Tensor = self.layer(h[:, None])[:, 0] if first else self.layer(h[None])[0]
        return found


class Averaging(Network):
    """Subtracts a running mean, which it keeps in an unsaved buffer, as an attribute or in a list."""

    mean: Tensor

    def __init__(self, size: int, classes: int, keep: str) -> None:
        super().__init__(size, classes)
        self.keep = keep
        if keep == "buffer":
            self.register_buffer("mean", torch.zeros(WIDTH), persistent=False)
        elif keep == "attribute":
            self.mean = torch.zeros(WIDTH)
        self.means = [torch.zeros(WIDTH)]

    @override
    def hidden(self, h: Tensor) -> Tensor:
        mean = self.means[-1] if self.keep == "list" else self.mean
        if self.training:
            mean = 0.5 * mean + 0.5 * h.detach().mean(dim=0)
            self.means.append(mean)
            if self.keep != "list":
                self.mean = mean
        return h - mean


class Counting(Network):
    """Counts its calls, and changes its logits by nothing or by their number."""

    def __init__(self, size: int, classes: int, by: float) -> None:
        super().__init__(size, classes)
        self.calls, self.by = 0, by

    @override
    def hidden(self, h: Tensor) -> Tensor:
        self.calls += self.training
        return h * (1 + self.by * self.calls)


class Frozen(Network):
    def __init__(self, size: int, classes: int) -> None:
        super().__init__(size, classes)
        self.requires_grad_(requires_grad=False)


class Late(Network):
    """Creates its last layer in the first call."""

    @override
    def logits(self, logits: Tensor) -> Any:
        if not hasattr(self, "late"):
            self.late = nn.Linear(logits.shape[1], logits.shape[1])
        return self.late(logits)


class Raising(Network):
    @override
    def hidden(self, h: Tensor) -> Tensor:
        return cast("Tensor", self.last(h) @ self.last(h))


class Constant(Network):
    @override
    def hidden(self, h: Tensor) -> Tensor:
        return 0 * h


def _zero_start(size: int, classes: int) -> Network:
    network = WithLayer(size, classes, nn.Dropout(0.5))
    nn.init.zeros_(network.last.weight)
    nn.init.zeros_(network.last.bias)
    return network


MAKERS: dict[str, Callable[[int, int], nn.Module]] = {
    "none": Network,
    "too few": lambda size, classes: Network(size, classes - 1),
    "too many": lambda size, classes: Network(size, classes + 2),
    "tuple": lambda n, k: With(n, k, lambda z: (z, None)),
    "dict": lambda n, k: With(n, k, lambda z: {"logits": z}),
    "nothing": lambda n, k: With(n, k, lambda _: None),
    "squeezed": lambda n, k: With(n, k, torch.squeeze),
    "classes": lambda n, k: With(n, k, lambda z: z.argmax(dim=1)),
    "integers": lambda n, k: With(n, k, lambda z: z.long()),
    "not finite": lambda n, k: With(n, k, lambda z: z / 0),
    "detached": lambda n, k: With(n, k, torch.detach),
    "probabilities": lambda n, k: With(n, k, nn.Softmax(dim=1)),
    "functional probabilities": lambda n, k: With(n, k, lambda z: z.softmax(dim=1)),
    "not negative": lambda n, k: With(n, k, torch.sigmoid),
    "log-probabilities": lambda n, k: With(n, k, nn.LogSoftmax(dim=1)),
    "random": lambda n, k: With(n, k, functional.dropout),
    "other random": lambda n, k: With(n, k, lambda z: z * (1 + z.requires_grad * next(CALLS))),
    "depends on others": lambda n, k: With(n, k, lambda z: z - z.mean(dim=0)),
    "norm of others": lambda n, k: WithLayer(n, k, nn.BatchNorm1d(WIDTH, track_running_stats=False)),
    "norm": lambda n, k: WithLayer(n, k, nn.BatchNorm1d(WIDTH)),
    "unsaved buffer": lambda n, k: Averaging(n, k, "buffer"),
    "attribute": lambda n, k: Averaging(n, k, "attribute"),
    "list": lambda n, k: Averaging(n, k, "list"),
    "counting": lambda n, k: Counting(n, k, 0.0),
    "annealing": lambda n, k: Counting(n, k, 0.1),
    "frozen": Frozen,
    "late": Late,
    "raising": Raising,
    "constant": Constant,
    "dropout": lambda n, k: WithLayer(n, k, nn.Dropout(0.5)),
    "dropout from zero": _zero_start,
    "dropout not called": lambda n, k: WithLayer(n, k, nn.Dropout(0.5), called=False),
    "transformer": lambda n, k: Transformer(n, k, batch_first=True),
    "transformer of objects": lambda n, k: Transformer(n, k, batch_first=False),
}  # fmt: skip


def factory(shapes: dict[str, tuple[int, ...]], classes: int, fault: str) -> nn.Module:
    """Return the network with this fault."""
    return MAKERS[fault](sum(shape[0] for shape in shapes.values()), classes)


def faulty(fault: str) -> dict[str, Any]:
    """Return the settings of the network with this fault."""
    return {"name": f"{__name__}:factory", "options": {"fault": fault}}
