"""Configurations of labels that a batch may get, and what each would tell about which committee member is right.

The joint probability of labels y_1..y_b is the mean over members of the products p_k(y_1) ... p_k(y_b). Given a
configuration, a member is right with a probability proportional to its product: its share. Products of hundreds of
probabilities are below what a float holds, so their logarithms are kept.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

NEGLECTED = 1e-5
"""What configurations that are left out could tell together, in nats."""

LEAST = 1e-30
"""The least probability of a label: its logarithm is finite in float32."""


class Configurations:
    """The labels that the objects added so far may get.

    All of them while they are no more than `most`; beyond that as many drawn ones, an equal number from each member's
    joint distribution (Kirsch et al. 2019, section 3.3).
    """

    def __init__(self, members: int, most: int, rng: np.random.Generator) -> None:
        """Begin with no object; `rng` draws."""
        self._members, self._most, self._rng = members, most, rng
        self._added: list[Tensor] = []
        # Of drawn configurations the member that each comes from.
        self._origins: Tensor | None = None
        self._log_products = torch.zeros(1, members, dtype=torch.float64)
        self._refresh(torch.ones(1, dtype=torch.float64))

    def add(self, probs: Float[Tensor, "members classes"]) -> None:
        """Add an object, given each member's probabilities of its labels."""
        self._added.append(probs)
        classes = probs.shape[1]
        if self._origins is None and len(self._log_products) * classes <= self._most:
            log_probs = probs.double().log().t()
            products = self._log_products[:, None] + log_probs[None]
            self._log_products = products.reshape(-1, self._members)
            weights = self._log_products.logsumexp(1).exp() / self._members
            self._log_products = self._log_products[weights > 0]
            self._refresh(weights[weights > 0])
            return
        new = [probs]
        if self._origins is None:
            new = self._added
            self._origins = torch.arange(max(self._most, self._members)) % self._members
            self._log_products = torch.zeros(
                len(self._origins), self._members, dtype=torch.float64
            )
        for each in new:
            self._draw(each)
        # Each member's configurations count as much as those of another.
        drawn = torch.bincount(self._origins).double()
        self._refresh(1 / (self._members * drawn[self._origins]))

    def _draw(self, probs: Float[Tensor, "members classes"]) -> None:
        """Draw an object's label in each configuration from its member."""
        if self._origins is None:
            raise RuntimeError("configurations are not drawn yet")
        limits = probs.double().cumsum(1)
        points = torch.from_numpy(self._rng.random(len(self._origins))) * limits[self._origins, -1]
        labels = torch.searchsorted(limits[self._origins], points[:, None], right=True).squeeze(1)
        labels = labels.clamp_max(probs.shape[1] - 1)
        self._log_products += probs.double().log().t()[labels]

    def _refresh(self, weights: Float[Tensor, " configurations"]) -> None:
        """Compute each member's share in each configuration, which has this probability."""
        shares = torch.softmax(self._log_products, dim=1)
        doubts = torch.special.entr(shares).sum(1)
        self.doubt = float(weights @ doubts)
        # What a label tells in a configuration is no more than its doubt: those with the least are left out.
        order = doubts.argsort()
        kept = order[(weights * doubts)[order].cumsum(0) > NEGLECTED]
        self._shares, self._weights = shares[kept].float(), weights[kept]
        self._buffers: tuple[Tensor, Tensor] | None = None

    def gain(self, probs: Float[Tensor, "members classes"]) -> float:
        """Return what an object's label is expected to tell about the members, in nats, after those added so far.

        It is the growth of the joint mutual information, in the mean over configurations: the entropy of the label by
        their shares less the mean of its entropies by member.
        """
        if not len(self._weights):
            return 0.0
        if self._buffers is None:
            # Fresh pages for each object would cost more than its arithmetic.
            mixed = self._shares.new_empty(len(self._shares), probs.shape[1])
            self._buffers = mixed, torch.empty_like(mixed)
        mixed, logs = self._buffers
        torch.mm(self._shares, probs.clamp_min(LEAST), out=mixed)
        torch.log(mixed, out=logs)
        negative_entropies = logs.mul_(mixed) @ mixed.new_ones(mixed.shape[1])
        gains = torch.addmv(negative_entropies, self._shares, torch.special.entr(probs).sum(1))
        return -float(self._weights @ gains.double())
