"""What the status of a campaign says, and that it agrees with what is on record."""

import numpy as np
import pandas as pd
import pytest

from alray.analysis.campaign.accuracy import accuracy_of
from alray.analysis.stopping_rules.registry import parse_rule
from alray.cli.display.label import print_status
from alray.studies.campaign.export import EXPORT_COLUMNS
from tests.helpers.campaigns import begun, hidden_pool, on_record, play, truth_of
from tests.helpers.narrow import assert_whole


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return hidden_pool(tmp_path_factory.mktemp("status") / "posts.parquet", objects=240)


@pytest.fixture(scope="module")
def played(pool, tmp_path_factory):
    """Return a campaign of four answered batches, half of each for the audit."""
    results = tmp_path_factory.mktemp("played")
    campaign = begun(pool, results, audit=0.4, training={"passive_epochs": 12}, cost=0.05)
    play(campaign, pool, 4, 30)
    return campaign


def test_the_accuracy_is_that_of_the_last_network_on_all_audit_answers(played, pool):
    status, tables = played.status(), on_record(played)
    audited = tables["batches"].query("purpose == 'audit'")["id"]
    predicted = tables["predictions"].set_index("id")["predicted"]
    truth = truth_of(pool)
    expected = np.mean([predicted[each] == truth[each] for each in audited])
    assert status.numbers["accuracy"] == pytest.approx(expected)
    assert status.numbers["audit_objects"] == len(audited) == 48
    assert status.numbers["accuracy_low"] < expected < status.numbers["accuracy_high"]
    assert status.numbers["cost"] == pytest.approx(0.05 * 120)
    text = status.sentences[0]
    assert f"learnt from {status.numbers['learnt']} labels" in text
    assert f"{expected:.3f}".lstrip("0") in text
    assert "measured on 48 objects" in text


def test_every_batchs_network_is_measured_on_the_same_objects(played):
    batches = played.status().batches
    assert batches["audit_objects"].tolist() == [48] * 4
    assert batches["labels"].is_monotonic_increasing
    assert batches["answered"].tolist() == [30] * 4
    assert batches["stop_kappa"].notna().tolist() == [False, True, True, True]


def test_stopping_rules_of_sweeps_read_its_rounds(played):
    rounds = played.status().rounds
    rule = parse_rule("kappa:window=2:threshold=-1")
    curve = {name: rounds[name].to_numpy(dtype=np.float64) for name in rule.needs}
    assert rule.stops(curve).tolist() == [False, False, True, True]
    assert {"run_id", "seed", "arm", "round", "labels", "accuracy", "stop_kappa"} <= set(rounds)


@pytest.mark.parametrize("width", [60, 80])
def test_rules_forecast_and_targets_fit_a_terminal(played, width):
    status = played.status([0.3, 0.6, 0.9])
    assert len(status.outlook.targets) == 3
    assert_whole(lambda console: print_status(console, status, ""), width)


def test_divided_assessors_count_by_their_probability():
    predictions = pd.DataFrame({"id": ["a", "b"], "predicted": ["x", "y"]})
    truth = {"a": {"x": 0.5, "y": 0.5}, "b": {"x": 0.0, "y": 1.0}, "c": {"x": 1.0}}
    n, found = accuracy_of(predictions, truth)
    assert (n, found.share) == (2, 0.75)


def test_the_export_has_every_label_with_its_source(played, pool, tmp_path):
    table = played.export(tmp_path / "labels.parquet")
    assert list(table) == list(EXPORT_COLUMNS)
    counts = table["source"].value_counts()
    assert (counts["start"], counts["audit"], counts["strategy"]) == (24, 48, 72)
    truth = truth_of(pool)
    assert (table["label"] == table["id"].map(truth)).all()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "labels.parquet"), table)
    played.export(tmp_path / "labels.csv")
    assert len(pd.read_csv(tmp_path / "labels.csv")) == len(table)
