"""How reports of correlation studies open: at most three sentences that a reader can use."""

import math

import pandas as pd
import pytest

from alray.analysis.correlation.opening import opening
from tests.analysis.test_correlation_findings import PREDICTION, check_of, nothing, row_of, unclear

SURE = (
    "How sure: this rests on 3 base models of this pool; on 7 pools such findings agreed with sweeps by 0.54 (0.31 to "
    "0.76, where 1 is full agreement and 0 is none), so take it as a hint and decide by alray sweep."
)


def opened(*rows, checks=None, main=("accuracy", "score")):
    return opening(pd.DataFrame(rows), pd.DataFrame(checks or [check_of()]), PREDICTION, main)


def margin(**changes):
    """Return a margin that helps."""
    numbers = {"uplift": 0.02, "uplift_low": 0.01, "uplift_high": 0.03}
    return row_of(
        **{"score": "margin", "queried": "small", "verdict": "helps", **numbers, **changes}
    )


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        (
            [row_of(epochs=1), row_of(epochs=5, uplift=-0.03), margin()],
            "Querying by the smallest margin helps after 5 epochs (accuracy +0.020, 40 % of what a group changes); by "
            "the largest loss hurts after 1 and 5 epochs (accuracy at most -0.030, 60 % of what a group changes).",
        ),
        (
            [row_of(), row_of(score="least_confidence")],
            "Querying by the largest loss and least confidence hurt after 5 epochs (accuracy at most -0.012, 24 % of "
            "what a group changes).",
        ),
        (
            [nothing(), nothing(score="bald", epochs=1)],
            "Loss and bald after 1 and 5 epochs: no effect larger than 10 % of what a group changes.",
        ),
        (
            [unclear(verdict="no change", epochs=1, typical_change=0.0)],
            "After 1 epoch groups of objects change nothing measurable.",
        ),
        (
            [unclear(verdict="no difference", icc=0.01, seeds_needed=900)],
            "After 5 epochs groups of objects do not differ in usefulness beyond chance, so no score can tell which to "
            "label.",
        ),
        (
            [unclear(icc=0.1, seeds_needed=36)],
            "Loss after 5 epochs: too noisy to tell, --fine-tune-seeds 36 would do.",
        ),
        (
            [unclear(icc=math.nan)],
            "Loss after 5 epochs: too noisy to tell; try more --fine-tune-seeds.",
        ),
        (
            [unclear(uplift_p=0.5)],
            "Loss after 5 epochs: not known, effects of up to 40 % of what a group changes are possible; more --bases "
            "narrow this.",
        ),
    ],
    ids=["two", "together", "none", "no change", "no difference", "noisy", "one seed", "wide"],
)
def test_the_first_sentence_says_what_to_expect(rows, first):
    """Of a null pool neither a bound in the unit of the outcome nor a number of seeds is given."""
    found = opened(*rows)
    assert found == [first, SURE]


def test_it_is_never_more_than_three_sentences():
    kinds = [unclear(verdict=kind, epochs=1) for kind in ("no change", "no difference")]
    found = opened(*kinds, nothing(score="bald"), unclear(score="entropy"), row_of(), margin())
    assert len(found) == 3
    assert [text.count(". ") for text in found] == [0, 0, 0]


def test_few_bases_and_a_check_that_failed_are_said():
    found = opened(row_of(bases=1), checks=[check_of(shuffled_high=0.01)])
    assert (
        "1 base model of this pool, too few: train at least 3, and wrong labels are not seen to do harm after 5 "
        "epochs, so harm may go unseen" in found[-1]
    )


@pytest.mark.parametrize(
    ("main", "text"),
    [
        (("nll", "score"), "There are no groups by score measured by nll: nothing can be read."),
        (("accuracy", "random"), "All groups are random, and none would be queried: "),
    ],
)
def test_without_a_queried_group_it_says_so(main, text):
    (found,) = opened(row_of(), row_of(grouping="random"), main=main)
    assert found.startswith(text)
