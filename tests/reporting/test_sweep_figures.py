"""The figures of a sweep: what is drawn, in which colours, and how little of it a page has to hold."""

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alray.reporting.sweep import curve_charts, difference_charts, query_charts
from alray.reporting.sweep.frames import class_shares, end_labels, most_shifted, range_of, thinned
from alray.reporting.sweep.page import figures_of
from alray.reporting.sweep.style import REFERENCE_COLOUR, arms_of, marks_of
from alray.reporting.sweep.tables import money
from tests.helpers.report_reading import texts_of
from tests.helpers.sweep_report_frames import VARIED, Size, results_of

FOURTEEN = (
    *("random", "margin", "bald:members=20", "bald:members=5", "entropy", "least_confidence"),
    *("ideal_loss", *(f"strategy{number}" for number in range(7))),
)


@pytest.fixture(scope="module")
def results():
    return results_of()


@pytest.fixture(scope="module")
def arms(results):
    return arms_of(results.summary)


def figures_by_name(results):
    return {figure.name: figure for figure in figures_of(results, arms_of(results.summary))}


@pytest.fixture(scope="module")
def figures(results):
    return figures_by_name(results)


def test_the_figures_of_a_sweep(figures):
    assert list(figures) == [
        *("curves", "differences", "savings", "wins", "seeds"),
        *("metrics", "overlaps", "query_measures", "classes", "scores", "sigmas", "times"),
    ]


def test_printed_figures_name_axes_units_and_arms(figures):
    named = {
        "curves": {"accuracy", "labels", "random", "margin", "bald:members=20", "ideal_loss"},
        "differences": {"accuracy minus that of random", "ideal_loss (oracle)"},
        "savings": {"labels saved (%)"},
        "metrics": {"NLL (nats)", "macro F1"},
        "sigmas": {"head fused", "head text"},
        "times": {"query", "fit", "evaluation", "seconds per round, mean"},
        "overlaps": {"random", "margin", "ideal_loss"},
        "query_measures": {"margin", "near duplicates (share)", "diversity (1: as random)"},
    }
    for name, texts in named.items():
        assert texts <= set(texts_of(figures[name]))
    assert "random" not in texts_of(figures["differences"])


def test_a_ceiling_is_drawn_where_it_is_known(results, arms):
    """The axis reaches up to it where that leaves the curves their shape; else the caption says where it is."""
    curves = results.comparison.curves
    means = curves.loc[curves["metric"] == "accuracy", "mean"]
    near = means.max() + 0.7 * (means.max() - means.min())
    far = means.max() + 0.8 * (means.max() - means.min())
    figures = [
        curve_charts.learning_curves(curves, arms, "accuracy", ceilings)
        for ceilings in ({}, {"": near}, {"": far})
    ]
    drawn = ['stroke-dasharray="4,4"' in figure.svg().decode() for figure in figures]
    assert drawn == [False, True, False]
    assert "dashed line" in figures[1].caption
    assert f"reaches {far:.3f}, beyond this axis" in figures[2].caption


def test_the_reference_is_grey_and_known_strategies_have_the_colours_of_their_scores():
    """Fourteen arms are told apart, by colour or dash."""
    marks = marks_of(FOURTEEN, ["random"])
    assert marks["random"] == (REFERENCE_COLOUR, (1, 0))
    assert marks["margin"] == ("#0072B2", (1, 0))
    assert marks["bald:members=20"] == ("#E69F00", (1, 0))
    assert len(set(marks.values())) == 14


def test_an_arm_has_its_colour_in_every_figure(figures, arms):
    for name in ("curves", "differences", "savings", "seeds", "metrics", "scores"):
        svg = figures[name].svg().decode().lower()
        drawn = [arm for arm in arms.all if not arm.reference]
        if name == "scores":
            drawn = [arm for arm in drawn if arm.name != "random"]
        assert all(arm.colour.lower() in svg for arm in drawn)


def test_labels_at_the_ends_of_curves_do_not_overlap(results, arms):
    curves = results.comparison.curves
    frame = arms.described(curves[curves["metric"] == "accuracy"])
    labels = end_labels(frame, [0.0, 1.0], 380, 300.0).dropna(subset="name")
    heights = sorted(labels["leader_y"])
    assert len(heights) == 4
    assert all(high - low >= 13 / 380 - 1e-9 for low, high in itertools.pairwise(heights))


def test_variants_stand_in_panels_with_their_strategys_colour():
    results = results_of(VARIED)
    figures = figures_by_name(results)
    assert len({arm.colour for arm in arms_of(results.summary).all}) == 2
    curves = texts_of(figures["curves"])
    assert "batch_norm=frozen" in curves
    assert "the study's own settings" in curves
    assert set(figures["variants"].rows["strategy"]) == {"random", "margin"}
    assert set(figures["differences"].rows["arm"]) == {"margin", "margin [batch_norm=frozen]"}


def test_savings_that_are_not_reached_are_marked(arms):
    """An arrow where the arm does not get there; a band without a bound runs down to the axis; no infinity is kept."""
    frame = pd.DataFrame(
        {
            "arm": "margin",
            "against": "random",
            "target": [0.5, 0.6, 0.7],
            "random_labels": [100.0, 200.0, 300.0],
            "arm_labels": [90.0, 180.0, math.inf],
            "saving": [0.1, 0.1, math.nan],
            "low": [0.0, -math.inf, -math.inf],
            "high": [0.2, 0.2, -0.1],
            "reached": [True, True, False],
        }
    )
    figure = difference_charts.savings(frame, arms, "accuracy")
    assert figure.rows["arrow"].notna().tolist() == [False, False, True]
    assert np.isfinite(figure.rows["low"]).all()
    assert figure.rows["low"].iloc[1] < 0
    json.dumps(figure.interactive(), allow_nan=False)
    assert "Arrows" in figure.caption
    reached = difference_charts.savings(frame.iloc[:2], arms, "accuracy")
    assert "Arrows" not in reached.caption


def test_the_matrix_of_wins_is_antisymmetrical(figures):
    rows = figures["wins"].rows.set_index(["arm", "versus"])
    signs = {"ahead": 1, "behind": -1}
    for (arm, versus), row in rows.iterrows():
        other = rows.loc[(versus, arm)]
        assert row["strength"] == pytest.approx(other["strength"])
        if row["strength"] > 0:
            assert signs[row["side"]] == -signs[other["side"]]


def test_classes_are_compared_with_the_pool_or_else_with_random(results, arms):
    """Margin asks for the rarest class two and a half times as often as the pool holds it."""
    classes = results.comparison.classes
    for frame, expected, tolerance in (
        (classes, "its share in the pool", 0.15),
        (classes.assign(pool_share=math.nan), "random queries it", 0.25),
    ):
        shares, against = class_shares(frame, arms)
        assert against == expected
        margin = shares[(shares["arm"] == "margin") & shares["label"].str.startswith("<")]
        assert margin["doublings"].mean() == pytest.approx(math.log2(2.5), abs=tolerance)


def test_a_class_that_is_never_asked_for_is_drawn_as_such(results, arms):
    """Not left out: that is what is to be seen."""
    none = results.comparison.classes.assign(queried_share=0.0)
    shares, _ = class_shares(none, arms)
    assert len(shares) == len(none)
    assert (shares["doublings"] == -3).all()


def test_the_classes_with_the_largest_shifts_are_kept_rarest_first(results, arms):
    shares, _ = class_shares(results.comparison.classes, arms)
    kept = most_shifted(shares, 2)
    assert len(kept) == 2
    assert kept[0] == "<script>alert(1)</script>"
    figure = query_charts.classes(results.comparison.classes, arms)
    assert "classes with the largest shifts" not in figure.caption


@given(st.integers(1, 500), st.integers(2, 50))
def test_thinning_keeps_both_ends_and_no_more_than_asked(count, points):
    frame = pd.DataFrame({"labels": np.repeat(np.arange(count) * 10, 2), "value": 1.0})
    kept = thinned(frame, points)["labels"].unique()
    assert len(kept) == min(count, points)
    assert {kept[0], kept[-1]} == {0, 10 * (count - 1)}


def test_a_large_study_is_thinned():
    """A page holds at most 200 checkpoints of a mean and 100 of a seed."""
    size = Size(strategies=("random", "margin"), seeds=2, rounds=220)
    figures = figures_by_name(results_of(size))
    points = {
        name: figures[name].rows["labels"].nunique() for name in ("curves", "seeds", "metrics")
    }
    assert points == {"curves": 200, "seeds": 100, "metrics": 100}


def test_an_axis_holds_its_values():
    frame = pd.DataFrame({"a": [0.2, math.inf], "b": [math.nan, 0.6]})
    low, high = range_of(frame, ("a", "b"))
    assert low < 0.2
    assert high > 0.6
    assert range_of(frame.iloc[:0], ("a",)) == [0.0, 1.0]


def test_money_as_text():
    assert money(1234.5, 1000.0, 1500.0, "EUR") == "1,234.50 EUR (1,000.00 to 1,500.00)"
    assert money(2.0, -math.inf, 3.0, "") == "2.00"


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_the_text_above_few_panels_is_not_cut(results, panels):
    figure = figures_by_name(results)["differences"]
    spec = json.loads(json.dumps(figure.spec))
    spec["facet"]["sort"] = spec["facet"]["sort"][:panels]
    figure.__dict__["spec"] = spec
    printed = figure.printed()
    width = (
        panels * spec["spec"]["width"] + printed["padding"]["left"] + printed["padding"]["right"]
    )
    longest = max(len(line) for line in printed["title"]["subtitle"])
    assert width >= 6 * longest
    svg = figure.svg().decode()
    assert float(svg.partition('width="')[2].partition('"')[0]) >= 6 * longest
