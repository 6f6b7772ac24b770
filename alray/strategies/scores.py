"""Score formulas: pure functions of log-probabilities. Axes: n objects, k committee members, c classes."""

import math
from collections.abc import Iterable

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def least_confidence(log_probs: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """1 - max_c p. In [0, 1 - 1/C]; large is uncertain. Lewis and Gale 1994."""
    return 1 - log_probs.amax(dim=1).exp()


def margin(log_probs: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """p_(1) - p_(2), the two largest probabilities. In [0, 1]; small is uncertain. Scheffer et al. 2001."""
    # `topk` takes three times as long for only two.
    first, best = log_probs.max(dim=1)
    second = log_probs.scatter(1, best[:, None], -math.inf).amax(dim=1)
    return first.exp() - second.exp()


def entropy(log_probs: Float[Tensor, "... c"]) -> Float[Tensor, "..."]:
    """-sum_c p log p, summed in float64. In [0, log C]; large is uncertain. Shannon 1948.

    A class whose log-probability is -inf adds nothing.
    """
    return _entropy(log_probs.exp(), log_probs)


def _entropy(probs: Float[Tensor, "... c"], log_probs: Float[Tensor, "... c"]) -> Tensor:
    terms = log_probs.clamp_min(torch.finfo(log_probs.dtype).min).mul_(probs)
    return -terms.sum(dim=-1, dtype=torch.float64)


def summarise_committee(
    members: Iterable[Float[Tensor, "n c"]],
) -> tuple[Float[Tensor, "n c"], Float[Tensor, " n"]]:
    """Return log(mean_k p_k), at most 0, and the float64 mean_k H(p_k), holding one member at a time.

    A mean probability below 1e-38 is zero, its logarithm -inf.

    Args:
        members: Log-probabilities of each member, at least one.
    """
    total: Tensor | None = None
    entropies: Tensor | None = None
    count = 0
    for log_probs in members:
        probs = log_probs.exp()
        entropy_ = _entropy(probs, log_probs)
        total = probs if total is None else total.add_(probs)
        entropies = entropy_ if entropies is None else entropies.add_(entropy_)
        count += 1
    if total is None or entropies is None:
        raise ValueError("a committee has at least one member")
    return (total / count).log().clamp_max(0), entropies / count


def bald(
    committee_log_mean: Float[Tensor, "n c"], committee_mean_entropy: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """H(mean_k p_k) - mean_k H(p_k), the members' disagreement. In [0, log C]; large is uncertain.

    Houlsby et al. 2011, equation 2; Gal et al. 2017. Rounding can push a difference of nearly equal entropies below
    zero, hence the clamp.
    """
    return (entropy(committee_log_mean) - committee_mean_entropy).clamp_min(0)


def true_loss(log_probs: Float[Tensor, "n c"], labels: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
    """-log p of the true class. In [0, inf); large is badly predicted. Needs the label: an oracle."""
    return -log_probs.gather(1, labels[:, None]).squeeze(1)
