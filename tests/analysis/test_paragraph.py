"""What is written about a sweep as a whole: for the person who pays, then exactly; no more than the numbers carry."""

import math

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.advice import advice
from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.findings import excluded
from alray.analysis.sweep.next_steps.decision import decide
from alray.analysis.sweep.next_steps.words import choice_said, seeds_said
from alray.analysis.sweep.summary import summarise
from alray.analysis.sweep.texts import paragraph, reading
from tests.helpers.intervals import generator
from tests.helpers.summary_rows import above, below, random_row, row_of
from tests.helpers.sweep_frames import CONTROL, study, study_with_own_reference

SAVED = (0.12, 0.05, 0.18)
SHOWN = "That it does better here is shown, since luck alone names a winner in at most 1 of 20 such comparisons"


@pytest.mark.parametrize(
    ("rows", "sentences"),
    [
        (
            [above(saved=SAVED)],
            [
                "Let margin choose what to label: it needs about 1,056 labels for the accuracy that random choice has "
                "with 1,200, a saving of 144 labels (12 %), worth 7.20 EUR.",
                f"{SHOWN}; the saving itself may be as small as 60 or as large as 216 labels.",
            ],
        ),
        (
            [above(saved=(0.04, -0.03, 0.1)), row_of("entropy")],
            [
                "Let margin choose what to label: it needs about 1,152 labels for the accuracy that random choice has "
                "with 1,200, a saving of 48 labels (4 %), worth 2.40 EUR.",
                f"{SHOWN}; the saving at the end is less sure, between 36 labels more and 120 labels fewer.",
            ],
        ),
        (
            [above(saved=(-0.05, -math.inf, 0.1))],
            [
                "Let margin choose what to label: on the way to 1,500 labels it is ahead of random choice, though no "
                "longer at the end, where it needs about 60 labels more.",
                f"{SHOWN}; the saving at the end is less sure, at most 120 labels fewer.",
            ],
        ),
        (
            [row_of(seeds_needed=20.0), row_of("entropy", difference=(0, -1, 1)), below("bald")],
            [
                "Keep labelling by random choice for now: none of the 3 strategies is clearly better here, and bald "
                "is worse.",
                "margin looked best, but that may be luck: against the 1,200 labels of random choice, the truth is "
                "between 24 labels more and 108 labels fewer.",
            ],
        ),
        (
            [row_of(seeds_needed=math.inf, saved=(math.nan,) * 3)],
            [
                "Keep labelling by random choice for now: margin is not clearly better here.",
            ],
        ),
        (
            [row_of(difference=(-0.002, -0.02, 0.02), seeds_needed=math.nan), below("bald")],
            [
                "Keep labelling by random choice for now: none of the 2 strategies is clearly better here, and bald "
                "is worse.",
                "margin came nearest, without being ahead so far.",
            ],
        ),
        (
            [below("bald"), below("entropy")],
            ["Label by random choice: each of the 2 strategies tried here does worse."],
        ),
        (
            [row_of(paired_seeds=5, exploratory=True, seeds_needed=7.0)],
            [
                "It is too early to decide: 5 repetitions cannot tell a better strategy from luck, 6 or more can.",
                "So far margin looks best.",
            ],
        ),
        (
            # The larger area is not shown, the smaller one is.
            [above(saved=SAVED), row_of("bald", difference=(0.03, -0.01, 0.07))],
            [
                "Let margin choose what to label: it needs about 1,056 labels for the accuracy that random choice has "
                "with 1,200, a saving of 144 labels (12 %), worth 7.20 EUR.",
                f"{SHOWN}; the saving itself may be as small as 60 or as large as 216 labels.",
            ],
        ),
        ([row_of("ideal_loss", oracle=True)], []),
        ([row_of("random + loss predictor", strategy="random")], []),
    ],
    ids=[
        "better",
        "unsure at the end",
        "only before the end",
        "open",
        "hopeless",
        "behind",
        "worse",
        "early",
        "shown, not the largest",
        "oracle",
        "control",
    ],
)
def test_whoever_pays_reads_what_to_do(rows, sentences):
    """What to do and what it is worth, and how sure: at most three sentences."""
    assert advice([random_row(), *rows], price=(0.05, "EUR")) == sentences


UNEQUAL_SEEDS = {
    "one is shown, with more seeds": (
        [above(), row_of("entropy", difference=(0.04, math.nan, math.nan), paired_seeds=3)],
        "Let margin choose",
        "Let margin choose",
    ),
    "one is worse, and another may not be": (
        [below("margin"), row_of("entropy", difference=(-0.03, -0.08, 0.02))],
        "Keep labelling by random choice for now: none of the 2 strategies is clearly better here",
        "Label at random for now",
    ),
    "one is worse, and another has few seeds": (
        [
            below("margin"),
            row_of("entropy", difference=(0.04, math.nan, math.nan), paired_seeds=3),
        ],
        "It is too early to decide: 3 repetitions",
        "Run more seeds to decide about entropy",
    ),
}


@pytest.mark.parametrize(("rows", "advised", "step"), UNEQUAL_SEEDS.values(), ids=UNEQUAL_SEEDS)
def test_the_advice_and_the_next_step_decide_alike(rows, advised, step):
    """With unequal seeds the arm that looks best need not be the one that something is shown of."""
    rows = [random_row(), *(row | {"alc": 0.6, "against": "random"} for row in rows)]
    found = decide(rows, {})
    assert advice(rows)[0].startswith(advised)
    assert (choice_said(found, rows) or seeds_said(found)).startswith(step)


@pytest.fixture(scope="module")
def with_own_reference():
    return study_with_own_reference()


def texts_of(rounds, runs):
    comparison = compare(rounds, pd.DataFrame(), runs, None, generator())
    summary = summarise(rounds, runs, generator())
    return summary, paragraph(summary, comparison).splitlines()


def test_an_arm_with_a_reference_of_its_own_is_never_said_to_be_compared_with_random(
    with_own_reference,
):
    rounds, runs = (frame[frame["arm"] != "margin"] for frame in with_own_reference)
    summary, (advised, stated) = texts_of(rounds, runs)
    areas = summary.set_index("arm")["alc"]
    assert areas["random"] > areas["learning_loss"] > areas[CONTROL]
    assert advised == (
        f"Choose between settings first: learning_loss is shown to do better than {CONTROL}, but random did better "
        "still over the whole curve, and these two were not compared with each other."
    )
    assert f"learning_loss is above {CONTROL}; {CONTROL} is below random." in stated
    assert "Of 2 arms learning_loss has the best area against what each is compared with" in stated
    assert f"of the labels at {CONTROL}'s final accuracy" in stated
    assert f"Its accuracy is shown to be better than {CONTROL}'s from" in stated
    assert "random's" not in stated.replace(CONTROL, "")


def test_the_arm_that_is_chosen_beside_it_is_compared_with_random(with_own_reference):
    """margin gains less on random than learning_loss on its own reference, and has the larger area."""
    _, (advised, stated) = texts_of(*with_own_reference)
    assert advised.startswith("Let margin choose what to label: it needs about")
    assert "that random choice has with 180" in advised
    assert (
        f"learning_loss is above {CONTROL}; {CONTROL} is below random; margin is above random"
        in stated
    )
    assert "Of 3 arms learning_loss has the best area against what each is compared with" in stated


OWN = {"against": CONTROL}
OPEN = (
    f"learning_loss looked better than {CONTROL}, but that may be luck: against the 1,200 labels of {CONTROL}, the "
    "truth is between 24 labels more and 108 labels fewer."
)


@pytest.mark.parametrize(
    ("rows", "sentences"),
    [
        (
            [row_of("learning_loss", **OWN)],
            [
                "Keep labelling by random choice for now: learning_loss is not clearly better here than "
                f"{CONTROL}.",
                OPEN,
            ],
        ),
        (
            [row_of("learning_loss", **OWN), below("margin", against="random")],
            [
                "Keep labelling by random choice for now: none of the 2 strategies is clearly better here than what "
                "it is compared with, and margin is worse.",
                OPEN,
            ],
        ),
        (
            [below("learning_loss", **OWN)],
            [f"Label by random choice: the strategy tried here does worse than {CONTROL}."],
        ),
        (
            [row_of("learning_loss", paired_seeds=3, **OWN)],
            [
                "It is too early to decide: 3 repetitions cannot tell a better strategy from luck, 6 or more can.",
                f"So far learning_loss looks best against {CONTROL}.",
            ],
        ),
        (
            [above("margin [frozen]", saved=SAVED, against="random [frozen]")],
            [
                "Let margin [frozen] choose what to label: it needs about 1,056 labels for the accuracy that random "
                "[frozen] has with 1,200, a saving of 144 labels (12 %).",
                f"{SHOWN}; the saving itself may be as small as 60 or as large as 216 labels.",
            ],
        ),
    ],
    ids=["open", "open beside another", "worse", "early", "other settings"],
)
def test_advice_names_what_an_arm_was_compared_with(rows, sentences):
    assert advice([random_row(), *rows]) == sentences


def test_seeds_without_a_partner_are_those_of_the_arm_that_it_is_compared_with():
    rows = random_row(), row_of("learning_loss", unpaired_seeds=2, **OWN)
    assert excluded(rows) == [
        "Seeds finished by only one of an arm and the arm that it is compared with, left out of comparisons: "
        "learning_loss 2."
    ]


def test_words_of_statistics_are_left_to_the_statement():
    words = ("interval", " p ", "test", "power", "band", "seed", "significan", "95", "ALC", "area")
    for row in (above(saved=SAVED), row_of(seeds_needed=20.0), below(), row_of(paired_seeds=3)):
        text = " ".join(advice([random_row(), row]))
        assert text
        assert not [word for word in words if word in text]


@pytest.mark.parametrize("metric", ["nll", "macro_f1"])
def test_the_metric_decides_which_way_is_better(metric):
    """The arm with the smaller NLL, and the larger F1."""
    loses, wins = above("bald", metric=metric), below("margin", metric=metric)
    if metric == "macro_f1":
        loses, wins = wins, loses
    text = " ".join(advice([random_row(metric=metric), loses, wins]))
    assert f"Let {wins['arm']} choose" in text
    assert ("NLL (nats)" if metric == "nll" else "macro F1") in text


def frames_of(heights, **options):
    rounds, runs = study(strategies=("random", "margin"), **options)
    gain = rounds["arm"].map({"random": 0.0, "margin": 1.0}) * rounds["labels"].map(heights)
    return rounds.assign(accuracy=rounds["accuracy"] + gain), runs


@pytest.mark.parametrize(
    ("heights", "where"),
    [
        ({100: 0, 120: 0.3, 140: 0.3, 160: 0.3, 180: 0.3}, "from 120 to 180 labels (band"),
        (
            {100: 0, 120: 0.3, 140: 0, 160: 0.3, 180: 0.3},
            "at 120 labels and from 160 to 180 labels (band",
        ),
    ],
)
def test_where_along_the_curve_an_arm_is_ahead_is_read_from_the_band(heights, where):
    """Not from intervals of single points, which are wrong somewhere in a third of studies without a difference."""
    rounds, runs = frames_of(heights)
    rounds["accuracy"] = rounds["accuracy"].mask(
        (rounds["arm"] == "margin") & (rounds["labels"].map(heights) == 0),
        rounds.groupby(["seed", "labels"])["accuracy"].transform("first"),
    )
    comparison = compare(rounds, pd.DataFrame(), runs, None, generator())
    text = paragraph(summarise(rounds, runs, generator()), comparison)
    assert f"Its accuracy is shown to be better than random's {where}" in text


def test_nothing_is_shown_along_the_curve_of_an_arm_that_is_not_shown_to_be_better():
    rounds, runs = frames_of(dict.fromkeys((100, 120, 140, 160, 180), -0.02))
    comparison = compare(rounds, pd.DataFrame(), runs, None, generator())
    text = paragraph(summarise(rounds, runs, generator()), comparison, price=(0.1, ""))
    assert "not shown to differ" in text
    assert "saves" not in text
    assert "shown to be better" not in text
    assert "nan" not in text


def test_the_paragraph_ends_with_what_was_left_out():
    """And a study in which nothing can be compared says that first."""
    nothing = compare(
        pd.DataFrame(), pd.DataFrame(), study()[1].assign(status="failed"), None, generator()
    )
    text = paragraph(pd.DataFrame([random_row(failed=2), above(saved=SAVED)]), nothing)
    assert text.splitlines()[-1] == "Runs failed and are left out: random 2."
    alone = paragraph(pd.DataFrame([random_row(failed=2), row_of(paired_seeds=0)]), nothing)
    assert alone == "No arm can be compared with random.\nRuns failed and are left out: random 2."


def test_the_terminal_says_the_same():
    rows = pd.DataFrame([random_row(), above(saved=SAVED)])
    advised, stated = reading(rows)
    assert advised.startswith("Let margin choose")
    assert stated.startswith("Over the whole learning curve")


def test_a_planted_difference_is_found_and_its_size_is_in_the_interval():
    """From records to words: margin is .02 higher at every label count."""
    rounds, runs = study(seeds=12)
    summary = summarise(rounds, runs, generator()).set_index("arm")
    row = summary.loc["margin"]
    assert row["alc_difference_low"] < 0.02 < row["alc_difference_high"]
    assert (row["p"] < 0.05) == (row["alc_difference_low"] > 0)
    assert np.isfinite(row["labels_saved_of"])
