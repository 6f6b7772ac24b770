"""The labels that a sweep uses besides its budget: counted, named, and priced."""

import pytest

from alray.analysis.sweep.labels_outside import count_outside, labels_outside


@pytest.mark.parametrize(
    ("stopping", "metric_split", "expected"),
    [
        (["held_out"], "test", "+ 573 for early stopping, 1,143 for measuring"),
        (["from_labels", "fixed_epochs"], "test", "+ 1,143 for measuring"),
        (["held_out"], "validation", "+ 573 for early stopping and measuring"),
        (["from_labels"], "validation", "+ 573 for measuring"),
        (
            ["held_out", "from_labels"],
            "test",
            "+ 573 for early stopping where training.stopping is held_out, 1,143 for measuring",
        ),
    ],
)
def test_labels_are_counted_where_they_are_used(stopping, metric_split, expected):
    found = count_outside(stopping, metric_split, validation=573, test=1143)
    assert found.words == expected
    assert labels_outside(found.entry) == found


@pytest.mark.parametrize(
    ("stopping", "metric_split", "expected"),
    [
        (["from_labels"], "test", "+ 573 for choosing, 1,143 for measuring"),
        (["held_out"], "test", "+ 573 for early stopping and choosing, 1,143 for measuring"),
        (["held_out", "from_labels"], "test", "+ 573 for choosing, 1,143 for measuring"),
        (["held_out"], "validation", "+ 573 for early stopping, choosing and measuring"),
    ],
)
def test_to_choose_between_variants_takes_the_validation_part(stopping, metric_split, expected):
    found = count_outside(stopping, metric_split, validation=573, test=1143, choosing=True)
    assert found.words == expected


def test_nothing_is_said_where_the_numbers_are_not_on_record():
    unknown = labels_outside({})
    assert (unknown.words, unknown.cost(0.05, "EUR")) == ("", "")


@pytest.mark.parametrize(
    ("stopping", "expected"),
    [
        (
            "held_out",
            "Every strategy also uses 573 labels for early stopping (28.65 EUR), which the labels counted here leave "
            "out and a campaign has to buy. The 1,143 labels for measuring (57.15 EUR) are no part of what a campaign "
            "has to buy.",
        ),
        (
            "from_labels",
            "The 1,143 labels for measuring (57.15 EUR) are no part of what a campaign has to buy.",
        ),
    ],
)
def test_the_price_of_what_a_campaign_buys_and_of_measuring_are_apart(stopping, expected):
    found = count_outside([stopping], "test", validation=573, test=1143)
    assert found.cost(0.05, "EUR") == expected
    assert found.cost(None, "") == ""
    assert "(573.00)" in count_outside(["held_out"], "test", validation=573, test=1).cost(1.0, "")
