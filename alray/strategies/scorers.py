"""Scores by name, for strategies that choose by more than a score."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from alray.strategies.base import ScoreStrategy
from alray.strategies.checking import checked_scores
from alray.strategies.committee import Bald, CommitteeMargin
from alray.strategies.selection import refuse_nan
from alray.strategies.signals import Signals
from alray.strategies.uncertainty import Entropy, LeastConfidence, Margin

ScoreName = Literal["margin", "entropy", "least_confidence", "bald", "committee_margin"]

SCORERS: Mapping[ScoreName, ScoreStrategy] = {
    "margin": Margin(),
    "entropy": Entropy(),
    "least_confidence": LeastConfidence(),
    "bald": Bald(),
    "committee_margin": CommitteeMargin(),
}
"""Name: the strategy whose score it is, none below 0."""


def wanted(name: ScoreName, signals: Signals) -> npt.NDArray[np.float64]:
    """Return (n,) a score of at least 0 per candidate, the largest best: 1 - margin where small margins are best.

    Raises:
        ScoreError: Some are NaN.
    """
    scorer = SCORERS[name]
    scores = checked_scores(scorer, scorer.score(signals), signals)
    refuse_nan(scores)
    if scorer.largest:
        return scores
    return np.maximum((scorer.highest or 0.0) - scores, 0.0)
