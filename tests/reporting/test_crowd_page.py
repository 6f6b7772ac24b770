"""The report of a sweep whose labels come from a crowd."""

import pandas as pd
import pytest

from alray import api
from alray.reporting.api import report
from tests.helpers.report_reading import html_of
from tests.helpers.studies import settings

CROWD = {"assessors": 6, "answers": 2, "rate": 0.3, "cost": 0.25}


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    spec = settings(pool, crowd=CROWD, strategies=["random", "margin"], seeds=6)
    return api.sweep(spec, results=tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    return report(study.path, out=tmp_path_factory.mktemp("report"), formats=("html", "csv"))


def test_the_page_shows_who_answers_and_what_that_costs(study, made):
    page = " ".join(html_of(made).split())
    assert "What the crowd answered" in page
    last = study.rounds[study.rounds["round"] == 4].groupby("arm")["cost"].mean()
    for arm in ("random", "margin"):
        assert f">{last[arm]:,.2f}</td>" in page
    assert "6 assessors, 30 % of answers wrong (structured); 2 answers an object at 0.25" in page


def test_savings_are_money_by_the_price_of_an_objects_answers(study, made, tmp_path):
    assert "0.5 a label" in html_of(made)
    other = report(study.path, out=tmp_path, formats=("html",), label_cost="2 EUR")
    assert "2 EUR a label" in html_of(other)


def test_the_table_holds_means_over_seeds_at_the_last_round(study, made):
    table = pd.read_csv(made.folder / "findings" / "crowd.csv").set_index("arm")
    last = study.rounds[study.rounds["round"] == 4]
    for name in ("answers", "cost", "skipped", "wrong_labels", "skill_error"):
        expected = last.groupby("arm")[name].mean()
        assert table[name].to_dict() == pytest.approx(expected.to_dict())
    assert table["answers"].tolist() == [80, 80]
    assert table["seeds"].tolist() == [6, 6]


def test_without_a_crowd_there_is_no_such_section(pool, tmp_path):
    plain = api.sweep(settings(pool, strategies=["random", "margin"], rounds=1), results=tmp_path)
    made = report(plain.path, formats=("html", "csv"))
    assert "the crowd" not in html_of(made)
    assert pd.read_csv(tmp_path / plain.path.name / "findings" / "crowd.csv").empty
