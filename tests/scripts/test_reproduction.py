"""The study run again: parts and claims that fit together, commands, stored tables, and the page that they make."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import click
import pandas as pd
import pytest
from click.testing import CliRunner

from alray.cli.correlate import correlate
from alray.cli.sweep import sweep
from studies.reproduction import networks, windows
from studies.reproduction.__main__ import main
from studies.reproduction.collecting import _store
from studies.reproduction.datasets import data_sets
from studies.reproduction.evidence import Evidence
from studies.reproduction.page import write_page
from studies.reproduction.parts import Correlation, Sweep
from studies.reproduction.plan import plan_lines, rounds_of, steps_of
from studies.reproduction.registry import PARTS
from studies.reproduction.running import command_of, run
from tests.helpers.reproduction_frames import frames

DATA = data_sets(Path("work"), Path("mnist.npz"), "icons", small=False)

# Parts and claims


def test_pairs_and_arms_are_those_of_the_sweeps():
    for part in PARTS.values():
        sweeps = {each.name: each for each in part.sweeps}
        for name, arm in part.arms.items():
            strategies = (*sweeps[arm.sweep].strategies, "random + loss predictor")
            assert arm.strategy in strategies, name
            values = [
                f"{key.partition('.')[2]}={value}"
                for key, varied in sweeps[arm.sweep].vary.items()
                for value in varied
            ]
            assert set(filter(None, arm.variant.split(", "))) <= set(values), name
        assert {name for pair in part.pairs for name in pair} <= set(part.arms), part.name


def test_each_study_runs_once_though_several_parts_read_it():
    once = steps_of([PARTS["heads"], PARTS["heads"], PARTS["uncertainty"]], DATA)
    names = [step.name for step in once]
    assert names == sorted(set(names), key=names.index)
    assert names[:4] == ["icons-heads", "icons-losses", "icons-fixed-weights", "icons-uncertainty"]


@pytest.mark.parametrize("small", [False, True])
def test_every_command_is_one_that_alray_takes(small):
    data = data_sets(Path("work"), Path("mnist.npz"), "icons", small=small)
    steps = steps_of(PARTS.values(), data, small=small)
    assert {type(step.study) for step in steps} == {Sweep, Correlation}
    for step in steps:
        program, *words = command_of(step, Path("work"), small=small)
        command = {"sweep": sweep, "correlate": correlate}[program]
        command.make_context(program, words)


def test_the_long_run_ends_just_before_the_train_part_does():
    (step,) = steps_of([PARTS["long"]], {"icons": DATA["icons"]})
    assert isinstance(step.study, Sweep)
    last = step.data.initial + rounds_of(step) * step.study.query
    assert 34_842 - 1_000 - 200 < last <= 34_842


def test_the_plan_names_all_studies_and_their_time():
    steps = steps_of(PARTS.values(), DATA)
    *lines, total = plan_lines(steps)
    assert len(lines) == len(steps) + 3
    minutes = sum(step.minutes for step in steps)
    assert total.split(" min")[0].split() == ["everything", f"{minutes:.0f}"]


def test_networks_that_do_not_exist_yet_are_left_out(monkeypatch, capsys):
    both = [PARTS["networks"], PARTS["heads"]]
    monkeypatch.setattr(networks, "builds_them", lambda: False)
    assert [part.name for part in networks.with_their_networks(both)] == ["heads"]
    assert "networks is left out" in capsys.readouterr().err
    monkeypatch.setattr(networks, "builds_them", lambda: True)
    assert networks.with_their_networks(both) == both


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["headz"], "'headz' is not one of 'heads'"),
        (["--data", "icon"], "'icon' is none of icons, twin, mnist"),
        (["--data", ","], "name at least one of icons, twin, mnist"),
        (["--mnist", "nowhere.npz"], "nowhere.npz' does not exist"),
    ],
)
def test_what_is_unknown_is_refused(words, message):
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert message in done.output


@pytest.mark.parametrize("words", [["digits"], ["--data", "mnist"]])
def test_mnist_alone_needs_its_file(tmp_path, words):
    done = CliRunner().invoke(main, [*words, "--work", str(tmp_path)])
    assert done.exit_code == 2
    assert "needs your copy of MNIST: give --mnist PATH" in done.output


@pytest.mark.parametrize("status", [0, 1, 2, 130])
def test_a_study_that_cannot_run_ends_the_call_and_failed_runs_do_not(monkeypatch, status):
    """Exit status 1 of alray means that some runs failed; the page counts them."""
    commands = []

    def done(command, **_):
        commands.append(command)
        return subprocess.CompletedProcess(command, status)

    monkeypatch.setattr(subprocess, "run", done)
    steps = steps_of([PARTS["heads"]], {"icons": DATA["icons"]})
    if status < 2:
        run(steps, Path("work"), small=False, inline=True)
        assert len(commands) == len(steps) == 3
        return
    with pytest.raises(click.ClickException, match=f"icons-heads: alray ended with {status}"):
        run(steps, Path("work"), small=False, inline=True)
    assert len(commands) == 1


# Stored tables and the page


def test_new_rows_replace_those_of_their_sweep_alone(tmp_path):
    path = tmp_path / "runs.parquet"
    old = pd.DataFrame(
        {"data": ["icons", "icons", "twin"], "sweep": ["a", "b", "a"], "value": [1, 2, 3]}
    )
    _store(path, [old], ["data", "sweep"])
    _store(
        path, [pd.DataFrame({"data": ["icons"], "sweep": ["a"], "value": [9]})], ["data", "sweep"]
    )
    assert sorted(pd.read_parquet(path)["value"]) == [2, 3, 9]


def test_the_page_of_nothing_says_that_nothing_has_run(tmp_path):
    empty = frames("uncertainty", {})
    empty = replace(empty, rounds=empty.rounds.head(0), runs=empty.runs.head(0))
    write_page(Evidence(empty), tmp_path)
    claims = pd.read_csv(tmp_path / "claims.csv")
    assert set(claims.loc[claims["part"] != "costs", "verdict"]) == {"not run"}
    assert "### On" not in (tmp_path / "README.md").read_text()


def test_the_page_shows_verdicts_pictures_and_where_data_sets_differ(tmp_path):
    (tmp_path / "old.svg").touch()
    here, there = (
        frames("uncertainty", {"margin": gain}, data=data)
        for data, gain in (("icons", 0.01), ("twin", -0.01))
    )
    both = {
        name: pd.concat([getattr(here, name), getattr(there, name)]) for name in ("rounds", "runs")
    }
    write_page(Evidence(replace(here, windows=windows.window_table(50), **both)), tmp_path)
    page = (tmp_path / "README.md").read_text()
    assert (
        "| Fig. 7 | [Margin learns faster than random](#uncertainty) | agrees | **disagrees** |"
        in page
    )
    assert "judged on both icons and the twin, 1 have different verdicts" in page
    linked = set(re.findall(r"\]\(([^)]+\.svg)\)", page))
    assert linked == {path.name for path in tmp_path.glob("*.svg")}
    assert {"uncertainty-icons-curves.svg", "windows.svg", "growth-pool.svg"} <= linked


@pytest.mark.slow
def test_all_parts_run_small_and_the_same_command_goes_on(tmp_path):
    command = ["--small", "--inline", "--data", "icons", "--work", str(tmp_path / "work")]
    command += ["--out", str(tmp_path / "page")]
    for parts in ([], ["heads"]):
        done = CliRunner().invoke(main, [*parts, *command], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    claims = pd.read_csv(tmp_path / "page" / "claims.csv")
    ran = claims[(claims["data"] == "icons") & (claims["part"] != "networks")]
    assert "not run" not in set(ran["verdict"])
