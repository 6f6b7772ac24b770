import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alray.errors import ScoreError
from alray.strategies.selection import best

FEW_VALUES = st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, np.inf]), max_size=30)
ANY_VALUES = st.lists(st.floats(allow_nan=False), max_size=50)


def choose(scores, k, seed=0, *, largest=True):
    return best(np.asarray(scores, dtype=float), k, np.random.default_rng(seed), largest=largest)


@given(
    scores=FEW_VALUES | ANY_VALUES,
    share=st.floats(0, 1),
    largest=st.booleans(),
    seed=st.integers(0, 99),
)
@example(scores=[0.0, np.inf, -np.inf, 5.0], share=1.0, largest=True, seed=0)
@example(scores=[], share=1.0, largest=True, seed=0)
@example(scores=[1.0, 2.0], share=0.0, largest=False, seed=0)
def test_the_chosen_values_are_the_first_of_a_sort(scores, share, largest, seed):
    k = round(share * len(scores))
    values = np.array(scores, dtype=float)
    values.setflags(write=False)
    chosen = choose(values, k, seed, largest=largest)
    in_order = np.sort(values)[::-1] if largest else np.sort(values)
    assert len(set(chosen.tolist())) == k
    assert values[chosen].tolist() == in_order[:k].tolist()


@pytest.mark.parametrize("scores", [[1.0] * 8, [1.0] * 5 + [2.0] * 3])
@pytest.mark.parametrize("largest", [True, False])
def test_ties_are_broken_by_chance_not_by_position(scores, largest):
    """Each of the tied objects is taken equally often, and each is equally often the first of them."""
    draws = 1000
    first = np.zeros(8)
    taken = np.zeros(8)
    rng = np.random.default_rng(0)
    for _ in range(draws):
        chosen = best(np.array(scores), 4, rng, largest=largest)
        taken[chosen] += 1
        alike = [position for position in chosen if scores[position] == 1]
        first[alike[0]] += 1
    tied = np.flatnonzero(np.array(scores) == 1)
    remaining = 4 - (3 if largest and 2.0 in scores else 0)
    for counts, share in ((taken, remaining / len(tied)), (first, 1 / len(tied))):
        # Five standard deviations of a binomial.
        tolerance = 5 * np.sqrt(draws * share * (1 - share))
        assert np.abs(counts[tied] - draws * share).max() < tolerance


def test_the_order_of_ties_does_not_depend_on_how_many_are_chosen():
    scores = np.round(np.random.default_rng(0).random(200), 1)
    assert choose(scores, 30).tolist() == choose(scores, 200)[:30].tolist()


def test_nan_is_refused_with_its_positions():
    scores = [0.0, np.nan, 1.0] + [np.nan] * 9
    with pytest.raises(ScoreError, match=r"10 of 12 scores are NaN.*\[1, 3, 4, 5, 6\]"):
        choose(scores, 1)


@pytest.mark.parametrize("k", [-1, 3])
def test_more_than_there_are_is_refused(k):
    with pytest.raises(ValueError, match=f"cannot choose {k} of 2"):
        choose([1.0, 2.0], k)
