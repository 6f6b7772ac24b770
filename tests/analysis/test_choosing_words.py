"""What a sweep without rounds says in words."""

import pytest

from alray.analysis.sweep.choosing import choose
from alray.analysis.sweep.choosing_words import choice_reading
from alray.settings.base import validate
from alray.settings.sweep import SweepSpec
from tests.helpers.choice_frames import NAMES, records, spread
from tests.helpers.intervals import generator

BEST, NEAR = spread(0.7005, seed=6), spread(0.7, seed=4)


def said(values, failed="", **settings):
    rounds, runs = records(values)
    runs.loc[runs["run_id"] == failed, "status"] = "failed"
    spec = validate(SweepSpec, {"rounds": 0, **settings}, "here")
    return " ".join(choice_reading(choose(rounds, runs, NAMES, generator()), spec.model_dump()))


def test_a_clear_winner():
    text = said({"": BEST, "width=32": spread(0.6, seed=1), "width=8": spread(0.5, seed=2)})
    assert text.startswith(
        "Take width=128: it has the best validation accuracy. It is shown to be better than each of the 2 others (in "
        "one test of 3 pairs, paired by seed)."
    )
    assert "was picked by that accuracy" in text
    assert "plays no role in the choice" in text
    assert text.endswith("No fit has used the validation part.")


def test_a_smaller_network_in_the_place_of_the_best():
    text = said({"": BEST, "width=32": NEAR, "width=8": spread(0.5, seed=2)})
    assert text.startswith(
        "Take width=32: with 60 parameters instead of 300 it lies within one standard error of the best, width=128 "
        "(-.001 validation accuracy), and no difference between the two is shown. width=32 is not shown to differ from "
        "width=128, and width=8 is shown to be worse"
    )


def test_a_winner_that_cannot_be_told_from_a_smaller_network_further_away():
    text = said({"": BEST, "width=8": spread(0.675, size=0.04, seed=5)})
    assert "Take width=128: it has the best" in text
    assert "width=8 is not shown to differ from width=128 (in one test of 1 pair" in text
    assert "No smaller network lies within one standard error of width=128." in text


def test_few_seeds():
    text = said({"": BEST[:3], "width=32": NEAR[:3]})
    assert "which may be luck: with 3 seeds no difference can be shown" in text
    assert "--seeds 6 adds seeds" in text
    assert "shown to be" not in text


def test_a_variant_with_too_few_seeds_is_not_passed_over():
    """It is .01 behind on five seeds: not the other variant that the best one is shown to be better than."""
    values = {"": BEST, "width=32": spread(0.6, seeds=6, seed=1), "width=8": spread(0.69, seeds=5)}
    few = "width=8 has fewer than 6 seeds in common with width=128, too few to compare."
    assert (
        "It is shown to be better than width=32 (in one test of 3 pairs, paired by seed). " + few
        in said(values)
    )
    behind = (0.03, 0.03, 0.03, 0.03, 0.03, -0.005)
    near = said(
        {**values, "width=32": [best - by for best, by in zip(BEST, behind, strict=False)]}
    )
    assert (
        f"(in one test of 3 pairs, paired by seed). {few} No smaller network of those compared lies"
        in near
    )


def test_nothing_to_choose_between():
    assert "There is one variant" in said({"": BEST})
    assert said({"": BEST[:1]}, failed="random-__seed-0") == "No run has finished."
    half = said({"": BEST[:1], "width=32": NEAR[:1]}, failed="random-__seed-0")
    assert "Runs failed and left out: width=128: 1." in half
    assert "Only width=32 has finished" in half


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"training": {"stopping": "held_out"}}, "Fits stop early by the validation part"),
        ({"training": {"stopping": "fixed_epochs"}}, "No fit has used the validation part."),
        (
            {"vary": {"training.stopping": ["held_out", "from_labels"]}},
            "Fits with stopping=held_out stop early",
        ),
        ({"compat": "original"}, "with --set training.stopping=fixed_epochs the part is kept"),
        ({"split": {"per": "study"}}, "hold for that split alone"),
    ],
)
def test_what_the_validation_part_was_used_for(settings, expected):
    assert expected in said({"": BEST, "width=32": NEAR}, **settings)


def test_metrics_on_validation_alone():
    rounds, runs = records({"": BEST, "width=32": NEAR})
    found = choose(rounds, runs, NAMES, generator(), metric_split="validation")
    text = " ".join(choice_reading(found, SweepSpec(rounds=0).model_dump()))
    assert "The test part was not looked at (metric_split: validation)." in text


def test_variants_with_other_numbers_of_labels():
    rounds, runs = records({"": BEST, "width=32": NEAR})
    rounds.loc[rounds["variant"] == "", "labels"] = 2000
    text = choice_reading(choose(rounds, runs, NAMES, generator()), SweepSpec().model_dump())
    assert "Variants learn from 100 to 2,000 labels, and more labels are an advantage." in text[-1]
