"""The study of labels that are likely wrong: its table, and the page that follows from it."""

from pathlib import Path

import pandas as pd
import pytest

from alray.cli.display.suspects import KNOWN
from studies import suspects_table

PUBLISHED = Path(__file__).parents[2] / "results" / "reference" / "suspects"
SMALL = {"objects": 150, "classes": 3, "families": 1, "largest": 60, "smallest": 40}


def test_the_published_page_follows_from_the_published_table():
    rows = pd.read_csv(PUBLISHED / "suspects.csv")
    assert (PUBLISHED / "README.md").read_text() == suspects_table.page(rows)


def test_what_the_command_says_is_what_was_measured():
    rows = pd.read_csv(PUBLISHED / "suspects.csv")
    found = suspects_table.summarised(rows[rows["pool"].isin(suspects_table.RIGHT)])
    wrong, right = found["found_of_100"].dropna(), found["right_of_100"]
    assert f"{wrong.min():.0f} to {wrong.max():.0f} of 100 labels that were made wrong" in KNOWN
    assert f"up to {right.max():.0f} of 100 right ones" in KNOWN
    assert set(suspects_table.RIGHT) <= {*rows["pool"]}


def test_shares_are_those_of_the_counts():
    counts = {"seed": 0, "judged": 200, "pool": "made"}
    rows = pd.DataFrame(
        [
            {**counts, "errors": "none", "labels": 0, "suspects": 8, "found": 0, "first": 0},
            {
                **counts,
                "errors": "uniform",
                "labels": 40,
                "suspects": 50,
                "found": 30,
                "first": 25,
            },
        ]
    )
    none, planted = suspects_table.summarised(rows).to_dict("records")
    assert none["right_of_100"] == 4
    assert pd.isna(none["found_of_100"])
    assert (planted["share"], planted["found_of_100"], planted["first_of_100"]) == (20, 75, 62.5)
    assert (planted["planted_of_100"], planted["right_of_100"]) == (60, 12.5)
    page = suspects_table.page(rows)
    assert "| made | 0 % | none |  |  |  | 4.0 |" in page
    assert "| made | 20 % | uniform | 75.0 | 62.5 | 60.0 | 12.5 |" in page
    assert "so many are suspect: 4.0 on made." in page


def test_pools_are_judged_and_others_stay(tmp_path, monkeypatch):
    pytest.importorskip("cleanlab", reason="cleanlab is not installed")
    monkeypatch.setattr(suspects_table, "MADE", {**suspects_table.MADE, **SMALL})
    counts = {"seed": 0, "judged": 50, "labels": 0, "suspects": 1, "found": 0, "first": 0}
    before = pd.DataFrame([{"pool": "digits", "errors": "none", **counts}])
    before.to_csv(tmp_path / "suspects.csv", index=False)
    quick = {"training": {"passive_epochs": 1}, "model": {"width": 8}, "folds": 2}
    suspects_table.study(("made",), tmp_path, 1, quick)
    found = pd.read_csv(tmp_path / "suspects.csv")
    assert found["pool"].tolist() == ["digits", *["made"] * 5]
    assert found.loc[1:, "labels"].tolist() == [0, 8, 8, 30, 30]
    assert (tmp_path / "README.md").read_text() == suspects_table.page(found)
