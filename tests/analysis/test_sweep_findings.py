"""What is stated exactly about a summary: never more than its test and intervals carry."""

import math

import pandas as pd
import pytest

from alray.analysis.sweep.findings import excluded, statement, whole_curve
from tests.helpers.summary_rows import above, below, random_row, row_of

SAVED = (0.12, 0.05, 0.18)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            above(saved=SAVED),
            "margin saves 12 % (5 to 18 %) of the labels at random's final accuracy, 144 (60 to 216) of 1200, "
            "worth 7.20 (3.00 to 10.80) EUR at 0.05 EUR a label.",
        ),
        (
            row_of(saved=SAVED),
            "margin needed 12 % (5 to 18 %) fewer labels at random's final accuracy, 144 (60 to 216) of 1200, "
            "worth 7.20 (3.00 to 10.80) EUR at 0.05 EUR a label, which may be luck.",
        ),
        (
            below(saved=(-0.08, -0.15, -0.01)),
            "bald needs 8 % (1 to 15 %) more labels than random for its own final accuracy, 96 (12 to 180) more than "
            "1200, costing 4.80 (0.60 to 9.00) EUR at 0.05 EUR a label.",
        ),
        (row_of(saved=(math.nan,) * 3), "margin: labels saved cannot be computed."),
        (
            row_of(saved=(0.04, math.nan, math.nan), paired_seeds=1),
            "margin needed 4 % fewer labels at random's final accuracy, 48 of 1200, worth 2.40 EUR at 0.05 EUR a "
            "label, which may be luck.",
        ),
        (
            row_of(saved=(0.001, -0.004, 0.004)),
            "margin needed 0 % (0 to 0 %) fewer labels at random's final accuracy, 1 (-5 to 5) of 1200, worth 0.06 "
            "(-0.24 to 0.24) EUR at 0.05 EUR a label, which may be luck.",
        ),
        (
            above(saved=(0.04, -0.03, 0.1)),
            "margin needed 4 % (-3 to 10 %) fewer labels at random's final accuracy, 48 (-36 to 120) of 1200, worth "
            "2.40 (-1.80 to 6.00) EUR at 0.05 EUR a label.",
        ),
        (
            below(saved=(0.01, -0.02, 0.03)),
            "bald needed 1 % (-2 to 3 %) fewer labels at random's final accuracy, 12 (-24 to 36) of 1200, worth 0.60 "
            "(-1.20 to 1.80) EUR at 0.05 EUR a label.",
        ),
        (
            below(saved=(-0.01, -math.inf, 0.03)),
            "bald needed 1 % (above -3 %) more labels than random for its own final accuracy, 12 (-36 to inf) more "
            "than 1200, costing 0.60 (-1.80 to inf) EUR at 0.05 EUR a label.",
        ),
        (
            above(saved=(0.04, math.nan, math.nan)),
            "margin needed 4 % fewer labels at random's final accuracy, 48 of 1200, worth 2.40 EUR at 0.05 EUR a "
            "label.",
        ),
    ],
)
def test_a_saving_is_claimed_only_where_a_difference_and_a_saving_are_shown(row, text):
    """More labels than random are no saving; ends and money are exchanged together; there is no -0 %."""
    assert statement([random_row(), row], price=(0.05, "EUR"))[1] == text


def test_arms_are_grouped_by_what_is_shown():
    rows = (random_row(), above(), below(), row_of("entropy"), row_of("ideal_loss", oracle=True))
    first, best = statement(rows)
    assert first == (
        "Over the whole learning curve (area under the accuracy curve, 8 paired seeds, one test for 4 comparisons) "
        "margin is above random; bald is below random; entropy and ideal_loss (oracle) are not shown to differ from "
        "random."
    )
    assert best.startswith(
        "margin has the best area of 4 arms, and being picked flatters it: it needed 4 % (-2 to 9 %) fewer labels"
    )


@pytest.mark.parametrize("change", [{"p": 0.05}, {"p": math.nan}, {"alc_difference_low": 0.0}])
def test_an_arm_is_above_only_if_the_test_says_so(change):
    """A p of 0.05, none, or an interval that touches zero is not enough."""
    assert "margin is not shown to differ" in statement([random_row(), above() | change])[0]


def test_tables_and_charts_have_each_verdict_in_a_word():
    rows = (
        above(),
        below(),
        above(metric="nll"),
        row_of(),
        row_of(exploratory=True),
        random_row(),
    )
    assert [(whole_curve(row).kind, whole_curve(row).cell) for row in rows] == [
        ("better", "better"),
        ("worse", "worse"),
        ("worse", "worse"),
        ("open", "not shown"),
        ("open", "not shown, exploratory"),
        ("uncompared", "not compared"),
    ]


def test_what_is_left_out_is_named():
    """Failed runs, then unfinished ones, then unpaired seeds."""
    rows = random_row(unfinished=1), above(failed=2), below(failed=1, unpaired_seeds=3)
    assert excluded(rows) == [
        "Runs failed and are left out: margin 2, bald 1.",
        "Runs not finished and left out: random 1.",
        "Seeds finished by only one of an arm and its random arm, left out of comparisons: bald 3.",
    ]


@pytest.mark.parametrize(
    ("seeds", "arms", "smallest"), [(6, 1, None), (6, 9, None), (5, 4, "0.062"), (1, 3, "1")]
)
def test_a_study_that_could_not_show_anything_says_so(seeds, arms, smallest):
    """The smallest p is 2^(1 - n), whatever the number of arms."""
    rows = [row_of(f"arm{i}", paired_seeds=seeds, exploratory=seeds < 6) for i in range(arms)]
    found = [text for text in statement([random_row(), *rows]) if "is possible" in text]
    assert len(found) == (smallest is not None)
    expected = (
        f"no p below {smallest} is possible: 6 or more seeds are needed to show a difference."
    )
    assert all(text.endswith(expected) for text in found)


def test_exploratory_arms_are_named():
    """And different numbers of seeds are given as a range."""
    text = statement([random_row(), above(), below(paired_seeds=5, exploratory=True)])
    assert "5 to 8 paired seeds, one test for 2 comparisons" in text[0]
    assert text[2:] == ["Exploratory, fewer than 6 paired seeds: bald."]


@pytest.mark.parametrize(("needed", "many"), [(20.0, "about 20"), (math.inf, "more than 100")])
def test_the_seeds_that_a_difference_takes_are_named(needed, many):
    assert statement([random_row(), row_of(seeds_needed=needed)])[-1] == (
        f"If its area differed by as much as seen here, {many} paired seeds would show it with a power of 80 %."
    )


def test_what_it_is_compared_with_has_its_own_name():
    rows = random_row(), above(unpaired_seeds=2), row_of("bald"), below("entropy")
    text = " ".join([*statement(rows, "coreset"), *excluded(rows, "coreset")])
    assert "random" not in text
    assert "above coreset" in text
    assert "coreset's final accuracy" in text
    assert "an arm and its coreset arm" in text


def test_oracles_are_never_the_best():
    """They see the labels; alone they recommend nothing."""
    oracle = row_of("ideal_loss", oracle=True, difference=(0.05, 0.04, 0.06), p=0.03)
    text = " ".join(statement([random_row(), above(saved=SAVED), oracle]))
    assert "margin has the best area" in text
    alone = statement([random_row(), oracle])
    assert alone[-1] == "Only oracles are compared, which cannot be used for real labelling."


def test_without_a_random_arm_there_is_nothing_to_state():
    assert statement([row_of(paired_seeds=0)]) == ["No arm can be compared with random."]


NUMBERS = {"macro_f1": 0.61, "nll": 1.23456789, "ece": 0.05, "alc": 0.6, "seconds_per_round": 0.1}
EQUAL = (
    "margin and mine [width=64] made the same choices in every run, with equal numbers to the last digit: compare "
    "their settings, since what differs between them had no effect."
)


@pytest.mark.parametrize(
    ("changes", "sentences"),
    [
        ({}, [EQUAL]),
        ({"nll": 1.2345678900000002}, []),
        ({"alc": 0.6000000000000001}, []),
        ({"seeds": 7}, []),
        ({"seeds": 0, "labels": pd.NA}, []),
        ({"ece": math.nan}, []),
    ],
    ids=str,
)
def test_arms_with_equal_numbers_are_named_as_such(changes, sentences):
    first = row_of(**NUMBERS)
    other = row_of(
        "mine [width=64]", **{**NUMBERS, **changes, "paired_seeds": changes.get("seeds", 8)}
    )
    rows = pd.DataFrame([random_row(), first, other]).to_dict("records")
    assert [text for text in excluded(rows) if "same choices" in text] == sentences


@pytest.mark.parametrize("column", ["nll", "seconds_per_round"])
def test_arms_of_which_too_little_is_known_are_not_called_equal(column):
    """Accuracies alone may be equal by chance, and arms without rounds have to be."""
    rows = [row_of(arm, **{**NUMBERS, column: math.nan}) for arm in ("margin", "entropy")]
    assert not any("same choices" in text for text in excluded([random_row(), *rows]))
