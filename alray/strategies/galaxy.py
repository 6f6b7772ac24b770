"""GALAXY: bisect the lines on which labels change, class by class, where classes are unequal (Zhang et al. 2022)."""

from dataclasses import dataclass

import numpy as np
import torch
from typing_extensions import override

from alray.strategies.base import BatchStrategy, Query, given
from alray.strategies.checking import check_finite
from alray.strategies.margin_lines import MarginLines
from alray.strategies.signals import Request, Signals


@dataclass(frozen=True)
class Galaxy(BatchStrategy):
    """Takes the middle of the shortest stretch between an object of a class and one of another, again and again.

    Zhang et al. 2022, algorithm 1: for each class all objects lie on a line, ordered by p_class - max p, and by p_class
    where that is zero. Of all stretches of unlabelled objects between two labelled ones, one of the class and one of
    another, on any line, the shortest is bisected; equally short ones come at random. Where labels change between
    neighbours alone, the unlabelled object nearest to a change is taken (the paper joins ever farther neighbours until
    a path exists, which finds the same); where they change nowhere, a random one. Of two classes one line says all.

    The paper reads each label before it chooses the next object. The labels of a query become known when its round
    ends, so within a query an object's predicted class stands in for its label: a bisection goes on towards the place
    where the prediction changes, instead of the place where the labels do. With `query: 1` it is the paper's choice.
    """

    @property
    @override
    def needs(self) -> Request:
        return Request(log_probs=True, labelled=True)

    @override
    def select(self, signals: Signals, k: int, rng: np.random.Generator) -> Query:
        candidates, labelled = given(signals.log_probs), given(signals.labelled)
        both = torch.cat([candidates, given(labelled.log_probs)]).cpu()
        check_finite("log-probabilities", both)
        predicted = both.argmax(1).numpy()
        lines = MarginLines(both, given(labelled.labels).cpu().numpy(), rng)
        chosen: dict[int, None] = {}
        any_order = iter(rng.permutation(len(candidates)).tolist())
        while len(chosen) < k:
            position = lines.next()
            if position is None:
                position = next(each for each in any_order if each not in chosen)
            chosen[position] = None
            lines.know(position, int(predicted[position]))
        return Query(signals.candidates[list(chosen)], np.full(k, np.nan))
