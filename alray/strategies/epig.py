"""EPIG: what a label would tell about the labels of other objects of the pool (Bickford Smith et al. 2023)."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts
from alray.strategies.committee import CommitteeOptions
from alray.strategies.selection import best
from alray.strategies.shortlist import member_probs, then_by_bald
from alray.strategies.signals import Request, Signals

AT_ONCE = 1 << 20
"""Joint probabilities that are held at a time, 4 MB: more would leave the cache."""

RESOLVED = 6
"""Decimal places of an information in nats that sums in float32 resolve: what differs by less is a tie."""

LEAST = 1e-18
"""The least ratio of a member's probability to the mean one."""


@dataclass(frozen=True)
class Epig(CommitteeOptions, BatchStrategy):
    """Largest expected predictive information gain first: what an object's label tells about those of other objects.

    Bickford Smith et al. 2023, equation 5: the mean over target objects x* of H(y) + H(y*) - H(y, y*), with the joint
    probabilities of two labels by a committee, mean_k p_k(y) p_k(y*). Targets are drawn from the whole train part,
    whose objects are like those to be predicted, not from the labelled ones alone.

    It takes candidates x targets x classes^2 logarithms: 250,000 candidates, 100 targets and 50 classes would take more
    than a minute. So a shortlist by BALD is compared: no object's EPIG is above its BALD (data-processing inequality).
    With `shortlist` at the size of the pool it is exact. What a query has beyond the shortlist is chosen by BALD.

    Attributes:
        targets: Number of target objects.
        shortlist: Candidates that are compared, those with the largest BALD.
    """

    targets: int = 100
    shortlist: int = 10_000

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self, "targets", "shortlist")

    @property
    @override
    def needs(self) -> Request:
        return replace(super().needs, shortlist=self.shortlist, targets=self.targets)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        shortlist = given(signals.shortlist)
        gains = information_about(member_probs(given(signals.targets)), member_probs(shortlist))
        scores = np.round(gains.double().numpy(), RESOLVED)
        chosen = best(scores, min(k, len(scores)), rng, largest=True)
        query = Query(shortlist.candidates[chosen], scores[chosen])
        return then_by_bald(query, signals, k, rng)


def information_about(
    targets: Float[Tensor, "m members classes"], probs: Float[Tensor, "n members classes"]
) -> Float[Tensor, " n"]:
    """Return the mean over targets of the mutual information between an object's label and a target's, in nats.

    With the ratio r = p(y, y*) / (p(y) p(y*)) it is the sum of p(y) p(y*) r log r: r is one product over members,
    and nothing is lost where r is near 1, as in a difference of entropies. It is at least 0 but for rounding.
    """
    members = targets.shape[1]
    mean = targets.mean(1)
    right = _ratios(targets, mean).transpose(0, 1).reshape(members, -1) / members
    weights = mean.flatten() / len(targets)
    found: list[Tensor] = []
    classes = probs.shape[2]
    at_once = max(1, AT_ONCE // (classes * len(weights)))
    # Fresh pages for each block would cost more than its arithmetic.
    ratios = right.new_empty(at_once * classes, right.shape[1])
    logs = torch.empty_like(ratios)
    for block in torch.split(probs, at_once):
        of_object = block.mean(1)
        left = _ratios(block, of_object).transpose(1, 2).reshape(-1, members)
        torch.mm(left, right, out=ratios[: len(left)])
        torch.log(ratios[: len(left)], out=logs[: len(left)])
        by_class = logs[: len(left)].mul_(ratios[: len(left)]) @ weights
        found.append((by_class.view(-1, classes) * of_object).sum(1))
    return torch.cat(found)


def _ratios(
    probs: Float[Tensor, "n members classes"], mean: Float[Tensor, "n classes"]
) -> Float[Tensor, "n members classes"]:
    """Return probabilities over their means, `LEAST` at least: the logarithm of a product of two is finite."""
    return (probs / mean.clamp_min(LEAST)[:, None]).clamp_min(LEAST)
