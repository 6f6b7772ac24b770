"""The verdict in one paragraph: never more than the intervals carry. And how many seeds a difference needs."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.findings import paragraph
from alray.analysis.sweep.summary import summarise
from alray.statistics.paired import mean_interval
from alray.statistics.power import power, seeds_for_power, standardised
from tests.helpers.intervals import generator
from tests.helpers.summary_rows import above, below, random_row, row_of
from tests.helpers.sweep_frames import study

EMPTY = compare(
    pd.DataFrame(), pd.DataFrame(), study()[1].assign(status="failed"), None, generator()
)


def comparison_of(arm="margin", needed=1200.0, ends=((-0.1, 0.1),) * 4):
    """Return a comparison in which one arm has these ends of its intervals, from low to high targets."""
    pairs = pd.DataFrame({"arm": ["random", arm], "random_labels": [math.nan, needed]})
    steps = np.arange(len(ends))
    savings = pd.DataFrame(ends, columns=["low", "high"])
    savings = savings.assign(arm=arm, accuracy=0.5 + 0.05 * steps, random_labels=300 * (steps + 1))
    return replace(EMPTY, pairs=pairs, savings=savings)


def text_of(*rows, comparison=None, **options):
    return paragraph(pd.DataFrame(rows), comparison or comparison_of(), **options)


NOTHING_SHOWN = (
    "At 4 target accuracies, each taken alone, no interval of its saving excludes zero."
)


def test_nothing_shown_is_stated():
    """The example of the specification, with what would be needed."""
    row = row_of(paired_seeds=5, exploratory=True)
    assert text_of(random_row(), row) == (
        "Over the whole learning curve (area under it, 5 paired seeds, corrected for 1 comparison) "
        "margin is not shown to differ from random. "
        "margin saves 4 % (-2 to 9 %) of the labels at random's final accuracy, 48 (-24 to 108) of 1200: "
        f"not shown to differ from zero with 5 seeds. {NOTHING_SHOWN} "
        "Exploratory, fewer than six paired seeds: all arms. "
        "With 5 paired seeds no corrected p below 0.062 is possible: 6 or more seeds are needed to show a "
        "difference. If its area differed by as much as seen here, 23 paired seeds would show it with a power "
        "of 80 %."
    )


def test_the_best_of_several_is_named_with_a_warning():
    """By area; picking it flatters it. Money is the labels times the price."""
    best = above(saved=(0.12, 0.05, 0.18))
    text = text_of(random_row(), below(), best, label_cost=0.05, currency="EUR")
    assert "bald is below random; margin is above random." in text
    assert (
        "margin has the largest area of 2 arms, and being picked flatters it: "
        "it saves 12 % (5 to 18 %) of the labels at random's final accuracy, 144 (60 to 216) of 1200, "
        "worth 7.20 (3.00 to 10.80) EUR at 0.05 EUR a label, with 8 seeds."
    ) in text
    assert "power" not in text


def test_needing_more_labels_is_not_called_a_saving():
    """Ends and money are exchanged together."""
    row = below("bald", saved=(-0.08, -0.15, -0.01))
    text = text_of(random_row(), row, comparison=comparison_of("bald"), label_cost=2.0)
    assert (
        "bald needs 8 % (1 to 15 %) more labels than random for its own final accuracy, "
        "96 (12 to 180) more than 1200, costing 192.00 (24.00 to 360.00) at 2 a label, with 8 seeds."
    ) in text


@pytest.mark.parametrize(
    ("ends", "where"),
    [
        (
            [(-0.1, 0.1), (0.01, 0.1), (0.02, 0.2), (-0.1, 0.3)],
            "a saving is shown from 0.550 to 0.600 (random needs 600 to 900 labels); elsewhere no difference is.",
        ),
        (
            [(0.1, 0.2), (-0.1, 0.1), (0.02, 0.2), (-math.inf, -0.01)],
            "a saving is shown from 0.500 to 0.500 and from 0.600 to 0.600 (random needs 300 to 900 labels), and "
            "a need for more labels than random is shown from 0.650 to 0.650 (random needs 1200 to 1200 labels); "
            "elsewhere no difference is.",
        ),
        (
            [(0.1, 0.2), (-0.1, 0.1)] * 3,
            "a saving is shown from 0.500 to 0.500 and from 0.600 to 0.600 and from 0.700 to 0.700 "
            "(random needs 300 to 1500 labels); elsewhere no difference is.",
        ),
        (
            [(0.1, 0.2), (-0.1, 0.1)] * 4,
            "a saving is shown at 4 of them, from 0.500 to 0.800 (random needs 300 to 2100 labels); "
            "elsewhere no difference is.",
        ),
        ([(0.0, 0.2), (-0.2, 0.0)], "no interval of its saving excludes zero."),
    ],
)
def test_where_along_the_curve_a_saving_holds(ends, where):
    """Stretches of targets whose interval excludes zero; an end at zero does not."""
    text = text_of(random_row(), above(), comparison=comparison_of(ends=ends))
    assert f"At {len(ends)} target accuracies, each taken alone, {where}" in text


def test_where_is_left_out_without_intervals():
    """One seed, or no targets at all."""
    one = above(saved=(0.12, math.nan, math.nan), paired_seeds=1, exploratory=True)
    saving = "margin saves 12 % of the labels at random's final accuracy, 144 of 1200: one seed gives no"
    for comparison in (
        comparison_of(ends=[(math.nan, math.nan)]),
        replace(EMPTY, pairs=comparison_of().pairs),
    ):
        text = text_of(random_row(), one, comparison=comparison)
        assert "target accuracies" not in text
        assert saving in text


def test_oracles_are_never_the_best():
    """They see the labels; alone they recommend nothing."""
    oracle = row_of("ideal_loss", oracle=True, difference=(0.05, 0.04, 0.06), holm_p=0.03)
    text = text_of(random_row(), above(), oracle)
    assert "margin saves" in text
    assert "ideal_loss (oracle) saves" not in text
    alone = text_of(random_row(), oracle)
    assert alone.endswith("Only oracles are compared, which cannot be used for real labelling.")


def test_what_failed_comes_last():
    """And a study in which nothing can be compared says that first."""
    text = text_of(random_row(failed=2), above())
    assert text.endswith("Runs failed and are left out: random 2.")
    nothing = text_of(random_row(failed=2), row_of(paired_seeds=0), comparison=EMPTY)
    assert nothing == "No arm can be compared with random. Runs failed and are left out: random 2."


def test_what_cannot_be_computed_is_stated():
    """A diverged arm is never the best one where there is another, and says so where there is none."""
    lost = row_of("bald", (math.nan,) * 3, (math.nan,) * 3, holm_p=math.nan)
    assert "labels saved cannot be computed" not in text_of(random_row(), lost, above())
    assert "bald: labels saved cannot be computed." in text_of(
        random_row(), lost, comparison=EMPTY
    )


def test_what_it_is_compared_with_has_its_own_name():
    """Everywhere in the text."""
    rows = random_row(), above(unpaired_seeds=2), row_of("bald"), below("entropy")
    text = text_of(*rows, reference="coreset")
    assert "random" not in text
    assert "above coreset" in text
    assert "coreset's final accuracy" in text
    assert "an arm and its coreset arm" in text


def test_a_real_study_gives_a_paragraph():
    """From records to words."""
    rounds, runs = study()
    comparison = compare(rounds, pd.DataFrame(), runs, None, generator())
    text = paragraph(summarise(rounds, runs, generator()), comparison, label_cost=0.1)
    assert "margin has the largest area of 2 arms" in text
    assert "At 40 target accuracies" in text
    assert "nan" not in text


@pytest.mark.parametrize(("seeds", "effect"), [(5, 1.68), (6, 1.43), (8, 1.16), (10, 1.00)])
def test_seeds_for_a_known_effect(seeds, effect):
    """Detectable effects at 80 % power, as tabled for the paired t test (R: power.t.test(type = "paired"))."""
    assert power(seeds, effect) == pytest.approx(0.8, abs=0.005)
    assert power(seeds, -effect) == power(seeds, effect)
    assert seeds_for_power(effect + 0.01) == seeds
    assert seeds_for_power(effect - 0.02) == seeds + 1


def test_more_comparisons_need_more_seeds():
    """Bonferroni; an effect of nothing is never shown."""
    assert (seeds_for_power(1.0), seeds_for_power(1.0, 10)) == (10, 18)
    assert power(10, 0.0) == pytest.approx(0.05)
    assert seeds_for_power(0.0) is None
    assert seeds_for_power(math.nan) is None
    assert power(400, 5.0) == pytest.approx(1)


def test_an_effect_is_read_from_its_interval():
    """Mean over standard deviation; none where seeds agree or there is one."""
    values = generator().normal(0.5, 1, size=9)
    assert standardised(mean_interval(values)) == pytest.approx(values.mean() / values.std(ddof=1))
    assert math.isnan(standardised(mean_interval(values[:1])))
    assert math.isnan(standardised(mean_interval(values * 0)))
