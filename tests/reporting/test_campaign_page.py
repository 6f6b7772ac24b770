"""The page of a campaign's status: each figure and cell is that of its frame, and nothing is claimed too early."""

import io
import math

import numpy as np
import pandas as pd
import pytest

from alray.analysis.campaign.tables import TABLES
from alray.analysis.wording import share
from alray.reporting.campaign import charts
from alray.reporting.campaign.page import PAGE, RARE, status_files, write_status
from tests.helpers.campaigns import begun, hidden_pool, play
from tests.helpers.paths import local
from tests.helpers.report_reading import Page, opened

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """Return a campaign of four answered batches, a class of which a page must escape."""
    folder = tmp_path_factory.mktemp("campaign")
    pool = hidden_pool(folder / "posts.parquet", objects=240)
    found = begun(
        pool,
        folder,
        audit=0.4,
        cost=0.05,
        classes=("class-0", "class-1", "class-2", EVIL),
        training={"passive_epochs": 4},
    )
    play(found, pool, 4, 30, worker="ann & bob", rate=0.1)
    return found


@pytest.fixture(scope="module")
def status(campaign):
    return campaign.status([0.2, 0.999])


@pytest.fixture(scope="module")
def files(status):
    return status_files(status, " --campaign x")


def test_tables_lie_beside_the_page_with_their_columns(files, status):
    assert set(files) == {PAGE, *(f"findings/{name}.csv" for name in TABLES)}
    for name, columns in TABLES.items():
        table = pd.read_csv(io.BytesIO(files[f"findings/{name}.csv"]))
        assert list(table) == list(columns), name
    batches = pd.read_csv(io.BytesIO(files["findings/batches.csv"]))
    pd.testing.assert_frame_equal(batches, status.batches, check_dtype=False)


def test_the_page_says_what_the_status_says(files, status):
    page = Page(files[PAGE])
    assert page.open == []
    for sentence in (*status.sentences, *status.rules["reason"], "--campaign x"):
        assert " ".join(sentence.split()) in page.words
    for row in status.batches.to_dict("records"):
        cells = f"{row['batch']} {row['asked']} {row['audit']} {row['answered']} {row['waiting']}"
        ends = f"{share(row['accuracy_low'])} to {share(row['accuracy_high'])}"
        cells += f" {row['labels']} {share(row['accuracy'])} {ends} {row['audit_objects']}"
        assert cells in page.words
    for row in status.labels.to_dict("records"):
        money = f"{row['answers']} {row['cost']:.2f}"
        assert f"{row['source']} {row['labels']} {row['waiting']} {money}" in page.words
    assert status.labels["cost"].sum() == pytest.approx(0.05 * 120)
    assert "ann & bob 120 0 0" in page.words
    rare = status.classes.loc[status.classes["labels"] < RARE, "class"].tolist()
    assert rare == [EVIL]
    assert f"Fewer than {RARE} labels: {EVIL}." in page.words
    assert files[PAGE].count(EVIL.encode()) == 0


def test_figures_show_the_frames(status):
    rows = charts.accuracy(status).rows
    measured = rows[rows["part"] == "measured"]
    for drawn, named in (("accuracy", "accuracy"), ("low", "accuracy_low"), ("labels", "labels")):
        np.testing.assert_array_equal(measured[drawn], status.batches[named])
    ahead = rows[rows["part"] == "forecast"]
    assert len(ahead) == len(status.outlook.forecast) > 10
    for name in ("labels", "accuracy", "low", "high"):
        np.testing.assert_array_equal(ahead[name], status.outlook.forecast[name])
    assert rows.loc[rows["part"] == "target", "target"].tolist() == [0.2, 0.999]
    bars = charts.classes(status).rows
    assert bars["labels"].is_monotonic_increasing
    assert dict(zip(bars["class"], bars["labels"], strict=True)) == dict(
        zip(status.classes["class"], status.classes["labels"], strict=True)
    )


def test_the_forecast_begins_where_the_last_network_is(status):
    first = status.outlook.forecast.iloc[0]
    assert first["labels"] == status.numbers["learnt"]
    assert first["gain"] == pytest.approx(0)
    assert status.advice in status.sentences


def test_a_browser_draws_both_figures(files, tmp_path):
    messages, drawn = opened(files[PAGE], tmp_path)
    assert messages == []
    assert 'data-drawn="2"' in drawn


def test_nothing_is_claimed_of_a_campaign_that_has_just_begun(tmp_path):
    pool = hidden_pool(tmp_path / "posts.parquet", objects=60)
    campaign = begun(pool, tmp_path)
    status = campaign.status([0.9])
    assert math.isnan(status.numbers["accuracy"])
    assert len(status.outlook.forecast) == len(status.outlook.targets) == 0
    assert not any(word in " ".join(status.sentences) for word in ("Stop", "forecast", "saved"))
    path = write_status(campaign.path, status)
    assert path == campaign.path / PAGE
    page = Page(local(path).read_bytes())
    assert "No network has been fitted yet" in page.words
    assert [each["data-figure"] for each in page.of("div") if "data-figure" in each] == ["classes"]
    assert set(status.rules["says"]) == {"not known"}


def test_without_an_audit_part_nothing_is_known_nor_promised(tmp_path):
    pool = hidden_pool(tmp_path / "posts.parquet", objects=60)
    campaign = begun(pool, tmp_path, audit=0)
    play(campaign, pool, 2, 6)
    status = campaign.status([0.5])
    assert status.numbers["learnt"] == 30
    assert "no audit part (audit = 0)" in status.sentences[0]
    assert status.sentences[1] == "Go on: nothing is known by which a rule could say stop."
    assert status.sentences[2].startswith("There is no forecast: the campaign has no audit part")
    assert set(status.rules["says"]) == {"not known"}
    assert b'data-figure="classes"' in status_files(status)[PAGE]
