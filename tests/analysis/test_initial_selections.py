"""Beginning with other objects than random ones: planted gains, equal beginnings, other settings held equal."""

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.arms import Criterion
from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.between_variants import saved_texts
from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.crowd_choices import crowd_choices
from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.initial_selections import (
    INITIAL_SELECTION_COLUMNS,
    initial_selections,
    selections_said,
)
from alray.analysis.sweep.summary import summarise
from alray.analysis.sweep.texts import further_said, paragraph
from alray.reporting.sweep.pay_tables import choice_sections
from alray.reporting.sweep.style import arms_of
from tests.helpers.intervals import generator, sizes, within
from tests.helpers.sweep_frames import study

TYPICLUST, CENTROID = "initial_selection=typiclust", "initial_selection=centroid"
BOTH = ("random", "margin")


def records(heights, strategies=BOTH, seeds=8, rng=None):
    """Return rounds and runs of variants whose arms lie so high; a seed has a level, and a run noise of its own."""
    rng = rng or generator(2)
    rounds, runs = study(seeds=seeds, strategies=strategies, variants=tuple(heights))
    high = [
        heights[variant].get(strategy, 0)
        if isinstance(heights[variant], dict)
        else heights[variant]
        for variant, strategy in zip(rounds["variant"], rounds["strategy"], strict=True)
    ]
    of_run = dict(zip(runs["run_id"], 0.003 * rng.normal(size=len(runs)), strict=True))
    noise = rounds["run_id"].map(of_run) + 0.003 * rng.normal(size=len(rounds))
    accuracy = 0.5 + 0.001 * (rounds["labels"] - 100) + 0.02 * rounds["seed"] + noise + high
    return rounds.assign(accuracy=accuracy), runs


def found(heights, own="random", axis=None, **sizes_of):
    split = split_full_data(*records(heights, **sizes_of))
    return initial_selections(split, axis or Axis(), "accuracy", generator(), own)


def against(frame):
    return dict(zip(frame["arm"], frame["against"], strict=True))


def test_a_beginning_that_is_better_for_one_strategy_is_said_to_be_for_that_alone():
    """A curve that is .03 higher needs 30 labels fewer, of which the first 100 are not known."""
    frame = found({"": 0, TYPICLUST: {"random": 0.03}})
    assert list(frame) == list(INITIAL_SELECTION_COLUMNS)
    random, margin = frame.to_dict("records")
    assert (random["arm"], random["against"]) == (f"random [{TYPICLUST}]", "random")
    assert (random["initial_selection"], random["against_selection"]) == ("typiclust", "random")
    assert (random["axis"], random["begin"], random["budget"]) == ("labels", 100, 180)
    assert random["alc_difference_low"] < 0.03 < random["alc_difference_high"]
    assert random["labels_saved_low"] < 30 / 180 < random["labels_saved_high"]
    assert margin["alc_difference_low"] < 0 < margin["alc_difference_high"]
    effect, numbers = selections_said(frame)
    assert effect == (
        "Beginning with typiclust instead of random objects is better for random and is not shown to make a "
        "difference for margin (area under the accuracy curve from 100 to 180 labels, 8 paired seeds, one test for 2 "
        "comparisons)."
    )
    assert numbers.startswith(
        "Difference of areas and labels saved at the final accuracy of the other beginning (95 % intervals, for all "
        f"of these together): random +{random['alc_difference']:.3f} (".replace("+0", "+")
    )


def test_a_worse_beginning_is_said_to_be_worse_and_few_seeds_to_show_nothing():
    worse = found({"": 0, TYPICLUST: -0.03})
    assert " random objects is worse for random and margin (" in selections_said(worse)[0]
    few = selections_said(found({"": 0, TYPICLUST: -0.03}, seeds=3))
    assert "is not shown to make a difference for random and margin" in few[0]
    assert "3 paired seeds, of which it takes 6 to show a difference, one test" in few[0]
    assert "interval" not in few[1]


@sizes(quick=20)
def test_intervals_hold_together_and_equal_beginnings_are_rarely_said_to_differ(worlds):
    """Two beginnings against random, of two strategies; one of them gains."""
    rng, gains = generator(5), {"random": 0.02}
    missed = claimed = 0
    for _ in range(worlds):
        frame = found({"": 0, TYPICLUST: gains, CENTROID: 0}, rng=rng)
        is_planted = frame["initial_selection"] == "typiclust"
        truth = is_planted * frame["strategy"].map(gains).fillna(0)
        ends = frame["alc_difference_low"], frame["alc_difference_high"]
        missed += not ((ends[0] <= truth) & (truth <= ends[1])).all()
        said = " ".join(selections_said(frame[~is_planted]))
        claimed += "is better for" in said or "is worse for" in said
    assert within(1 - missed / worlds, 0.94, 1, worlds)
    assert within(claimed / worlds, 0, 0.06, worlds)


def test_all_other_settings_are_equal_also_those_of_a_crowd():
    variants = {"": 0, TYPICLUST: 0, "answers=1": 0, f"answers=1, {TYPICLUST}": 0}
    rounds, runs = records(variants)
    each = np.where(rounds["variant"].str.contains("answers=1"), 0.05, 0.1)
    paid = rounds.assign(cost=each * rounds["labels"], answers=rounds["labels"])
    split, money = split_full_data(paid, runs), Axis("cost", "EUR")
    frame = initial_selections(split, money, "accuracy", generator(), "random")
    assert against(frame) == {
        f"random [{TYPICLUST}]": "random",
        f"margin [{TYPICLUST}]": "margin",
        f"random [answers=1, {TYPICLUST}]": "random [answers=1]",
        f"margin [answers=1, {TYPICLUST}]": "margin [answers=1]",
    }
    assert set(frame["axis"]) == {"cost"}
    said = " ".join(selections_said(frame, "EUR"))
    assert "curve from 10.00 to 18.00 EUR, 8 paired seeds, one test for 4 comparisons" in said
    assert "for random [answers=1] and margin [answers=1] (area" in said
    assert "money saved" in said
    of_crowd = against(crowd_choices(split, money, "accuracy", generator()))
    assert of_crowd[f"random [answers=1, {TYPICLUST}]"] == f"random [{TYPICLUST}]"
    assert of_crowd["margin [answers=1]"] == "margin"
    assert len(of_crowd) == 4


@pytest.mark.parametrize(
    ("variants", "own", "beginning"),
    [
        (("", "initial_selection=random"), "centroid", "centroid instead of random objects"),
        ((TYPICLUST, ""), "random", "typiclust instead of random objects"),
        ((CENTROID, TYPICLUST), "random", "typiclust instead of centroid objects"),
        (("", TYPICLUST), "", "typiclust instead of objects chosen as the study does"),
    ],
)
def test_random_objects_are_what_others_are_compared_with_where_they_were_run(
    variants, own, beginning
):
    frame = found(dict.fromkeys(variants, 0), own)
    assert selections_said(frame)[0].startswith(f"Beginning with {beginning} is not shown")


def test_other_variants_and_studies_without_any_have_no_row():
    assert found({"": 0}).empty
    assert found({"": 0, "batch_norm=frozen": 0.1}).empty
    assert selections_said(found({"": 0})) == []


def test_an_arm_given_up_before_the_study_got_more_rounds_is_compared_up_to_its_end():
    rounds, runs = records({"": 0, TYPICLUST: 0.03})
    rounds = rounds[(rounds["variant"] == "") | (rounds["labels"] <= 140)]
    split = split_full_data(rounds, runs)
    frame = initial_selections(split, Axis(), "accuracy", generator(), "random")
    assert set(frame["budget"]) == {140}
    assert frame["alc_difference"].to_numpy() == pytest.approx(0.03, abs=0.01)
    late = rounds[(rounds["variant"] == "") | (rounds["labels"] == 100)]
    late = late[(late["variant"] != "") | (late["labels"] > 100)]
    frame = initial_selections(split_full_data(late, runs), Axis(), "accuracy", generator())
    assert selections_said(frame)[0] == (
        f"At equal numbers of labels random [{TYPICLUST}] and random cannot be compared: one of their runs begins at "
        "120, and another ends at 100 labels; more rounds would let them meet."
    )


def saved(value, low, high, begin=90.0):
    names = ("labels_saved", "labels_saved_low", "labels_saved_high")
    return saved_texts(
        {
            **dict(zip(names, (value, low, high), strict=True)),
            "begin": begin,
            "labels_saved_of": 180.0,
        }
    )


def test_what_reaches_to_the_beginning_is_a_lower_bound():
    """At the first label count the arm may long have had what the other ends with."""
    assert saved(0.2, 0.1, 0.3) == ("20 %", "(10 to 30 %)")
    assert saved(0.2, -0.1, 0.5) == ("20 %", "(-10 % or more)")
    assert saved(0.5, 0.1, 0.5) == ("50 % or more", "(10 % or more)")
    assert saved(0.5, 0.5, 0.5) == ("50 % or more", "")
    assert saved(0.5, -np.inf, 0.5) == ("50 % or more", "")
    assert saved(0.0, 0.0, 0.0, begin=180.0) == ("0 %", "(0 to 0 %)")
    assert saved(np.nan, np.nan, np.nan) == ("-", "")
    high = found({"": 0, TYPICLUST: 0.2})
    assert "; margin +.2" in selections_said(high)[1]
    assert selections_said(high)[1].endswith(", 44 % or more.")


def test_page_and_terminal_say_the_same():
    rounds, runs = records({"": 0, TYPICLUST: {"random": 0.03}})
    criterion = Criterion(initial_selection="random")
    result = compare(rounds, pd.DataFrame(), runs, None, generator(), criterion)
    summary = summarise(rounds, runs, generator(), criterion)
    said = " ".join(selections_said(result.initial_selections))
    assert said
    assert said in paragraph(summary, result)
    assert " ".join(further_said(rounds, runs, 0, "random")) == said
    (section,) = choice_sections(result, arms_of(summary))
    assert section.anchor == "initial-selections"
    assert "along the labels that both have" in section.lead
    assert [arm.name for arm, _ in section.lines] == [
        f"random [{TYPICLUST}]",
        f"margin [{TYPICLUST}]",
    ]
