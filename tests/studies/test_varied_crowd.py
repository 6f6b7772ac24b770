"""Variants with other crowds: rounds follow, so that all spend about as much."""

import pandas as pd
import pytest

from alray import api
from alray.errors import SpecError
from alray.reporting.api import report
from tests.helpers.builders import plan_of
from tests.helpers.experiments import POOL
from tests.helpers.report_reading import html_of
from tests.helpers.studies import assert_same_records, settings

CROWD = {"assessors": 6, "answers": 2, "rate": 0.3, "cost": 0.25}
VARY = {"crowd.answers": [2, 1, 3]}


def test_rounds_follow_to_end_at_about_equal_money():
    """The study's own settings spend 24 labels x 2 answers; a round costs 4 labels."""
    plan = plan_of(POOL, crowd=CROWD, vary={"crowd.answers": [2, 1, 3]}, strategies=["random"])
    rounds = {arm.label: arm.study.rounds for arm in plan.arms}
    assert rounds == {"random": 3, "random [answers=1]": 9, "random [answers=3]": 1}
    for arm in plan.arms:
        crowd = arm.study.crowd
        assert crowd is not None
        assert 48 - 4 * crowd.answers < arm.study.budget * crowd.answers <= 48


def test_settings_that_cost_nothing_keep_the_rounds():
    vary = {"crowd.aggregate": ["majority", "one_coin"], "crowd.rate": [0.1, 0.3]}
    plan = plan_of(POOL, crowd=CROWD, vary=vary, strategies=["random"])
    assert {arm.study.rounds for arm in plan.arms} == {3}
    assert len({run.run_id for run in plan.runs}) == 4


@pytest.mark.parametrize(
    ("vary", "crowd", "text"),
    [
        ({"crowd.answers": [1, 2]}, None, "asks no crowd; add one, such as --crowd"),
        ({"crowd.cost": [1, 2]}, CROWD, "another price changes no answer"),
        ({"crowd.answers": [2, 7]}, CROWD, "use answers=6 or more assessors"),
        ({"crowd.answers": [2, 6]}, CROWD, "pays for 8 here; lower them, or add --rounds"),
        ({"crowd": [1]}, CROWD, "crowd.answers=1,3,5"),
    ],
)
def test_what_cannot_vary_is_refused_with_what_to_do(vary, crowd, text):
    with pytest.raises(SpecError, match=text):
        plan_of(POOL, crowd=crowd, vary=vary, strategies=["random"])


def test_too_few_objects_for_a_cheap_variant_name_the_rounds_that_fit():
    crowd, vary = CROWD, {"crowd.answers": [2, 1]}
    with pytest.raises(
        SpecError, match=r"variant answers=1: .* lower --rounds to (\d+)"
    ) as caught:
        plan_of(POOL, crowd=crowd, vary=vary, strategies=["random"], rounds=10)
    fitting = int(str(caught.value).partition("--rounds to ")[2].partition(",")[0])
    plan_of(POOL, crowd=crowd, vary=vary, strategies=["random"], rounds=fitting)
    with pytest.raises(SpecError, match="variant answers=1"):
        plan_of(POOL, crowd=crowd, vary=vary, strategies=["random"], rounds=fitting + 1)


@pytest.fixture(scope="module")
def spec(pool):
    return settings(
        pool, crowd=CROWD, vary=VARY, strategies=["random", "margin"], seeds=6, full_data=True
    )


@pytest.fixture(scope="module")
def study(spec, tmp_path_factory):
    return api.sweep(spec, results=tmp_path_factory.mktemp("results"))


def test_variants_end_at_equal_money_and_share_the_runs_on_full_data(study):
    compared = study.rounds[~study.rounds["full_data"]]
    ends = compared.groupby(["variant", "run_id"])["cost"].max()
    assert (ends.between(20 - 5 * 3 * 0.25, 20)).all()
    assert (study.runs.loc[study.runs["full_data"], "arm"] == "full data").all()
    assert study.summary["full_data_accuracy"].nunique() == 1
    assert study.summary["full_data_accuracy"].notna().all()
    assert set(study.summary["axis"]) == {"cost"}


def test_the_same_command_again_changes_nothing(study, spec):
    assert_same_records(api.sweep(spec, results=study.path.parent), study)


def test_a_page_along_money_says_so(study, tmp_path):
    made = report(study.path, out=tmp_path, formats=("html", "csv"), currency="EUR")
    page = " ".join(html_of(made).split())
    assert "money (EUR), since runs pay different amounts for a label" in page
    assert "Which strategy saves how much money" in page
    curves = pd.read_csv(tmp_path / "findings" / "curves.csv")
    assert "cost" in curves
    assert "labels" not in curves
    savings = pd.read_csv(tmp_path / "findings" / "savings.csv")
    assert {"random_cost", "arm_cost"} <= set(savings)
    along_labels = report(study.path, out=tmp_path, formats=("html",), x="labels")
    assert "a label: --x cost shows that" in html_of(along_labels)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"x": "costs"}, "there is no axis 'costs'.*cost"),
        ({"x": "cost", "label_cost": "1"}, "leave it out, and name the currency by --currency"),
        ({"currency": "EUR", "label_cost": "1 USD"}, "leave one of them out"),
    ],
)
def test_contradicting_options_are_refused(study, options, text):
    with pytest.raises(SpecError, match=text):
        report(study.path, **options)


def test_without_a_crowd_money_needs_a_price_and_answers_are_refused(pool, tmp_path):
    spec = settings(pool, strategies=["random", "margin"], seeds=2, rounds=2)
    plain = api.sweep(spec, results=tmp_path)
    with pytest.raises(SpecError, match=r"--label-cost .0.05 EUR."):
        report(plain.path, x="cost")
    with pytest.raises(SpecError, match="has no answers"):
        report(plain.path, x="answers")
    made = report(plain.path, x="cost", label_cost="2 EUR", formats=("html",))
    assert "60.00 EUR" in html_of(made)
