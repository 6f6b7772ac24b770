"""The page of a sweep: verdict first, every arm in a table; what it shares with the other page is in test_pages."""

import dataclasses
import re

import numpy as np
import pytest

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.summary import summarise
from alray.analysis.wording import count
from alray.reporting.sweep.pair import side_by_side
from tests.helpers.report_reading import (
    Page,
    assert_without_gaps,
    figures_drawn,
    opened_with,
    sweep_html,
)
from tests.helpers.sweep_report_frames import VARIED, Size, frames_of, results_of


def page_of(results):
    return Page(sweep_html(results)[0])


@pytest.fixture(scope="module")
def results():
    return results_of(label_cost=0.05, currency="EUR")


@pytest.fixture(scope="module")
def page(results):
    return page_of(results)


def test_the_verdict_stands_before_tables_and_problems_before_the_verdict(results, page):
    assert "Missing" not in page.words
    words = page_of(dataclasses.replace(results, problems=("2 runs failed.",))).words
    positions = [words.index(text) for text in ("2 runs failed.", "margin saves labels.", "Arms")]
    assert positions == sorted(positions)


def test_every_arm_has_its_line_in_the_tables(results, page):
    """Accuracy with its interval, the area's difference, p, labels saved, and the verdict on the whole curve."""
    for row in results.summary.to_dict("records"):
        accuracy, low, high = (
            f"{row[name]:.3f}"[1:] for name in ("accuracy", "accuracy_low", "accuracy_high")
        )
        assert f"{accuracy} ({low} to {high})" in page.words
        if row["against"] == "random":
            assert f"{row['alc_difference']:+.3f}".replace("0.", ".") in page.words
            saved = (
                f"{round(100 * row['labels_saved'])} % ({round(100 * row['labels_saved_low'])} to"
            )
            assert saved in page.words
    kinds = [whole_curve(row).kind for row in results.summary.to_dict("records")]
    assert page.words.count("\u25b2 better") == kinds.count("better") > 0
    assert page.words.count("? not shown") == kinds.count("open")
    assert page.words.count("the reference") == 1


def test_milestones_name_accuracy_labels_saving_and_money(results, page):
    frame = results.comparison.milestones
    row = frame[(frame["arm"] == "margin") & (frame["share"] == 1.0)].iloc[0]
    assert f"accuracy {row['target']:.3f}"[:9] in page.words
    assert f"{round(row['arm_labels'])} labels" in page.words
    worth = 0.05 * row["random_labels"] * row["saving"]
    assert f"{worth:,.2f} EUR" in page.words
    unpriced = dataclasses.replace(results, label_cost=None, currency="")
    assert "EUR" not in page_of(unpriced).words


def test_parts_of_the_budget_before_the_first_checkpoint_are_left_out(page):
    """A quarter of 220 labels lies below the 100 that a study begins with."""
    assert "a quarter of the budget" not in page.words
    assert "three quarters of the budget" in page.words


@pytest.mark.parametrize(
    "size", [Size(seeds=1, rounds=2), Size(strategies=("margin",), seeds=2, rounds=2)]
)
def test_small_studies_have_a_page(size):
    """One seed has no intervals, one arm no comparison."""
    html, figures = sweep_html(results_of(size))
    assert_without_gaps(Page(html))
    assert all(figure.svg() for figure in figures)
    assert figures[0].caption.startswith(f"Mean over {count(size.seeds, 'seed')}; ")


def test_arms_without_a_finished_run_are_listed(results):
    """Their numbers are dashes."""
    frames = frames_of()
    runs = frames["runs"]
    runs.loc[runs["arm"] == "margin", "status"] = "failed"
    summary = summarise(frames["rounds"], runs, np.random.default_rng(0))
    found = compare(**frames, pool_classes=None, rng=np.random.default_rng(0))
    page = page_of(dataclasses.replace(results, summary=summary, comparison=found))
    assert re.search(r"margin \S* ?not compared - - - - - - - 0 -", page.words)


def test_two_studies_stand_side_by_side(results):
    """An arm's lines follow each other; facts and ceilings name their study; verdicts are both there."""
    first = dataclasses.replace(results, facts={"pool": "p", "seeds": "6"}, ceilings={"": 9.0})
    second = dataclasses.replace(
        results,
        verdict="It costs labels.",
        facts={"pool": "p", "seeds": "8"},
        ceilings={"": 9.5},
    )
    both = side_by_side((first, second), ("old", "new"))
    html, figures = sweep_html(both)
    page = Page(html)
    assert both.summary["arm"].tolist()[:3] == ["random, old", "random, new", "margin, old"]
    assert "old: margin saves labels. new: It costs labels." in page.words
    assert "pool p seeds old: 6 new: 8" in page.words
    names = [figure.name for figure in figures]
    assert "variants" in names
    assert "all labels the model reaches 9.000 (old), 9.500 (new), beyond" in figures[0].caption
    curves = figures[0].rows
    assert set(curves["variant"]) == {"old", "new"}
    assert set(curves["strategy"]) == set(first.summary["arm"])


def test_arms_with_varied_settings_keep_their_names_side_by_side():
    """A variant is told apart by its name, as panels are the studies: of several ceilings none is that of the panel."""
    varied = results_of(VARIED, ceilings={"": 0.9, "batch_norm=frozen": 0.8})
    both = side_by_side((varied, varied), ("old", "new"))
    names = ["random", "margin", "random [batch_norm=frozen]", "margin [batch_norm=frozen]"]
    assert both.summary["strategy"].unique().tolist() == names
    assert set(both.summary["variant"]) == {"old", "new"}
    assert both.ceilings == {}


def test_a_highlighted_strategy_stands_out(tmp_path):
    """Its lines keep their strength, and so does the reference; all others step back."""
    html, figures = sweep_html(results_of(VARIED))
    messages, before, after = opened_with(html, {"highlight": '"random"'}, tmp_path)
    assert messages == []
    assert figures_drawn(before) == [figure.name for figure in figures]
    faint = 'stroke="#0072B2" stroke-width="1.7" stroke-dasharray="1,0" opacity="0.143"'
    assert faint not in before
    assert faint in after


def test_what_was_asked_for_has_sentences_and_a_table(results, page):
    assert "What the strategies ask for" in page.words
    assert "The queries of margin hold 12 % near duplicates, those of random 2 %." in page.words
    assert (
        "Shown to differ from random, in one test of all arms and measures: margin (more near"
        in page.words
    )
    overlaps = results.comparison.overlaps
    share = overlaps.loc[overlaps["arm"] == "margin", "overlap"].max()
    assert f"{100 * share:.0f} %" in page.words


def test_a_study_from_before_says_what_was_not_recorded(results):
    none = results.comparison.query_measures[:0]
    old = dataclasses.replace(results.comparison, query_measures=none)
    words = page_of(dataclasses.replace(results, comparison=old)).words
    assert "How alike the objects of a query are was not recorded" in words
    assert "near duplicates" not in words
    assert "most in common with" in words
    curves = dataclasses.replace(old, overlaps=results.comparison.overlaps[:0])
    assert (
        "What the strategies ask for"
        not in page_of(dataclasses.replace(results, comparison=curves)).words
    )
