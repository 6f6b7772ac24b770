"""What strategies may ask for, and what the scoring engine hands them. Strategies never touch the model."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from alray.pools.pool import Indices

CommitteeKind = Literal["dropout", "heads", "both"]


@dataclass(frozen=True)
class Committee:
    """A committee to score with.

    Attributes:
        members: Number of dropout masks, each shared by all objects of the round; unused for `heads`.
        kind: Members are dropout masks of the fused head, the heads, or every head under every mask.
    """

    members: int = 10
    kind: CommitteeKind = "dropout"


@dataclass(frozen=True)
class Needs:
    """The signals that a strategy wants computed for every candidate."""

    log_probs: bool = False
    committee: Committee | None = None
    features: bool = False
    predicted_loss: bool = False
    true_loss: bool = False

    @property
    def anything(self) -> bool:
        """Whether a scoring pass is needed at all."""
        return self != Needs()


@dataclass(frozen=True)
class Signals:
    """The candidates of a round and what was computed for them. Tensors are None where not asked for.

    Attributes:
        candidates: (n,) pool indices of the unlabelled objects, ascending.
        log_probs: (n, classes) of the fused head.
        committee_log_mean: (n, classes) log of the committee's mean probability.
        committee_mean_entropy: (n,) float64 mean over members of each member's entropy.
        features: (n, width) input of the last layer.
        predicted_loss: (n,) from the loss prediction module.
        true_loss: (n,) of the fused head; needs the labels, so only oracles ask for it.
    """

    candidates: Indices
    log_probs: Tensor | None = None
    committee_log_mean: Tensor | None = None
    committee_mean_entropy: Tensor | None = None
    features: Tensor | None = None
    predicted_loss: Tensor | None = None
    true_loss: Tensor | None = None
