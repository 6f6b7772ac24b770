"""The best scores class by class, so that rare classes are asked for too."""

from dataclasses import dataclass, replace

import numpy as np
from typing_extensions import override

from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_no_nan
from alray.strategies.scorers import ScoreOption, wanted
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class ClassBalanced(ScoreOption, BatchStrategy):
    """Takes the best score of the predicted class with the fewest labels, again and again.

    A class has as many labels as labelled objects, and one more for each chosen object that is predicted to be of it.
    Of classes with equally few labels the one with the best score comes first. A class that nothing is predicted to be
    of is passed over. The scores that it records are largest where they are best: 1 - margin, and of the predicted loss
    and the smallest true loss the share of candidates that are no better.
    """

    @property
    @override
    def needs(self) -> Request:
        return replace(super().needs, log_probs=True, labelled=Request())

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        log_probs = given(signals.log_probs)
        check_no_nan("log-probabilities", log_probs)
        predicted = log_probs.argmax(1).cpu().numpy()
        scores = wanted(self.scorer, signals)
        # The best first; equal scores are in the order of a permutation, never of the file.
        order = np.lexsort((rng.permutation(len(scores)), -scores))
        waiting = {
            int(each): list(order[predicted[order] == each][::-1]) for each in np.unique(predicted)
        }
        labels = given(given(signals.labelled).labels).cpu().numpy()
        counts = np.bincount(labels, minlength=log_probs.shape[1])
        chosen: list[int] = []
        for _ in range(k):
            each = min(waiting, key=lambda c: (counts[c], -scores[waiting[c][-1]]))
            chosen.append(waiting[each].pop())
            counts[each] += 1
            if not waiting[each]:
                del waiting[each]
        return Query(signals.candidates[chosen], scores[chosen])
