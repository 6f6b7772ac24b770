"""Scikit-learn classifiers as the network, as typed."""

import pandas as pd
import pytest

from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.store import SweepStore
from tests.helpers.command import alray

LIBRARY = "sklearn:sklearn"
SMALL = (
    "--initial",
    "30",
    "--query",
    "5",
    "--rounds",
    "2",
    "--seeds",
    "1",
    "--executor",
    "inline",
    "--no-report",
)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("linear_model.LogisticRegression", ["C=0.1"]),
        ("ensemble.RandomForestClassifier", ["n_estimators=10", "n_jobs=2"]),
        ("ensemble.HistGradientBoostingClassifier", ["max_iter=5", "min_samples_leaf=2"]),
    ],
)
def test_a_sweep_learns_and_a_second_one_has_the_same_records(pool, tmp_path, name, options):
    words = [word for option in options for word in ("--set", f"model.options.{option}")]
    found = []
    for results in (tmp_path / "one", tmp_path / "two"):
        done = alray(
            "sweep", *SMALL, "--strategies", "random,margin,bald:members=2", "--pool", pool, "--results", results,
            "--set", f"model.name={LIBRARY}.{name}", *words,
        )  # fmt: skip
        assert done.exit_code == 0, done.output
        store = SweepStore(results / "pool")
        runs = store.read_runs()
        assert runs["status"].tolist() == ["finished"] * 3
        rounds = store.read_rounds(runs["run_id"])
        found.append(rounds.drop(columns=list(TIMING_COLUMNS)))
    one, two = found
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    assert (found[0]["accuracy"] > 0.5).all(), "a third is chance"


def test_a_mistake_ends_with_2_before_anything_runs(pool, tmp_path):
    done = alray(
        "sweep", *SMALL, "--pool", pool, "--results", tmp_path / "results",
        "--set", f"model.name={LIBRARY}.svm.SVC",
    )  # fmt: skip
    assert done.exit_code == 2
    assert "has no predict_proba" in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "results").exists()


def test_the_plan_names_no_labels_to_stop_by(pool, tmp_path):
    done = alray(
        "sweep", *SMALL, "--pool", pool, "--results", tmp_path, "--dry-run",
        "--set", f"model.name={LIBRARY}.naive_bayes.GaussianNB",
    )  # fmt: skip
    assert done.exit_code == 0
    assert "stopping" not in done.output
