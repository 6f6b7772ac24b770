"""`alray sweep --compat original` as typed: the published study's intervals beside the sound ones."""

import pandas as pd
import yaml

from alray.reporting.notebook import load
from tests.helpers.command import TWO_ARMS, alray

WARNING = "holds the true mean in 38 % of studies of 2 seeds, not in 95 %"


def test_the_published_intervals_are_shown_besides_and_said_to_be_too_narrow(sweep, results):
    done = sweep(*TWO_ARMS, "--seeds", "2", "--compat", "original", "--report")
    assert done.exit_code == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert WARNING in said
    assert "ALC against" in said, "the sound statistics stay"
    folder = results / "pool"
    settings = yaml.safe_load((folder / "study.yaml").read_text())
    assert settings["initial_draw"] == "with_replacement"
    assert settings["split"]["per"] == "study"
    page = (folder / "report.html").read_text()
    for text in (WARNING, "original_curves", "drawn with replacement", "whole curve"):
        assert text in page
    assert alray("report", folder, "--format", "csv").exit_code == 0
    table = pd.read_csv(folder / "findings" / "original.csv")
    assert set(table["arm"]) == {"random", "margin"}
    assert WARNING in load(folder)._repr_html_()
    again = sweep(*TWO_ARMS, "--seeds", "2", "--compat", "original")
    assert "4 runs finished before" in again.stderr


def test_they_are_shown_nowhere_else(sweep, results):
    done = sweep(*TWO_ARMS, "--seeds", "2", "--report")
    assert "published study" not in done.stdout
    page = (results / "pool" / "report.html").read_text()
    assert "original_curves" not in page
    assert "published study states" not in page
    alray("report", results / "pool", "--format", "csv")
    assert not (results / "pool" / "findings" / "original.csv").exists()


def test_a_study_without_it_is_another_one(sweep):
    sweep(*TWO_ARMS, "--seeds", "1")
    refused = sweep(*TWO_ARMS, "--seeds", "1", "--compat", "original")
    assert refused.exit_code == 2
    assert "initial_draw: 'distinct' there, 'with_replacement' now" in refused.stderr
