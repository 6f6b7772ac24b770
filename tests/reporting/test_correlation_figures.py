"""The figures: what is drawn where, in which colours, and that print and page show the same."""

import dataclasses
import json
import math
import re
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alray.analysis.correlation.groupings import usefulness
from alray.reporting import theme
from alray.reporting.correlation.frames import choose, group_points, shown_interval
from alray.reporting.correlation.page import figures_of
from alray.reporting.correlation.style import DoseAxis, bound_of
from alray.reporting.figures import spread_labels
from tests.helpers.correlation_worlds import SCORES
from tests.helpers.report_frames import Size, results
from tests.helpers.report_reading import texts_of


@pytest.fixture(scope="module")
def study():
    return results(seed=11)


@pytest.fixture(scope="module")
def choice(study):
    return choose(study.summary, study.outcomes, "accuracy", None)


@pytest.fixture(scope="module")
def figures(study, choice):
    return {figure.name: figure for figure in figures_of(study, choice)}


def test_the_figures_of_a_correlation_study(figures):
    assert list(figures) == ["uplift", "scatter", "quantiles", "rho_by_dose", "groupings"]


def test_printed_figures_name_axes_panels_and_what_they_show(figures):
    """Axis titles carry units; panels carry names, units and the queried end."""
    scatter = texts_of(figures["scatter"])
    assert "Does a group's mean score predict how useful it is?" in scatter
    assert scatter.count("mean score of the group") == 5
    assert "change in accuracy against control" in scatter
    assert "loss (nats): large is queried" in scatter
    assert "margin: small is queried" in scatter
    assert any(text.startswith("accuracy after 20 epochs, groups by score.") for text in scatter)
    rho = texts_of(figures["rho_by_dose"])
    assert rho.count("dose (epochs, log axis)") == 3
    assert "Spearman rho (-1 to 1)" in rho
    assert {"by score", "within class", "at random"} <= set(rho)
    assert all(rho.count(score.replace("_", " ")) == 3 for score in SCORES)
    assert "tenth of the groups, by rising score" in texts_of(figures["quantiles"])
    assert "uplift in accuracy over random" in texts_of(figures["uplift"])
    assert {"least confidence", "within class"} <= set(texts_of(figures["groupings"]))


def test_labels_of_axes_have_no_leading_zero(figures):
    """And a sign where they are changes."""
    texts = [text for figure in figures.values() for text in texts_of(figure)]
    assert not [text for text in texts if re.fullmatch(r"[+\u2212-]?0\.\d+", text)]
    assert [text for text in texts if re.fullmatch(r"\+\.\d+", text)]


def test_a_score_has_one_colour_everywhere_and_the_line_at_zero_is_dark(figures):
    for figure in figures.values():
        svg = figure.svg().decode()
        assert all(theme.COLOURS[score].lower() in svg.lower() for score in SCORES)
        assert f'stroke="{theme.LIGHT["zero"]}"' in svg


def test_print_shows_the_chosen_rows_only(figures):
    """As many points as groups and bases, at one dose, in one grouping."""
    printed = figures["scatter"].svg().decode()
    assert printed.count('opacity="0.75"') == 5 * 2 * 20


def test_without_intervals_no_bars_are_drawn(study, figures):
    """One seed has none; an empty layer would make Vega complain of infinite extents."""
    one = study.outcomes[study.outcomes["seed"] == 0]
    choice = choose(study.summary, one, "accuracy", None)
    _, without, *_ = figures_of(dataclasses.replace(study, outcomes=one), choice)
    bar = 'opacity="0.22"'
    assert figures["scatter"].svg().decode().count(bar) == 5 * 2 * 20
    assert bar not in without.svg().decode()
    assert len(without.spec["spec"]["layer"]) == len(figures["scatter"].spec["spec"]["layer"]) - 1


@pytest.mark.parametrize(
    ("groupings", "question"),
    [
        (("score", "within_class", "random"), "survive within classes, and vanish at random?"),
        (("score", "random"), "Does the correlation vanish at random?"),
        (("score",), "How large is the correlation?"),
    ],
)
def test_the_figure_of_groupings_asks_about_those_that_there_are(groupings, question):
    made = results(Size(groupings=groupings), seed=3)
    chosen = choose(made.summary, made.outcomes, "accuracy", None)
    figure = {each.name: each for each in figures_of(made, chosen)}["groupings"]
    assert figure.heading.endswith(question)
    assert ("within class" in figure.caption) == ("within_class" in groupings)


def test_the_page_gets_all_doses_and_groupings(figures, study):
    sent = figures["scatter"].interactive()
    rows = pd.DataFrame(sent["rows"], columns=sent["columns"])
    points = rows[rows["group"].notna()]
    assert len(points) == 5 * 3 * 3 * 2 * 20
    assert set(points["epochs"]) == {1, 5, 20}
    assert "data" not in sent["spec"]
    json.dumps(sent, allow_nan=False)


def test_without_controls_the_axis_says_that_usefulness_is_against_the_base(study):
    outcomes = study.outcomes[study.outcomes["grouping"] != "control"]
    choice = choose(study.summary, outcomes, "accuracy", None)
    assert choice.usefulness == "change in accuracy against base"


def test_a_point_is_the_mean_of_its_group(study):
    """Scores over its objects, the fall in NLL with its t interval over three seeds, and the commonest class."""
    outcomes = study.outcomes.assign(nll=study.outcomes["nll"] ** 2)
    choice = choose(study.summary, outcomes, "nll", None)
    points = group_points(study.groups, outcomes, study.bases, choice)
    of_point = (points["base"] == 1) & (points["group"] == 4) & (points["epochs"] == 5)
    margin = points[of_point & (points["score"] == "margin")].set_index("grouping")
    objects = study.groups[(study.groups["base"] == 1) & (study.groups["group"] == 4)]
    for grouping, sorted_by in [("score", "margin"), ("random", "")]:
        inside = objects[(objects["grouping"] == grouping) & (objects["sorted_by"] == sorted_by)]
        point = margin.loc[grouping]
        assert point["mean_score"] == pytest.approx(inside["margin"].mean())
        counts = inside["label"].value_counts()
        percent, _, label = point["commonest"].partition(" % ")
        assert counts[label] == counts.max()
        assert int(percent) == round(100 * counts.max() / len(inside))
    useful = usefulness(outcomes, study.bases).query(
        "base == 1 and group == 4 and epochs == 5 and grouping == 'score' and sorted_by == 'margin'"
    )["nll"]
    point = margin.loc["score"]
    assert point["usefulness"] == pytest.approx(useful.mean())
    # t with 2 degrees of freedom: 4.302653
    half = 4.302653 * useful.std() / math.sqrt(3)
    assert (point["high"] - point["low"]) / 2 == pytest.approx(half, rel=1e-6)


def test_the_interval_of_rho_is_the_bootstrap_where_there_is_one_base():
    rows = pd.DataFrame(
        {
            "rho_low": [0.1, math.nan],
            "rho_high": [0.3, math.nan],
            "rho_bootstrap_low": [0.0, -0.2],
            "rho_bootstrap_high": [0.4, 0.2],
        }
    )
    shown = shown_interval(rows)
    assert shown["low"].tolist() == [0.1, -0.2]
    assert shown["high"].tolist() == [0.3, 0.2]


@given(st.lists(st.floats(-1, 1), max_size=8))
def test_labels_keep_their_order_their_distance_and_their_place(values):
    """Within the axis, at least a gap apart, in the order of what they label."""
    positions = spread_labels(values, 0.2, -1.0, 1.0)
    assert len(positions) == len(values)
    order = sorted(range(len(values)), key=lambda i: values[i])
    ordered = [positions[i] for i in order]
    assert all(b - a >= 0.2 - 1e-9 for a, b in pairwise(ordered))
    assert all(-1 - 1e-9 <= position <= 1 + 1e-9 for position in positions)


def test_labels_that_do_not_touch_stay_where_they_are():
    assert spread_labels([0.5, -0.5, 0.52], 0.1, -1.0, 1.0) == pytest.approx([0.46, -0.5, 0.56])


def test_the_axis_of_doses():
    """Logarithmic from a factor of four; points at one dose stand around it."""
    assert not DoseAxis((1, 2, 3)).logarithmic
    assert DoseAxis((1, 4)).logarithmic
    for doses in [(1, 2, 3), (1, 20), (7,)]:
        axis = DoseAxis(doses)
        assert axis.domain[0] < doses[0] <= doses[-1] < axis.domain[1]
        places = pd.Series([0, 1, 2])
        beside = axis.beside(pd.Series([doses[-1]] * 3), places, 3)
        assert beside[1] == pytest.approx(doses[-1])
        assert beside[0] < beside[1] < beside[2] < axis.domain[1]


@pytest.mark.parametrize(
    ("values", "bound"),
    [
        ([0.1], 0.2),
        ([-0.41, 0.3], 0.6),
        ([0.4, math.nan], 0.4),
        ([0.95], 1.0),
        ([math.nan], 1.0),
        ([], 1.0),
    ],
)
def test_axes_of_correlations_are_symmetrical_and_end_at_fifths(values, bound):
    assert bound_of(values) == pytest.approx(bound)
