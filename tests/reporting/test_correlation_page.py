"""The page of a correlation study: every verdict; what it shares with the other page is in test_pages."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from alray.analysis.correlation.verdict import verdict_of
from alray.reporting.correlation.page import render
from tests.helpers.report_frames import Size, results
from tests.helpers.report_reading import (
    Page,
    assert_without_gaps,
    correlation_html,
    opened_with,
)


def page_of(study):
    return Page(correlation_html(study)[0])


@pytest.fixture(scope="module")
def study():
    """A study one of whose scores has no effect."""
    made = results()
    none = (made.summary["score"] == "least_confidence") & made.summary["uplift"].notna()
    verdicts = made.summary["verdict"].mask(none, "no effect")
    summary = made.summary.assign(verdict=verdicts, bound=made.summary["bound"].mask(none, 0.004))
    return dataclasses.replace(made, summary=summary)


@pytest.fixture(scope="module")
def page(study):
    return page_of(study)


def test_every_row_of_the_summary_is_in_a_table(page, study):
    """Rho of every row, and the verdict and bound of every row that is compared with random groups."""
    shown = [data for data in page.text if re.fullmatch(r"[+-](1\.000|\.\d{3})", data)]
    for rho in study.summary["rho"]:
        text = f"{rho:+.3f}".replace("0.", ".", 1)
        assert text.replace("-.000", "+.000") in shown
    compared = study.summary[study.summary["uplift"].notna()]
    tables = "".join(page.text).split("Numbers")[1]
    cells = [verdict_of(row).cell for row in compared.to_dict("records")]
    assert any(cell.startswith("no effect larger than ") for cell in cells)
    for cell in set(cells):
        assert tables.count(cell) == cells.count(cell)


def test_the_overview_shows_the_main_outcome(page, study):
    """A verdict for each score, grouping and dose, before the tables."""
    overview = page.words.partition("Verdicts")[2].partition("Numbers")[0]
    main = study.summary[
        (study.summary["outcome"] == "accuracy") & study.summary["uplift"].notna()
    ]
    for verdict, count in main["verdict"].value_counts().items():
        assert overview.count(f" {verdict} ") == count


def test_sentences_stand_before_tables(page):
    assert page.words.index("Shuffled labels harm") < page.words.index("Verdicts")


def test_another_outcome_and_dose_can_be_the_main_ones(study):
    """Page and figures say what they show."""
    other = dataclasses.replace(study, main_outcome="nll", main_epochs=5)
    html, (_, scatter, *_) = correlation_html(other)
    page = Page(html)
    assert "Shown: NLL after 5 epochs , groups by score ." in page.words
    chosen = [option["value"] for option in page.of("option") if "selected" in option]
    assert chosen == ["5", '"score"']
    svg = scatter.svg().decode()
    assert "NLL after 5 epochs, groups by score" in svg
    assert "fall in NLL (nats) against control" in svg


@pytest.mark.parametrize("change", [{"main_outcome": "speed"}, {"main_epochs": 3}])
def test_a_choice_that_does_not_exist_is_refused(study, change):
    with pytest.raises(ValueError, match=r"the summary has no outcome .* doses: \[1, 5, 20\]"):
        render(dataclasses.replace(study, **change))


@pytest.mark.parametrize(
    "size",
    [
        Size(bases=1, seeds=1, epochs=(3,), scores=("loss",), groupings=("score",)),
        Size(bases=1, groups=10, epochs=(1, 2), groupings=("within_class", "random")),
    ],
    ids=["smallest", "one base, linear doses"],
)
def test_small_studies_have_a_page(size):
    """One base, seed, dose, score or grouping is enough."""
    made = results(size, seed=3)
    gaps = made.summary.assign(
        seeds_needed=pd.array([None] * len(made.summary), "Int64"), icc=np.nan
    )
    assert_without_gaps(page_of(dataclasses.replace(made, summary=gaps, checks=made.checks[:0])))


def test_a_study_of_random_groups_has_no_verdicts():
    """It is the null alone, and its page says so; there is no uplift to draw."""
    page = page_of(results(Size(groupings=("random",)), seed=3))
    assert "Verdicts" in page.words
    assert "There is none: all groups are random." in page.words
    charts = [div["data-figure"] for div in page.of("div") if "data-figure" in div]
    assert charts == ["scatter", "quantiles", "rho_by_dose", "groupings"]


def test_unreliable_rows_name_the_seeds_they_need(study):
    summary = study.summary.assign(icc=0.1, seeds_needed=1200.5)
    page = page_of(dataclasses.replace(study, summary=summary))
    assert "inconclusive: 1,201 seeds needed" in page.words


def test_a_chosen_dose_and_grouping_are_shown(study, tmp_path):
    """Captions name them, and other points are drawn."""
    html, _ = correlation_html(study)
    choices = {"epochs": "1", "grouping": '"random"'}
    messages, before, after = opened_with(html, choices, tmp_path)
    assert messages == []
    assert '<span data-shows="epochs">1 epoch</span>' in after
    assert '<span data-shows="grouping">at random</span>' in after
    at_first, then = (
        re.findall(r'<path [^>]*opacity="0.75"[^>]*>', drawn) for drawn in (before, after)
    )
    assert len(at_first) == len(then) == 5 * 2 * 20
    assert at_first != then
