"""What a network believed of objects before it learnt from answers about them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.pools.pool import Indices

LogPrior = npt.NDArray[np.float64]
"""(objects, classes) log-probabilities that count before any answer does."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Predictions of objects that a network had not learnt from.

    Attributes:
        objects: (m,) pool indices, each once.
        log_probs: (m, classes) what it predicted.
    """

    objects: Indices
    log_probs: npt.NDArray[np.float32]

    def __add__(self, later: "Beliefs") -> "Beliefs":
        return Beliefs(
            np.concatenate([self.objects, later.objects]),
            np.concatenate([self.log_probs, later.log_probs]),
        )

    def log_prior(self, objects: Indices, log_prior: LogPrior) -> LogPrior:
        """Return (n, classes) the beliefs of rising objects, and (classes,) `log_prior` where there is none."""
        found = np.tile(log_prior, (len(objects), 1))
        known = np.isin(self.objects, objects)
        found[np.searchsorted(objects, self.objects[known])] = self.log_probs[known]
        return found
