"""BatchBALD: batches whose labels together tell most about a committee's members (Kirsch et al. 2019)."""

import heapq
import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from alray.pools.pool import Indices
from alray.strategies import scores
from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_counts
from alray.strategies.committee import CommitteeOptions
from alray.strategies.configurations import Configurations
from alray.strategies.shortlist import member_probs, then_by_bald
from alray.strategies.signals import Request, Signals

TOLD_APART = 0.01
"""Share of log(members) that, where no more doubt about the members is left, is taken for none: a gain is no more than
it, and of 10,000 drawn configurations its standard error may be a tenth of that."""


RESOLVED = 5
"""Decimal places of a gain in nats that entropies in float32 resolve: what differs by less is a tie."""


@dataclass(frozen=True)
class BatchBald(CommitteeOptions, BatchStrategy):
    """Takes again and again the object whose label, with those of the chosen ones, tells most about the committee.

    Kirsch et al. 2019, algorithm 1: the greedy batch of largest mutual information between its labels together and
    the member that is right. All configurations of labels are counted while they are no more than `samples`, beyond
    that as many are drawn. Gains only fall as objects are chosen, so each is computed anew only when it comes first.

    The labels of a batch cannot tell more than log(members), and where those chosen tell the members apart, all further
    gains are 0. As soon as no more than 1 % of it is left, the choice begins anew among the other objects, as if none
    were chosen: with ten members that is after some 10 to 30 objects. More members let more objects be chosen together.
    What a query has beyond the shortlist is chosen by BALD.

    Attributes:
        shortlist: Candidates that are compared, those with the largest BALD.
        samples: Most configurations of labels that are counted, and the number that is drawn of more.
    """

    shortlist: int = 500
    samples: int = 10_000

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self, "shortlist", "samples")

    @property
    @override
    def needs(self) -> Request:
        return replace(super().needs, shortlist=self.shortlist)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        shortlist = given(signals.shortlist)
        chosen, gains = most_telling(
            member_probs(shortlist), min(k, len(shortlist.candidates)), self.samples, rng
        )
        return then_by_bald(Query(shortlist.candidates[chosen], gains), signals, k, rng)


def most_telling(
    probs: Float[Tensor, "n members classes"], k: int, samples: int, rng: np.random.Generator
) -> tuple[Indices, Float[np.ndarray, " k"]]:
    """Return the positions of k objects in the order of the greedy choice, and what each adds, in nats."""
    alone = scores.bald(probs.mean(1).log(), scores.entropy(probs.log()).mean(1))
    order = rng.permutation(len(probs)).tolist()
    enough = TOLD_APART * math.log(max(2, probs.shape[1]))
    left = dict(enumerate(zip((-np.round(alone.numpy(), RESOLVED)).tolist(), order, strict=True)))
    chosen: list[int] = []
    gains: list[float] = []
    while len(chosen) < k:
        known = Configurations(probs.shape[1], samples, rng)
        heap = [(cost, tie, position) for position, (cost, tie) in left.items()]
        heapq.heapify(heap)
        # What an object tells alone is known: the first choice of a batch computes nothing.
        begun = len(chosen)
        while len(chosen) < k and heap and (len(chosen) == begun or known.doubt > enough):
            cost, tie, position = heapq.heappop(heap)
            if len(chosen) > begun:
                cost = -round(known.gain(probs[position]), RESOLVED)
            if heap and (cost, tie, position) > heap[0]:
                heapq.heappush(heap, (cost, tie, position))
                continue
            known.add(probs[position])
            del left[position]
            chosen.append(position)
            gains.append(-cost if cost < 0 else 0.0)
    return np.array(chosen, dtype=np.int64), np.array(gains)
