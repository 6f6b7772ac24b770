"""Stopping rules in a sweep's report and as `alray.reporting.stopping` replays them: new studies, old ones, tables."""

import pandas as pd
import pytest

from alray import api
from alray.analysis.stopping_rules.registry import USUAL
from alray.analysis.sweep.stopping_rules.replay import STOPPING_COLUMNS, STOPS_COLUMNS
from alray.errors import SpecError, StoreError
from alray.reporting.api import report, report_pair
from alray.reporting.stopping import NO_VALIDATION, stopping
from tests.helpers.report_reading import html_of
from tests.helpers.studies import settings
from tests.helpers.sweep_report_frames import Size, change_rounds, write_study

SMALL = Size(strategies=("random", "margin"), seeds=2, rounds=12)
LOOSE = "classification_change:threshold=.5"


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    """Return a finished study of this version."""
    spec = settings(pool, strategies=["random", "margin"], seeds=2)
    return api.sweep(spec, results=tmp_path_factory.mktemp("results"))


def test_the_report_has_a_section_and_tables(study, tmp_path):
    made = report(study.path, out=tmp_path, formats=("html", "csv"))
    assert "When to stop labelling" in html_of(made)
    table = pd.read_csv(tmp_path / "findings" / "stopping.csv")
    assert list(table) == list(STOPPING_COLUMNS)
    assert sorted(table["rule"].unique()) == sorted(USUAL)
    stops = pd.read_csv(tmp_path / "findings" / "stops.csv")
    assert list(stops) == list(STOPS_COLUMNS)
    assert len(stops) == 2 * 2 * len(USUAL)


def test_where_a_rule_stops_there_is_a_line_and_a_figure(tmp_path):
    """Of curves that do not rise on the validation part: ten rounds, 0 to 9, are a window."""
    folder = write_study(tmp_path / "made", SMALL)
    change_rounds(folder, lambda rounds: rounds.assign(validation_accuracy=0.5))
    made = report(folder, formats=("html", "svg", "csv"), label_cost="2 EUR")
    table = pd.read_csv(folder / "findings" / "stopping.csv")
    (row,) = table.query("arm == 'margin' and rule == 'predicted_gain'").to_dict("records")
    page = " ".join(html_of(made).split())
    assert (row["stopped"], row["stop_labels"]) == (2, 100 + 9 * 10)
    assert "2 of 2" in page
    assert f"{row['spared_money']:,.2f}</td>" in page
    assert row["spared_money"] == pytest.approx(2 * row["spared_labels"])
    drawn = (folder / "figures" / "stopping.svg").read_text()
    assert "Where would rules have stopped labelling?" in drawn
    assert "predicted_gain: 4 of 4 runs" in drawn
    assert "kappa" not in drawn


def test_a_study_of_an_older_alray_says_what_it_lacks(tmp_path):
    folder = write_study(tmp_path / "made", SMALL)
    text = " ".join(html_of(report(folder, formats=("html",))).split())
    assert "They need stop_kappa, stop_entropy" in text
    assert "which the rounds of this study lack" in text


def test_two_studies_side_by_side_have_no_such_section(study, tmp_path):
    made = report_pair((study.path, study.path), out=tmp_path, formats=("html", "csv"))
    assert "When to stop labelling" not in html_of(made)
    assert not (tmp_path / "findings" / "stopping.csv").exists()


def test_other_rules_and_prices_can_be_replayed(study):
    found = stopping(study, rules=[LOOSE], label_cost="0.5 EUR")
    assert found.currency == "EUR"
    assert set(found.replay.table["rule"]) == {"classification_change:threshold=0.5"}
    assert found.replay.stops["stopped"].any()
    saved = found.replay.table["spared_money"]
    assert saved.tolist() == (0.5 * found.replay.table["spared_labels"]).tolist()


def test_a_crowds_price_is_known(pool, tmp_path):
    crowd = {"assessors": 6, "answers": 2, "rate": 0.3, "cost": 0.25}
    spec = settings(pool, strategies=["random"], seeds=1, rounds=2, crowd=crowd)
    found = stopping(api.sweep(spec, results=tmp_path), rules=["fixed_rounds:rounds=1"])
    row = found.replay.table.iloc[0]
    assert row["spared_money"] == pytest.approx(0.5 * row["spared_labels"])


def test_curves_made_elsewhere_are_judged_by_their_accuracy(tmp_path):
    path = tmp_path / "curves.csv"
    rows = [(f"arm {arm}", seed, 100 + 20 * at, min(0.5 + 0.05 * at, 0.8))
            for arm in "ab" for seed in range(3) for at in range(20)]  # fmt: skip
    pd.DataFrame(rows, columns=["arm", "seed", "labels", "accuracy"]).to_csv(path, index=False)
    found = stopping(path)
    assert found.replay.notes == (NO_VALIDATION,)
    assert set(found.replay.table["rule"]) == {"validation_patience", "predicted_gain"}
    # The last new best is at round 6, and five rounds later patience ends.
    patience = found.replay.stops.query("rule == 'validation_patience'")
    assert patience["stop_labels"].tolist() == [100 + 20 * 11] * 6
    assert patience["lost"].tolist() == [0.0] * 6


def test_a_seed_without_the_metric_does_not_cost_the_page(tmp_path):
    """Seed 0 has no object of the rarest classes on its test part."""
    folder = write_study(tmp_path / "made", SMALL)
    change_rounds(
        folder,
        lambda rounds: rounds.assign(
            rare_recall=rounds["accuracy"].mask(rounds["seed"] == 0),
            validation_accuracy=rounds["accuracy"],
        ),
    )
    found = stopping(folder, metric="rare_recall")
    said = "2 of 4 runs left out of the stopping rules, since the recall of the rarest classes"
    assert found.replay.notes[-1].startswith(said)
    made = report(folder, metric="rare_recall", formats=("html", "csv"))
    assert said in " ".join(html_of(made).split())
    assert set(pd.read_csv(folder / "findings" / "stopping.csv")["seeds"]) == {1}


def test_what_has_no_curves_is_refused(pool, tmp_path):
    without = api.sweep(
        settings(pool, rounds=0, vary={"model.width": [8, 16]}, strategies=["random"]),
        results=tmp_path,
    )
    with pytest.raises(SpecError, match="no rounds of querying"):
        stopping(without)
    with pytest.raises(StoreError, match="does not exist"):
        stopping(tmp_path / "nothing")


def test_a_metric_that_was_not_recorded_is_refused(tmp_path):
    folder = write_study(tmp_path / "made", SMALL)
    with pytest.raises(SpecError, match="no such column; take one of accuracy"):
        stopping(folder, metric="rare_recall")
    with pytest.raises(SpecError, match="did you mean 'accuracy'"):
        stopping(folder, metric="acuracy")


def test_a_crowd_that_is_asked_again_has_a_page_without_stopping_rules(pool, tmp_path):
    crowd = {"assessors": 6, "answers": 3, "rate": 0.4, "relabel": "active_lab"}
    study = api.sweep(
        settings(pool, strategies=["random", "margin"], seeds=3, crowd=crowd), results=tmp_path
    )
    ends = study.rounds.groupby("run_id")["labels"].max()
    assert ends.nunique() > 1, "runs differ in what they ask again"
    made = report(study.path, formats=("html", "csv"))
    assert "When to stop labelling" not in html_of(made)
    assert "findings/stopping.csv" not in made.files
    with pytest.raises(StoreError, match="rounds of one arm do not add labels alike"):
        stopping(study)
