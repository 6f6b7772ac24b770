"""Which software and machine has made a run: on record for each, and said where they differ."""

import os
import platform
import signal

import pandas as pd
import pytest

from alray import api
from alray.analysis.sweep.made_by import made_by
from alray.errors import Interrupted
from alray.reporting.facts import facts_of
from alray.reporting.sources import find_results, read_sweep
from alray.studies.machine import own_software
from alray.studies.sweep import driver
from tests.helpers.studies import Recorder, settings


def on_another(monkeypatch, software="alray 0 (old), torch 1"):
    monkeypatch.setattr(driver, "own_software", lambda: software)
    monkeypatch.setattr(platform, "node", lambda: "old-machine")


@pytest.mark.usefixtures("round_by_round")
def test_runs_say_what_has_made_them_and_a_study_says_where_that_differs(
    pool, tmp_path, monkeypatch
):
    """A finished run keeps its own; one that went on has both, whether it was stopped or got more rounds."""
    stop = Recorder(("run", 1), lambda: os.kill(os.getpid(), signal.SIGINT))
    here = platform.node()
    with monkeypatch.context() as patch:
        on_another(patch)
        api.sweep(settings(pool, rounds=2), results=tmp_path)
        with pytest.raises(Interrupted):
            api.sweep(settings(pool, rounds=2, seeds=[1]), results=tmp_path, observer=stop)
    study = api.sweep(settings(pool, rounds=2, seeds=3), results=tmp_path)
    rows = study.runs.set_index("seed")
    assert rows["machine"].to_dict() == {0: "old-machine", 1: f"old-machine; {here}", 2: here}
    assert rows["software"].to_dict() == {
        0: "alray 0 (old), torch 1",
        1: f"alray 0 (old), torch 1; {own_software()}",
        2: own_software(),
    }
    assert set(rows["host"]) == {"this process"}
    facts = facts_of(read_sweep(find_results(study), None), pd.DataFrame())
    assert facts["runs"].startswith("3 runs made by 3 versions (1 by alray 0 (old), torch 1;")
    longer = api.sweep(settings(pool, rounds=3), results=tmp_path).runs
    assert longer["machine"].tolist() == [f"old-machine; {here}"]


def frame(**columns):
    return pd.DataFrame({"status": "finished", **columns})


@pytest.mark.parametrize(
    ("runs", "sentence"),
    [
        (frame(software=["a", "a"], machine=["m", "m"]), ""),
        (frame(seed=[0, 1]), ""),
        (frame(software=["alray 1, torch 2", "alray 1, torch 2, scikit-learn 3"]), ""),
        (
            frame(software=["a 1", "a 1, b 2", "a 1, b 3", None]),
            "4 runs made by 4 versions (1 by a 1; 1 by a 1, b 2; 1 by a 1, b 3; 1 by unknown): they "
            "may differ by that, as runs with other seeds do.",
        ),
        (
            frame(software=["a", "a"], machine=["m", None]),
            "2 runs made by 2 machines (1 by m; 1 by unknown): they may differ by that, as runs "
            "with other seeds do.",
        ),
        (pd.DataFrame({"status": ["finished", "failed"], "software": ["a", "b"]}), ""),
    ],
)
def test_what_differs_is_said_and_nothing_else(runs, sentence):
    assert made_by(runs) == sentence
