"""The question that a strategy asks of the scoring engine, and the answer. Strategies never touch the model.

A new signal is a field of `Request`, a field of `Signals`, and the line in each pass of `alray.scoring` that computes
it; the engine merges the passes' blocks field by field.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from torch import Tensor

from alray.pools.pool import Indices

CommitteeKind = Literal["dropout", "heads", "both"]

SideHeads = tuple[str, ...] | Literal["all"]
"""Names of side heads, or all that the network has."""


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
class InputDropout:
    """Predictions of each object with a part of its features dropped.

    Attributes:
        rate: Share of the features that is dropped, at random for each object and prediction.
        times: Predictions of each object.
    """

    rate: float = 0.75
    times: int = 3


@dataclass(frozen=True)
class Request:
    """The signals to compute for every candidate; each attribute names the ones in `Signals` that it asks for.

    Attributes:
        log_probs: The fused head's log-probabilities.
        committee: Mean and mean entropy of this committee, or None for no committee.
        members: What each member of the committee says, n x members x classes numbers; `shortlist` takes fewer.
        shortlist: Number of candidates about which the committee disagrees most (by BALD), with what each member says.
        targets: Number of objects drawn from the train part, labelled ones too, with what each member says; the members
            are the same ones.
        features: The input of the last layer.
        predicted_loss: The loss predictor's prediction; a strategy that asks for it has a `loss_prediction`.
        true_loss: The fused head's loss, for oracles only.
        side_heads: Names of side heads whose log-probabilities are wanted, or `all`.
        labelled: Whether the labelled objects are asked about too: True for their labels and those of `log_probs`,
            `features` and `pool_features` that are asked for, or a request that names what of these there shall be
            beside the labels: `Request()` for labels alone, which takes no pass over them.
        pool_features: The pool's own features, standardised, those of all modalities in a row.
        trial_loss: What the round comes to with a batch, for oracles only: it reads labels that are not bought.
        input_dropout: The `dropped_classes` that the network predicts by this dropout of its inputs, or None.
        last_layer: The weights that make the fused head's logits of `features`.
    """

    log_probs: bool = False
    committee: Committee | None = None
    members: bool = False
    shortlist: int = 0
    targets: int = 0
    features: bool = False
    predicted_loss: bool = False
    true_loss: bool = False
    side_heads: SideHeads = ()
    labelled: "bool | Request" = False
    pool_features: bool = False
    trial_loss: bool = False
    input_dropout: InputDropout | None = None
    last_layer: bool = False

    def __post_init__(self) -> None:
        if self.committee is None and (self.members or self.shortlist or self.targets):
            raise ValueError("members, shortlist and targets are asked of a committee: name one")

    @property
    def anything(self) -> bool:
        """Whether the candidates need a scoring pass at all."""
        without = replace(
            self, labelled=False, pool_features=False, trial_loss=False, last_layer=False
        )
        return without != Request()

    @property
    def of_labelled(self) -> "Request | None":
        """What is asked about the labelled objects beside their labels; None where nothing is."""
        if isinstance(self.labelled, Request):
            return self.labelled
        if not self.labelled:
            return None
        return Request(
            log_probs=self.log_probs, features=self.features, pool_features=self.pool_features
        )

    @property
    def of_blocks(self) -> bool:
        """Whether a pass computes all of it for a block of candidates alone, as block after block is scored."""
        rest = replace(
            self,
            log_probs=False,
            members=False,
            features=False,
            predicted_loss=False,
            true_loss=False,
            side_heads=(),
        )
        return rest == Request(committee=self.committee)


Needs = Request
"""The name under which strategies construct it for their attribute `needs`."""


@dataclass(frozen=True)
class LastLayer:
    """What makes logits of features: weight x + bias.

    Attributes:
        weight: (classes, width).
        bias: (classes,).
    """

    weight: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Signals:
    """Objects and the signals computed for them. Tensors are None where not asked for, and where there are no objects.

    Attributes:
        candidates: (n,) pool indices of the objects; of a round the unlabelled ones, ascending.
        log_probs: (n, classes) of the fused head.
        committee_log_mean: (n, classes) log of the committee's mean probability.
        committee_mean_entropy: (n,) float64 mean over members of each member's entropy.
        members: (n, members, classes) log-probabilities. The order of members is the same for all objects; where an
            object lacks the modality of a head, the fused head under the same dropout mask stands in for it.
        shortlist: Its candidates, ascending, with `members`; all candidates where they are no more than asked for.
        targets: Its objects as `candidates`, ascending, with `members`; the whole train part where it is no larger.
        features: (n, width) input of the last layer.
        predicted_loss: (n,) from the loss predictor.
        true_loss: (n,) of the fused head; needs the labels, so only oracles ask for it.
        side_log_probs: Per side head that an object has (n, classes), with rows of NaN where its modality is absent.
        labelled: The same of the labelled objects, in the order in which they were labelled.
        labels: (n,) int64 classes; of the labelled objects alone.
        pool_features: (n, features of all modalities), zeros where a modality is absent.
        trial_loss: Takes the pool indices of a batch, and returns the validation part's NLL after the round's fit with
            it: a fit and an evaluation each time.
        dropped_classes: (n, times) int64 classes predicted with inputs dropped; of the candidates alone.
        last_layer: Copies of the fused head's last weights, beside the candidates' signals alone.
    """

    candidates: Indices
    log_probs: Tensor | None = None
    committee_log_mean: Tensor | None = None
    committee_mean_entropy: Tensor | None = None
    members: Tensor | None = None
    shortlist: "Signals | None" = None
    targets: "Signals | None" = None
    features: Tensor | None = None
    predicted_loss: Tensor | None = None
    true_loss: Tensor | None = None
    side_log_probs: Mapping[str, Tensor] = field(default_factory=dict)
    labelled: "Signals | None" = None
    labels: Tensor | None = None
    pool_features: Tensor | None = None
    trial_loss: Callable[[Indices], float] | None = None
    dropped_classes: Tensor | None = None
    last_layer: LastLayer | None = None
