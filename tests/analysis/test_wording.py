"""Numbers, counts, lists and verdicts as texts and tables write them."""

import math

import pytest

from alray.analysis.wording import (
    count,
    counts,
    interval,
    is_or_are,
    joined,
    listed,
    p_value,
    percentage,
    share,
    signed,
)


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [
        (0.0123, ".012", "+.012"),
        (-0.0034, "-.003", "-.003"),
        (1.0, "1.000", "+1.000"),
        (-0.0004, ".000", "+.000"),
        (-12.5, "-12.500", "-12.500"),
        (math.nan, "-", "-"),
    ],
)
def test_numbers(value, plain, with_sign):
    assert (share(value), signed(value)) == (plain, with_sign)


def test_intervals_and_p_values():
    assert interval(-0.02, 0.004) == "(-.020 to +.004)"
    assert interval(math.nan, 0.1) == ""
    assert interval(-0.006, -0.00023) == "(-.006 to -.0002)"  # lies below 0, and shows it
    assert interval(0.00001, 0.02) == "(+.00001 to +.020)"
    assert interval(0.0, 0.02) == "(+.000 to +.020)"
    assert [p_value(p) for p in (0.0001, 0.0312, 1.0, math.nan)] == ["<.001", ".031", "1.000", "-"]
    assert interval(0.6521, 0.7, share) == "(.652 to .700)"


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ((0.12, 0.04, 0.19), ("12 %", "(4 to 19 %)")),
        ((-0.4, -0.45, -0.33), ("-40 %", "(-45 to -33 %)")),
        ((0.04, -math.inf, 0.09), ("4 %", "(below 9 %)")),
        ((math.nan, -math.inf, -0.34), ("not reached", "(below -34 %)")),
        ((0.1, 0.02, math.inf), ("10 %", "(above 2 %)")),
        ((0.1, math.nan, math.nan), ("10 %", "")),
        ((math.nan, math.nan, math.nan), ("-", "")),
        ((0.1, -math.inf, math.inf), ("10 %", "")),
    ],
)
def test_savings_as_text(numbers, shown):
    assert percentage(*numbers) == shown


def test_counts_agree_with_their_noun():
    assert [count(1, "run"), count(0, "run"), count(1200, "object")] == [
        *("1 run", "0 runs", "1,200 objects"),
    ]
    assert count(2, "class", "classes") == "2 classes"
    assert [counts(numbers, "epoch") for numbers in ([1], [5], [1, 5], (1, 2, 5))] == [
        *("1 epoch", "5 epochs", "1 and 5 epochs", "1, 2 and 5 epochs"),
    ]
    assert [is_or_are(number) for number in (0, 1, 2)] == ["are", "is", "are"]


def test_lists_name_all_items_or_the_first_five():
    assert [joined(list("abc")[:number]) for number in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    assert listed(list("abcde")) == "a; b; c; d; e"
    assert listed(list("abcdefg")) == "a; b; c; d; e; and 2 more"
