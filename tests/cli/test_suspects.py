"""`alray pool suspects` as typed."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from alray.cli.display.suspects import print_suspects
from alray.studies.suspects import confident, finding
from alray.studies.suspects.confident import Judgement
from alray.studies.suspects.finding import SUSPECT_COLUMNS, Planted, Suspects
from tests.helpers.command import alray
from tests.helpers.narrow import WIDTHS, assert_whole, shown
from tests.helpers.processes import ROOT
from tests.helpers.records import documented, schema
from tests.helpers.suspects import suspects_table

QUICK = ("--folds", "2", "--set", "training.passive_epochs=1", "--set", "model.width=8")


def suspects_of(count=30, planted=None, not_judged=0):
    """Return a finding of 40 labels."""
    rng = np.random.default_rng(0)
    own = np.sort(rng.random(40))
    table = suspects_table(own, count)
    return Suspects(table, not_judged, planted)


@pytest.fixture
def stand_in(monkeypatch):
    """Stand in for cleanlab, which need not be installed: suspect are the two labels with the least probability."""

    def judge(labels, probabilities):
        own = probabilities[np.arange(len(labels)), labels]
        return Judgement(own.argsort().argsort() < 2, own, own)

    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    monkeypatch.setattr(finding, "judge", judge)


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_the_table_is_printed_and_written(pool, tmp_path, name):
    done = alray("pool", "suspects", pool, *QUICK, "--out", tmp_path / name, "--top", 1)
    assert done.exit_code == 0, done.output
    assert "2 of 200 labels (1.0 %) are suspect" in done.stdout
    assert "... 1 more suspect (--top 2 shows them all)" in done.stdout
    assert f"{name}: 200 labels, suspects first" in done.stdout
    assert done.stderr == ""
    path = tmp_path / name
    table = pd.read_csv(path) if name.endswith("csv") else pq.read_table(path).to_pandas()
    assert list(table) == list(SUSPECT_COLUMNS)
    assert table["suspect"].sum() == 2
    assert table["id"].iloc[0] in done.stdout
    assert [each.name for each in tmp_path.iterdir()] == [name]
    if name.endswith("parquet"):
        wanted = [(name, kind) for name, kind, _ in documented()["suspects"]]
        assert list(schema(path).items()) == wanted


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "{folder}/out.txt"], "write a table named .csv or .parquet"),
        (["--out", "{folder}/there.csv"], "exists already; .*--overwrite"),
        (["--out", "{folder}/none/out.csv"], "folder .*none does not exist; make it first"),
        (["--out", "s3://bucket/out.csv"], "--out s3://bucket/out.csv: write a local file"),
        (["--folds", "1"], "folds: .*greater than or equal to 2"),
        (["--label", "lable"], "did you mean 'label'"),
        (["--plant", "150"], "plant = 150 of the 200 labels"),
        (["--set", "training.stopping=held_out"], "held_out would stop by the labels"),
        (["--set", "split.test=.1"], "there is no setting 'split'"),
    ],
)
def test_what_cannot_work_is_refused_before_any_fit(pool, tmp_path, words, message, monkeypatch):
    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    monkeypatch.setattr(finding, "out_of_sample", None)
    (tmp_path / "there.csv").touch()
    done = alray("pool", "suspects", pool, *(word.format(folder=tmp_path) for word in words))
    assert done.exit_code == 2
    assert re.search(message, " ".join(done.stderr.split()))
    assert done.stderr.startswith("error: ")
    assert {each.name for each in tmp_path.iterdir()} == {"there.csv"}


@pytest.mark.usefixtures("stand_in")
def test_ctrl_c_leaves_nothing_behind(pool, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(finding, "out_of_sample", interrupt)
    done = alray("pool", "suspects", pool, *QUICK, "--out", tmp_path / "out.csv")
    assert (done.exit_code, done.stderr) == (130, "stopped\n")
    assert not list(tmp_path.iterdir())


def test_without_cleanlab_the_command_that_installs_it_is_named(pool, monkeypatch):
    monkeypatch.setattr(confident, "find_spec", lambda _: None)
    done = alray("pool", "suspects", pool)
    assert done.exit_code == 2
    assert 'pip install "alray[cleanlab]"' in done.stderr


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "found",
    [
        suspects_of(),
        suspects_of(0, not_judged=3),
        suspects_of(planted=Planted(100, "structured", 150, 84, 51)),
    ],
)
def test_no_number_is_cut(width, found):
    headings = ("rank", "id", "label")
    assert_whole(lambda console: print_suspects(console, found, 20, None), width, headings)


def test_what_is_said_has_the_numbers_of_the_finding():
    def text(found):
        return " ".join(shown(lambda to: print_suspects(to, found, 5, None), 80).split())

    planted = text(suspects_of(planted=Planted(100, "uniform", 150, 84, 51), not_judged=1))
    assert "30 of 40 labels (75.0 %) are suspect" in planted
    assert "1 label is not judged" in planted
    assert "A suspect label may be right" in planted
    assert (
        "of 100 labels that were made wrong (each now any other class), 84 were among the 150 suspects then, and 51 "
        "were among the first 100." in planted
    )
    none = text(suspects_of(0))
    assert none.startswith("0 of 40 labels (0.0 %) are suspect")
    assert "--plant 100" in none


def test_help_loads_no_torch():
    code = (
        "import sys; from alray.cli import main; from click.testing import CliRunner; "
        "print(CliRunner().invoke(main, ['pool', 'suspects', '--help']).output); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert "--plant N" in done.stdout
    assert done.stdout.endswith("False\n")
