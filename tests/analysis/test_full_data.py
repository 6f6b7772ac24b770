"""Runs that learn from every label: planned, trained once, kept apart from what is compared, shown as the ceiling."""

import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from alray.analysis.sweep.full_data import split_full_data
from alray.analysis.sweep.summary import summarise
from alray.api import plan_sweep, sweep
from alray.cli.display.sweep_progress import sweep_headline
from alray.errors import StoreError
from alray.reporting.api import report
from alray.reporting.sources import find_results, read_sweep
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.results import load
from tests.helpers.paths import local
from tests.helpers.report_reading import html_of
from tests.helpers.studies import Recorder, comparable, settings

VARIED = {"training.batch_norm": ["live", "frozen"]}
FROZEN = "batch_norm=frozen"


def wanted(pool, **changes):
    """Return a study in which a model on full data is clearly better than one on a few labels."""
    arms = {"strategies": ["random", "margin"], "seeds": 2, "initial": 8, "query": 2}
    learns = {"training": {"passive_epochs": 8, "lr": 0.02}, "full_data": True}
    return settings(pool, **{**arms, **learns, **changes})


def planned(pool, **changes):
    return plan_sweep(SweepSpec.model_validate(wanted(pool, **changes)))


@pytest.fixture(scope="module")
def study(pool, tmp_path_factory):
    return sweep(wanted(pool, vary=VARIED), results=tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def without(pool, tmp_path_factory):
    """Return the same study without runs on full data."""
    results = tmp_path_factory.mktemp("without")
    return sweep(wanted(pool, vary=VARIED, full_data=False), results=results)


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    """Return the report on the study."""
    return report(study.path, out=tmp_path_factory.mktemp("report"), formats=("html", "csv"))


@pytest.fixture(scope="module")
def ceiling(study):
    """Return the accuracy with all labels, which both variants share."""
    return study.rounds.loc[study.rounds["arm"] == "full data", "accuracy"].mean()


@pytest.fixture
def copy(study, tmp_path):
    """Return a copy of the study's folder, to be changed."""
    return shutil.copytree(study.path, tmp_path / "study")


def test_nothing_is_planned_that_was_not_asked_for(pool):
    plan = planned(pool, full_data=False)
    assert {run.arm for run in plan.runs} == {"random", "margin"}
    assert "full data" not in " ".join(sweep_headline(plan))


def test_every_seed_and_variant_gets_a_run_after_all_others(pool):
    plan = planned(pool, vary=VARIED)
    full = plan.runs[8:]
    assert plan.queue[8:] == full
    arms = ("full data", f"full data [{FROZEN}]")
    assert [(run.arm, run.seed) for run in full] == [
        (arm, seed) for seed in (0, 1) for arm in arms
    ]
    assert {(run.initial, run.rounds) for run in full} == {(len(plan.prepared.train), 0)}
    assert len({run.run_id for run in plan.runs}) == 12
    assert "= 8 runs, and 4 on full data" in sweep_headline(plan)[2]


def test_variants_that_differ_in_the_rounds_alone_share_the_training(study):
    """BatchNorm is frozen after the passive phase, so there is one training a seed."""
    full = study.rounds[study.rounds["full_data"]]
    assert set(full["labels"]) == {140}
    assert (full.groupby("seed")["nll"].nunique() == 1).all()
    assert full["nll"].nunique() == 2


def test_a_model_on_full_data_is_a_row_of_no_table_but_a_column(study, ceiling):
    summary = study.summary.set_index("arm")
    arms = ("random", "margin")
    assert list(summary.index) == [*arms, *(f"{arm} [{FROZEN}]" for arm in arms)]
    assert summary["full_data_accuracy"].to_list() == [ceiling] * 4
    of_margin = summary.loc["margin"]
    expected = of_margin["alc_difference"] / (ceiling - summary.loc["random", "alc"])
    assert of_margin["alc_normalised"] == pytest.approx(expected, rel=1e-12)
    assert np.isnan(summary.loc["random", "alc_normalised"])


def test_everything_else_is_as_without_them(study, without):
    kept = study.rounds[~study.rounds["full_data"]]
    pd.testing.assert_frame_equal(comparable(kept), comparable(without.rounds), check_exact=True)
    other = [name for name in study.summary if name.startswith("full_data")]
    other += ["alc_normalised", "seconds_per_round"]
    pd.testing.assert_frame_equal(
        study.summary.drop(columns=other), without.summary.drop(columns=other)
    )
    assert without.summary["full_data_accuracy"].isna().all()


def test_they_can_be_added_later(pool, without, tmp_path):
    shutil.copytree(without.path, tmp_path / "study")
    recorder = Recorder()
    study = sweep(wanted(pool, vary=VARIED), results=tmp_path, observer=recorder)
    started = [name for name, _ in recorder.of("started") if not name.startswith("passive")]
    assert started == study.runs.loc[study.runs["full_data"], "run_id"].to_list()
    assert study.summary["full_data_accuracy"].notna().all()
    assert load(tmp_path / "study").settings.full_data


def test_a_report_says_and_draws_it_but_compares_strategies_only(study, ceiling, made):
    html = html_of(made)
    assert f"accuracy {ceiling:.3f} (140 labels, mean of 2 seeds)" in html
    assert f"accuracy {ceiling:.3f} with {FROZEN}" in html
    curves = pd.read_csv(made.folder / "findings" / "curves.csv")
    assert "full data" not in set(curves["arm"])
    queries = read_sweep(find_results(study.path), None).queries
    assert not queries["arm"].str.startswith("full data").any()


def test_a_study_without_its_table_of_runs_still_knows_that_they_have_ended(copy):
    """They have no rounds, whatever the study's others have."""
    (copy / "runs.parquet").unlink()
    assert set(read_sweep(find_results(copy), None).runs["status"]) == {"finished"}


def test_strategies_cannot_be_compared_against_it(study):
    with pytest.raises(StoreError, match="valid are: random, margin"):
        read_sweep(find_results(study.path), "full data")


def test_a_table_of_curves_may_bring_it_along(tmp_path):
    rows = [("random", s, n, 0.5 + n / 1000 + s / 100) for s in range(2) for n in (10, 20)]
    rows += [("margin", s, n, 0.52 + n / 1000 + s / 100) for s in range(2) for n in (10, 20)]
    rows += [("full data", s, 400, 0.54 + s / 100) for s in range(2)]
    path = tmp_path / "curves.csv"
    pd.DataFrame(rows, columns=["arm", "seed", "labels", "accuracy"]).to_csv(path, index=False)
    made = report(path, formats=("html", "csv"))
    assert "dashed line is the model trained on all labels" in html_of(made)
    summary = pd.read_csv(local(made.folder) / "findings" / "summary.csv")
    assert summary["arm"].to_list() == ["random", "margin"]
    assert summary["full_data_accuracy"].to_list() == pytest.approx([0.545] * 2)


def test_nothing_left_to_gain_has_no_share(study):
    """Where random is as good on average as the model on full data."""
    rounds = study.rounds.copy()
    rounds.loc[rounds["full_data"], "accuracy"] = 0.0
    summary = summarise(rounds, study.runs, np.random.default_rng(0))
    assert summary["alc_normalised"].isna().all()
    assert summary["alc_difference"].notna().any()


def test_a_failed_run_on_full_data_is_no_ceiling(study):
    runs = study.runs.assign(status=study.runs["status"].mask(study.runs["full_data"], "failed"))
    apart = split_full_data(study.rounds, runs)
    assert len(apart.ceilings) == 0
    summary = summarise(study.rounds, runs, np.random.default_rng(0))
    assert summary["full_data_accuracy"].isna().all()
    assert len(summary) == 4


def drop_column(path, name):
    """Write a Parquet file as it was before a column was recorded."""
    table = pq.read_table(path)
    assert name in table.column_names
    pq.write_table(table.drop_columns([name]), path)


@pytest.mark.parametrize("part", ["", "margin"], ids=["all files", "some files"])
def test_runs_from_before_the_column_was_recorded_are_known_by_their_arms(
    study, copy, made, tmp_path, part
):
    """A study that was begun before and ended after has files of both kinds."""
    for path in (*copy.rglob(f"{part}*__seed-*.parquet"), copy / "runs.parquet"):
        drop_column(path, "full_data")
    old = load(copy)
    for name in ("rounds", "queries", "runs"):
        pd.testing.assert_frame_equal(
            getattr(old, name), getattr(study, name), check_like=True, check_exact=True
        )
    report(copy, out=tmp_path / "old", formats=("csv",))
    for path in (made.folder / "findings").iterdir():
        assert (tmp_path / "old" / "findings" / path.name).read_bytes() == path.read_bytes()


def test_only_runs_on_full_data_are_marked(study):
    """In every table, as a recorded column."""
    marked = study.runs.loc[study.runs["full_data"], "arm"]
    assert set(marked) == {"full data", f"full data [{FROZEN}]"}
    for path in study.path.rglob("*__seed-*.parquet"):
        recorded = pq.read_table(path, columns=["arm", "full_data"]).to_pandas()
        assert set(recorded["full_data"]) == {recorded["arm"].iloc[0].startswith("full data")}
