"""The scripts: each can be loaded and has a help, launchers find .venv, and what the documents quote exists."""

import os
import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from benchmarks.__main__ import bench
from benchmarks.engine import initial_labels
from benchmarks.growth import growth_table
from benchmarks.libraries.competitors import COMPETITORS
from benchmarks.libraries.tables import strategy_table
from benchmarks.libraries.task import STRATEGIES
from benchmarks.sweeps.tables import memory_table, sweep_table
from benchmarks.workloads import make_pool
from chaos_study.__main__ import chaos
from studies import (
    bald_members_table,
    crowd_table,
    digits_pool,
    forecast_table,
    level_table,
    nulls_table,
    prediction_table,
    splits_table,
    summary_picture,
    suspects_table,
)
from studies.reproduction.__main__ import main as reproduce

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
REFERENCE = ROOT / "results" / "reference" / "bench"

IN_OTHER_ENVIRONMENTS = {
    f"benchmarks.libraries.{name}" for name in ("baal", "skactiveml", "small_text")
}
MODULES = {
    ".".join(path.relative_to(SCRIPTS).with_suffix("").parts)
    for folder in ("benchmarks", "chaos_study", "studies")
    for path in (SCRIPTS / folder).rglob("*.py")
}


@pytest.mark.parametrize("name", sorted(MODULES - IN_OTHER_ENVIRONMENTS))
def test_every_module_can_be_loaded(name):
    import_module(name)


def test_the_engine_is_measured_on_a_pool_of_any_size_that_holds_its_rounds():
    """A train part of 70 %: as many initial labels as usual, else as the rounds leave; before anything is timed."""
    assert [initial_labels(make_pool(objects), 3) for objects in (2_000, 4_000)] == [1_340, 2_000]
    done = CliRunner().invoke(bench, ["engine", "--objects", "50"])
    assert done.exit_code == 2
    assert "35 objects is too small for 2 rounds of 20 labels; raise --objects" in done.output
    assert "Speed" not in done.output


# Help


HELPED = {
    "scripts/bench": bench,
    **{f"scripts/bench {name}": command for name, command in bench.commands.items()},
    "scripts/chaos": chaos,
    "digits_pool": digits_pool.main,
    "prediction_table": prediction_table.main,
    "bald_members_table": bald_members_table.main,
    "forecast_table": forecast_table.main,
    "level_table": level_table.main,
    "nulls_table": nulls_table.main,
    "splits_table": splits_table.main,
    "scripts/studies/crowd": crowd_table.main,
    "scripts/studies/summary_picture": summary_picture.main,
    "scripts/studies/suspects": suspects_table.main,
    "scripts/studies/reproduce": reproduce,
}


@pytest.mark.parametrize("name", HELPED)
def test_every_command_has_a_help(name):
    done = CliRunner().invoke(HELPED[name], ["--help"], prog_name=name, catch_exceptions=False)
    assert done.exit_code == 0
    assert done.output.startswith(f"Usage: {name} [OPTIONS]")


@pytest.mark.parametrize(
    "words",
    [
        ["growth", "--runs", "7"],
        ["growth", "--only", "pool,nothing"],
        ["growth", "--profile", "--write"],
        ["round", "--objects", "9000,50"],
        ["libraries", "--rounds", "3"],
        ["sweep", "--seeds", "3"],
    ],
)
def test_options_that_cannot_be_measured_are_refused(words):
    done = CliRunner().invoke(bench, words)
    assert done.exit_code == 2
    assert done.output.startswith(f"Usage: bench {words[0]}")


@pytest.mark.parametrize(
    "name",
    [
        *("reference", "prediction", "splits", "nulls", "level", "bald_members", "stopping"),
        "forecast_coverage",
    ],
)
def test_a_study_explains_itself_and_refuses_other_words(name):
    """Before anything is installed or computed."""
    for word, code in (("--help", 0), ("--unknown", 2)):
        path = SCRIPTS / "studies" / name
        done = subprocess.run([path, word], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout.startswith(f"usage: scripts/studies/{name}")


# Launchers

PYTHON = """#!/usr/bin/env bash
echo "$(pwd) ${{PYTHONPATH:-}} $*" >>"{log}"
"""


@pytest.mark.parametrize(
    ("launcher", "extra", "program"),
    [
        ("bench", ".[dev]", "{scripts} -P -m benchmarks"),
        ("chaos", ".", "{scripts} -P -m chaos_study"),
        ("studies/crowd", ".[dev]", "{scripts} -P -m studies.crowd_table"),
        ("studies/suspects", ".[dev]", "{scripts} -P -m studies.suspects_table"),
        ("studies/summary_picture", ".", " {scripts}/studies/summary_picture.py"),
        ("studies/reproduce", ".[dev]", "{scripts} -P -m studies.reproduction"),
    ],
)
def test_a_launcher_installs_and_runs_in_the_callers_folder(tmp_path, launcher, extra, program):
    """With the interpreter of .venv, which is made where only part of alray is installed."""
    checkout, here, log = tmp_path / "checkout", tmp_path / "here", tmp_path / "log"
    scripts, python = checkout / "scripts", checkout / ".venv" / "bin" / "python"
    for path in (here, python.parent, (scripts / launcher).parent):
        path.mkdir(parents=True)
    for name in ("setup", "constraints.txt", launcher):
        (scripts / name).write_bytes((SCRIPTS / name).read_bytes())
    (checkout / "pyproject.toml").touch()
    python.write_text(PYTHON.format(log=log))
    python.chmod(0o755)
    command = ["bash", scripts / launcher, "one", "two words"]
    environment = {"PATH": os.environ["PATH"]}
    subprocess.run(command, cwd=here, env=environment, check=True, capture_output=True)
    install, run = log.read_text().splitlines()
    assert install.startswith(f"{checkout} ")
    assert install.endswith(f" --editable {extra}")
    assert run == f"{here} {program.format(scripts=scripts)} one two words"


@pytest.mark.parametrize(
    "launcher", ["bench", "chaos", "demo", "test", "studies/reference", "studies/reproduce"]
)
def test_scripts_can_be_executed(launcher):
    assert os.access(SCRIPTS / launcher, os.X_OK)


# The documents

DOCUMENTS = [
    ROOT / "README.md",
    SCRIPTS / "README.md",
    *(ROOT / "results").rglob("*.md"),
    *(ROOT / "cluster").rglob("*.md"),
]
QUOTED = {
    command
    for path in DOCUMENTS
    for command in re.findall(
        r"(?:`|^|bash |\. )(scripts/[^`'#\n]+)", path.read_text(), re.MULTILINE
    )
}


def test_documents_quote_scripts():
    assert {"scripts/bench engine", "scripts/studies/prediction"} <= QUOTED


@pytest.mark.parametrize("quoted", sorted(QUOTED))
def test_what_documents_quote_exists(quoted):
    """With the options that it is quoted with."""
    script, *words = shlex.split(quoted)
    assert (ROOT / script).is_file()
    if words in ([], ["--help"]):
        return
    if script == "scripts/bench":
        command = bench.commands[words.pop(0)]
    elif script == "scripts/chaos":
        command = chaos
    elif script == "scripts/studies/reproduce":
        command = reproduce
    else:
        return
    command.make_context(script, words)


def test_published_tables_follow_from_published_measurements():
    rounds = pd.read_csv(REFERENCE / "libraries.csv")
    names = pd.CategoricalDtype([one.name for one in COMPETITORS], ordered=True)
    tables = [
        strategy_table(rounds.astype({"contestant": names}), strategy, COMPETITORS).markdown()
        for strategy in STRATEGIES
    ]
    assert "\n".join(tables) in (REFERENCE / "libraries.md").read_text()
    growth = pd.read_csv(REFERENCE / "growth.csv")
    title = "Scoring 20,000 objects by BALD, processor seconds by members"
    table = growth_table(title, 1, growth[growth["what"] == "members"])
    assert table.markdown() in (REFERENCE / "growth.md").read_text()
    sweeps = pd.read_csv(REFERENCE / "sweep.csv")
    title = "4 arms x 4 seeds x 30 rounds, medians of 2"
    equal = "final accuracies of the 16 runs in 8 sweeps: equal to the bit"
    assert sweep_table(sweeps, title, equal).markdown() in (REFERENCE / "sweep.md").read_text()
    memory = memory_table(pd.read_csv(REFERENCE / "memory.csv"))
    assert memory.markdown() in (REFERENCE / "memory.md").read_text()
