"""What a scoring pass is asked and what a block of it answers: shared by the folded and the generic way."""

from dataclasses import dataclass, field

from torch import Tensor

from alray.networks.loss_predictor import LossPredictor
from alray.networks.models import FUSED
from alray.strategies.signals import Committee

BLOCK = 1024
"""Objects at a time: large enough for the machine's best matrix rate, small enough to stay in the cache."""

ROWS = 256
"""Passes by oneDNN compute a multiple of this many objects, the surplus ones being whatever was in the room before."""

MODULE_BLOCK = 256
"""The same for a module of any kind: a convolution's maps are large, and memory that the allocator has to fetch anew
from the system for each block took longer than the arithmetic (28 x 28 images: 2.3 times the seconds at 1,024)."""


@dataclass(frozen=True)
class Request:
    """What to compute for each object.

    Attributes:
        heads: Heads whose log-probabilities are wanted.
        committee: Committee whose summary is wanted.
        features: Whether the last layer's input is wanted.
        predictor: The loss predictor, where its prediction is wanted.
    """

    heads: tuple[str, ...] = (FUSED,)
    committee: Committee | None = None
    features: bool = False
    predictor: LossPredictor | None = None


@dataclass
class BlockResult:
    """Results for the b objects of a block; rows beyond those that were asked for mean nothing.

    Attributes:
        log_probs: Per head that these objects have: (b, classes).
        committee: Of `scores.summarise_committee`: (b, classes) and (b,).
        features: (b, width).
        predicted_loss: (b,).
    """

    log_probs: dict[str, Tensor] = field(default_factory=dict)
    committee: tuple[Tensor, Tensor] | None = None
    features: Tensor | None = None
    predicted_loss: Tensor | None = None
