"""The page's tables of which settings of a crowd pay, and of budgets that are better than all labels."""

import html
import re

import pandas as pd
import pytest

from alray import api
from alray.analysis.wording import interval, signed
from alray.reporting.api import report
from tests.helpers.report_reading import html_of
from tests.helpers.studies import settings


@pytest.fixture(scope="module")
def made(pool, tmp_path_factory):
    spec = settings(
        pool,
        strategies=["random"],
        seeds=6,
        rounds=3,
        full_data=True,
        crowd={"assessors": 6, "answers": 3, "rate": 0.3, "cost": 0.25},
        vary={"crowd.answers": [3, 1]},
    )
    study = api.sweep(spec, results=tmp_path_factory.mktemp("results"))
    return report(study.path, formats=("html", "csv"), currency="EUR")


def section_of(made, name):
    """Return the text of a section of the page, "" where there is none."""
    found = re.search(
        rf'<section aria-labelledby="{name}">.*?</section>', html_of(made), re.DOTALL
    )
    return (
        "" if found is None else " ".join(html.unescape(re.sub("<[^>]+>", " ", found[0])).split())
    )


def test_a_crowd_s_settings_stand_in_a_table_with_what_they_save(made):
    (row,) = pd.read_csv(made.folder / "findings" / "crowd_choices.csv").to_dict("records")
    text = section_of(made, "crowd-choices")
    assert text.startswith("Which settings of the crowd pay?")
    assert f"{row['begin']:.2f} to {row['budget']:.2f} EUR" in text
    ends = interval(row["alc_difference_low"], row["alc_difference_high"])
    assert f"{signed(row['alc_difference'])} {ends}" in text


def test_runs_on_full_data_are_no_reason_to_leave_stopping_rules_out(made):
    assert "findings/stopping.csv" in made.files


def test_each_arm_s_best_budget_stands_beside_all_labels(made):
    summary = pd.read_csv(made.folder / "findings" / "summary.csv")
    text = section_of(made, "beyond")
    assert len(summary) == 2
    for row in summary.to_dict("records"):
        ends = interval(row["full_data_gain_low"], row["full_data_gain_high"])
        assert f"{row['full_data_best']:.2f} EUR {signed(row['full_data_gain'])} {ends}" in text


def test_without_either_there_is_no_such_section(pool, tmp_path):
    plain = api.sweep(settings(pool, strategies=["random"], rounds=1), results=tmp_path)
    page = report(plain.path, formats=("html",))
    sections = ("crowd-choices", "initial-selections", "beyond")
    assert [section_of(page, name) for name in sections] == ["", "", ""]
