"""What is written about a summary: never more than its intervals carry."""

import math

import pandas as pd
import pytest

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.findings import paragraph, reading, sentence, whole_curve
from tests.helpers.intervals import generator
from tests.helpers.summary_rows import above, below, random_row, row_of
from tests.helpers.sweep_frames import study


def table(*rows):
    return reading(pd.DataFrame(rows))


SAVED = (0.12, 0.05, 0.18)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            above(saved=SAVED),
            "margin saves 12 % (5 to 18 %) of the labels at random's final accuracy with 8 seeds; "
            "over the whole curve it is above random (p 0.031).",
        ),
        (
            row_of(saved=SAVED),
            "margin saves 12 % (5 to 18 %) of the labels at random's final accuracy with 8 seeds; "
            "over the whole curve it is not shown to differ from random.",
        ),
        (
            row_of(saved=SAVED, paired_seeds=5, exploratory=True),
            "margin saves 12 % (5 to 18 %) of the labels at random's final accuracy with 5 seeds, fewer than six: "
            "exploratory; over the whole curve it is not shown to differ from random.",
        ),
        (
            below(saved=(-0.08, -0.153, -0.01)),
            "bald needs 8 % (1 to 15 %) more labels than random for its own final accuracy with 8 seeds; "
            "over the whole curve it is below random (p 0.031).",
        ),
        (
            below(saved=(-0.08, -0.153, 0.01)),
            "bald needs 8 % (-1 to 15 %) more labels than random for its own final accuracy: "
            "not shown to differ from zero with 8 seeds.",
        ),
        (row_of(seeds=0, paired_seeds=0), "margin: no finished run, so nothing is known."),
        (
            random_row(),
            "random: accuracy 0.712 (0.705 to 0.719) at 1500 labels; compared with no other arm.",
        ),
        (
            random_row(accuracy_low=math.nan, accuracy_high=math.nan),
            "random: accuracy 0.712 at 1500 labels; compared with no other arm.",
        ),
        (row_of(saved=(math.nan,) * 3), "margin: labels saved cannot be computed."),
        (
            row_of(saved=(0.04, math.nan, math.nan), paired_seeds=1),
            "margin saves 4 % of the labels at random's final accuracy: one seed gives no interval, "
            "so nothing is shown.",
        ),
        (
            row_of("ideal_loss", oracle=True, saved=(0.001, -0.004, 0.004)),
            "ideal_loss (oracle) saves 0 % (0 to 0 %) of the labels at random's final accuracy: "
            "not shown to differ from zero with 8 seeds.",
        ),
    ],
)
def test_a_sentence_shows_no_more_than_its_numbers(row, text):
    """Labels saved are not corrected for the number of arms, so the corrected test stands beside them.

    More labels than random are no saving; oracles are marked; there is no -0 %.
    """
    assert sentence(row) == text


def test_reading_groups_arms_by_what_is_shown():
    """By the corrected test and the interval together."""
    rows = (random_row(), above(), below(), row_of("entropy"), row_of("ideal_loss", oracle=True))
    assert table(*rows) == [
        "Area under the learning curve, 8 paired seeds, corrected for 4 comparisons: "
        "margin: above random; bald: below random; "
        "entropy, ideal_loss (oracle): not shown to differ from random.",
        "Labels saved is read at the end of the curves; at lower accuracies it may differ.",
    ]


@pytest.mark.parametrize(
    "change", [{"holm_p": 0.05}, {"holm_p": math.nan}, {"alc_difference_low": 0.0}]
)
def test_an_arm_is_above_only_if_test_and_interval_agree(change):
    """A corrected p of 0.05, none, or an interval that touches zero is not enough."""
    assert "margin: not shown to differ" in table(random_row(), above() | change)[0]


def test_tables_and_charts_have_each_verdict_in_a_word():
    rows = (above(), below(), row_of(), row_of(exploratory=True), random_row())
    assert [(whole_curve(row).kind, whole_curve(row).cell) for row in rows] == [
        ("better", "better"),
        ("worse", "worse"),
        ("open", "not shown"),
        ("open", "not shown, exploratory"),
        ("uncompared", "not compared"),
    ]


def test_failures_come_first():
    """Then unfinished runs, then unpaired seeds."""
    text = table(random_row(unfinished=1), above(failed=2), below(failed=1, unpaired_seeds=3))
    assert text[:3] == [
        "Runs failed and are left out: margin 2, bald 1.",
        "Runs not finished and left out: random 1.",
        "Seeds finished by only one of an arm and its random arm, left out of comparisons: bald 3.",
    ]


@pytest.mark.parametrize(
    ("seeds", "arms", "needed", "text"),
    [
        (6, 1, 6, None),
        (6, 2, 7, "With 6 paired seeds no corrected p below 0.062 is possible"),
        (6, 4, 8, "With 6 paired seeds no corrected p below 0.12 is possible"),
        (8, 4, 8, None),
        (5, 1, 6, "With 5 paired seeds no corrected p below 0.062 is possible"),
        (1, 3, 7, "With 1 paired seed no corrected p below 1 is possible"),
    ],
)
def test_a_study_that_could_not_show_anything_says_so(seeds, arms, needed, text):
    """The smallest corrected p is m 2^(1 - n), and the number named is the first that brings it below 0.05."""
    rows = [row_of(f"arm{i}", paired_seeds=seeds, exploratory=seeds < 6) for i in range(arms)]
    found = [sentence for sentence in table(random_row(), *rows) if "is possible" in sentence]
    assert arms * 2.0 ** (1 - needed) < 0.05 <= arms * 2.0 ** (2 - needed)
    expected = f"{text}: {needed} or more seeds are needed to show a difference."
    assert found == ([] if text is None else [expected])


def test_exploratory_arms_are_named():
    """And different numbers of seeds are given as a range."""
    text = table(random_row(), above(), below(paired_seeds=5, exploratory=True))
    assert "5 to 8 paired seeds, corrected for 2 comparisons" in text[0]
    assert text[1] == "Exploratory, fewer than six paired seeds: bald."
    # The arm with eight seeds could have been shown to differ.
    assert len(text) == 3


def test_without_a_random_arm_there_is_nothing_to_read():
    """One sentence, after failures."""
    assert table(row_of(paired_seeds=0, failed=1)) == [
        "Runs failed and are left out: margin 1.",
        "No arm has a random arm to compare with.",
    ]


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
    """On the terminal and on the page."""
    first = row_of(**NUMBERS)
    other = row_of(
        "mine [width=64]", **{**NUMBERS, **changes, "paired_seeds": changes.get("seeds", 8)}
    )
    rows = pd.DataFrame([random_row(), first, other])
    nothing = compare(
        pd.DataFrame(), pd.DataFrame(), study()[1].assign(status="failed"), None, generator()
    )
    for texts in (reading(rows), [paragraph(rows, nothing)]):
        found = [EQUAL for text in texts if EQUAL in text]
        assert found == sentences
        assert any("same choices" in text for text in texts) == bool(sentences)


@pytest.mark.parametrize("column", ["nll", "seconds_per_round"])
def test_arms_of_which_too_little_is_known_are_not_called_equal(column):
    """Accuracies alone may be equal by chance, and arms without rounds have to be."""
    rows = [row_of(arm, **{**NUMBERS, column: math.nan}) for arm in ("margin", "entropy")]
    assert not any("same choices" in text for text in table(*rows))
