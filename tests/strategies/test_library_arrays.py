"""The arrays that strategies of other libraries are given."""

from dataclasses import replace

import numpy as np
import pytest

from alray.errors import ScoreError
from alray.strategies.libraries.given import arrays_of
from alray.strategies.signals import Request
from tests.helpers.strategy_cases import N, make_signals, undefined


def arrays(signals, features):
    return arrays_of(signals, np.arange(N), features, unit_length=False, probabilities=True)


@pytest.mark.parametrize("of_labelled", [False, True])
@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("last", r"the features of 1 of (60|9) objects are not finite"),
        ("pool", r"the log-probabilities of 1 of (60|9) objects are NaN"),
    ],
)
def test_outputs_of_the_network_that_are_no_numbers_are_refused(features, message, of_labelled):
    """Libraries order NaN as their sort does, and choose by it."""
    signals = make_signals(
        Request(log_probs=True, features=True, pool_features=True, labelled=True)
    )
    assert len(arrays(signals, features).x) == N + 9
    assert signals.labelled is not None
    wrong = undefined(signals, [3])
    if of_labelled:
        wrong = replace(signals, labelled=undefined(signals.labelled, [3]))
    with pytest.raises(ScoreError, match=message):
        arrays(wrong, features)
