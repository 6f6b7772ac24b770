"""What strategies have in common that compare a shortlist of the candidates by what each member of a committee says."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from alray.errors import ScoreError
from alray.strategies import scores
from alray.strategies.base import Query, given
from alray.strategies.selection import best
from alray.strategies.signals import Signals


def member_probs(signals: Signals) -> Float[Tensor, "n members classes"]:
    """Return each member's probabilities on the CPU.

    Raises:
        ScoreError: Some are NaN.
    """
    log_probs = given(signals.members).cpu()
    undefined = torch.isnan(log_probs).any(2).any(1).sum()
    if undefined:
        raise ScoreError(
            f"a committee's probabilities are NaN for {int(undefined)} of {len(log_probs)} objects: the model's "
            "outputs are not finite; try a smaller training.lr"
        )
    return log_probs.exp()


def then_by_bald(query: Query, signals: Signals, k: int, rng: np.random.Generator) -> Query:
    """Return a query of k objects: those chosen of the shortlist, then by BALD what a query has beyond it."""
    missing = k - len(query.indices)
    if missing <= 0:
        return query
    left = np.flatnonzero(~np.isin(signals.candidates, query.indices))
    disagreement = scores.bald(
        given(signals.committee_log_mean)[left], given(signals.committee_mean_entropy)[left]
    )
    values = disagreement.cpu().numpy()
    chosen = best(values, missing, rng, largest=True)
    return Query(
        np.concatenate([query.indices, signals.candidates[left[chosen]]]),
        np.concatenate([query.scores, values[chosen]]),
    )
