"""What every network that alray trains and scores with offers."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.layers import as_member, committee_masks, dropouts
from alray.networks.tensors import Batch

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

    @property
    def last_layer(self) -> nn.Linear | None:
        """What makes the fused head's logits of `Outputs.features`; None where the network does not offer it."""
        output = self._modules.get("output")
        return output if isinstance(output, nn.Linear) else None

    def committee(self, members: int, generator: torch.Generator) -> AbstractContextManager[None]:
        """Return the context in which the network has this many members, drawn from `generator`: dropout masks."""
        return committee_masks(self, members, generator)

    def members(self) -> Callable[[int], AbstractContextManager[None]]:
        """Return what gives the context, inside that of `committee`, in which the network is the member of a number."""
        layers = dropouts(self)
        return lambda member: as_member(layers, member)


def trained_numbers(network: nn.Module) -> int | None:
    """Return how many numbers of a network training changes: its parameters, without those that are held fixed.

    None where it has no parameters, as a scikit-learn classifier, whose size is another matter.
    """
    return sum(each.numel() for each in network.parameters() if each.requires_grad) or None
