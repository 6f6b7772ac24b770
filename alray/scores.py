"""Score formulas: pure functions of log-probabilities. Axes: n objects, k committee members, c classes."""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def least_confidence(log_probs: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """1 - max_c p. In [0, 1 - 1/C]; large is uncertain. Lewis and Gale 1994."""
    return 1 - log_probs.amax(dim=1).exp()


def margin(log_probs: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """p_(1) - p_(2), the two largest probabilities. In [0, 1]; small is uncertain. Scheffer et al. 2001."""
    # `topk` takes three times as long for as few as two.
    first, place = log_probs.max(dim=1)
    second = log_probs.scatter(1, place[:, None], -math.inf).amax(dim=1)
    return first.exp() - second.exp()


def entropy(log_probs: Float[Tensor, "... c"]) -> Float[Tensor, "..."]:
    """-sum_c p log p, summed in float64. In [0, log C]; large is uncertain. Shannon 1948.

    A class whose log-probability is -inf adds nothing.
    """
    terms = log_probs.exp() * log_probs.clamp_min(torch.finfo(log_probs.dtype).min)
    return -terms.sum(dim=-1, dtype=torch.float64)


def log_mean(log_probs: Float[Tensor, "k n c"]) -> Float[Tensor, "n c"]:
    """Log of the committee's mean probability: logsumexp_k log p_k - log k. At most 0, also after rounding."""
    return (log_probs.logsumexp(dim=0) - math.log(len(log_probs))).clamp_max(0)


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
