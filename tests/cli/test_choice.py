"""`alray sweep --rounds 0` as typed: a table of variants, and the command that goes on with one of them."""

import shlex

import pandas as pd
import pytest
import yaml

from alray.analysis.sweep.choosing import choose
from alray.cli.display.choice_summary import print_choice
from alray.cli.next_sweep import Typed, next_command
from alray.cli.sweep import OPTIONS
from alray.settings.sweep import SweepSpec
from tests.helpers.choice_frames import NAMES, records, spread
from tests.helpers.command import alray
from tests.helpers.intervals import generator
from tests.helpers.narrow import WIDTHS, assert_whole

QUICK = ("--executor", "inline", "--set", "training.passive_epochs=2", "--seeds", "2")
VARY = ("--vary", "model.width=4,8", "--vary", "training.lr=1e-3,1e-2")


def line(done, start):
    (found,) = [each for each in done.stdout.splitlines() if each.startswith(start)]
    return found.removeprefix(start)


def test_a_sweep_without_rounds_ends_with_variants_and_a_command_that_works(pool, results):
    """The command keeps what was typed, has the winner's settings, and rounds."""
    words = ("--rounds", "0", "--initial", "60", "--group-by", "id", *QUICK, "--results", results)
    done = alray("sweep", pool, *words, *VARY, "--no-report", "--strategies", "random,margin")
    assert done.exit_code == 0
    assert "margin does nothing" in " ".join(done.stderr.split())
    for text in ("validation", "against", "param-", "width=4, lr=0.01"):
        assert text in done.stdout
    assert "whole" not in done.stdout
    command = shlex.split(line(done, "next: "))
    assert command[:3] == ["alray", "sweep", str(pool)]
    for kept in ("--group-by", "--initial", "--results", "--no-report", "--strategies"):
        assert kept in command
    assert "--vary" not in command
    dry = alray(*command[1:], "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert alray(*command[1:]).exit_code == 0
    chosen = done.stdout.partition("Take ")[2].partition(", the best so far")[0].split()
    settings = yaml.safe_load((results / "pool-chosen" / "study.yaml").read_text())
    assert f"width={settings['model']['width']}, lr={settings['training']['lr']:g}" == " ".join(
        chosen
    )
    assert settings["rounds"] > 0
    assert settings["training"]["passive_epochs"] == 2
    assert settings["vary"] == {}


def test_the_page_has_the_same_table_and_csv_all_columns(pool, results):
    """The report's other options are about curves, and are refused."""
    words = ("--rounds", "0", "--initial", "60", *QUICK, "--results", results, *VARY)
    done = alray("sweep", pool, *words)
    assert done.exit_code == 0, done.stderr
    folder = results / "pool"
    page = (folder / "report.html").read_text()
    for text in ("Variants", "width=4, lr=0.01", "take this one", "validation accuracy"):
        assert text in page
    made = alray("report", folder, "--format", "csv,svg", "--metric", "macro_f1")
    assert "picked by that macro F1" in " ".join(made.stdout.split())
    table = pd.read_csv(folder / "findings" / "choice.csv")
    assert table["parameters"].nunique() == 2
    assert set(table["metric"]) == {"macro_f1"}
    for option, value in (("--against", "random"), ("--label-cost", "1")):
        refused = alray("report", folder, option, value)
        assert refused.exit_code == 2
        assert "is about rounds of querying" in refused.stderr
    refused = alray("report", "--compare", folder, folder)
    assert refused.exit_code == 2
    assert "has no rounds; report it alone" in refused.stderr
    refused = alray("report", folder, "--metric", "rare_recall")
    assert refused.exit_code == 2
    assert "take another --metric" in refused.stderr


@pytest.mark.parametrize("width", WIDTHS)
def test_the_table_of_variants(width, tmp_path):
    values = {"": spread(0.7, seed=1), "width=32": spread(0.69, seed=2), "width=8": [0.5] * 8}
    found = choose(*records(values), NAMES, generator())
    settings = SweepSpec(rounds=0).model_dump()
    assert_whole(lambda console: print_choice(console, found, settings, tmp_path), width)


def command(typed, chosen, train=None, **settings):
    spec = SweepSpec.model_validate({"name": "posts", "rounds": 0, **settings})
    return next_command(typed, OPTIONS, spec, chosen, train)


def test_values_of_all_kinds_are_written_as_they_are_read():
    given = {
        "pool.modalities.image": "emb.*",
        "screen": {},
        "execution.insecure": False,
        "seeds": "3",
    }
    chosen = {
        "training.lr": 1e-05,
        "model.options.layers": [1, 2],
        "training.round_epochs": None,
        "pool.modalities": {"image": "img"},
        "model.name": "my_module:Net",
        "pool.group_by": "null",
        "model.options.text": "[broken",
    }
    words = shlex.split(command(Typed(None, given, ("training.lr=1", "model.dropout=0")), chosen))
    assert "--modality" not in words, "a varied setting replaces the option"
    sets = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--set")
    assert sets.pop("model.dropout") == "0"
    read = {name: yaml.safe_load(text) for name, text in sets.items()}
    assert float(read.pop("training.lr")) == chosen.pop("training.lr")
    assert read == chosen
    assert {"--screen", "--no-insecure", "--seeds", "3"} <= set(words)


def test_what_a_settings_file_holds_is_undone():
    words = command(Typed("study.yaml", {}), {"model.width": 8}, vary={"model.width": [4, 8]})
    assert words == (
        "alray sweep study.yaml --set model.width=8 --rounds 60 --set 'vary={}' --name posts-chosen"
    )


@pytest.mark.parametrize(
    ("train", "settings", "expected"),
    [
        (5000, {"initial": 2000}, "--rounds 60"),
        (3000, {"initial": 2000}, "--initial 2000 --rounds 25"),
        (3000, {"initial": 2000, "evaluate_every": 10}, "--rounds 20"),
        (None, {"evaluate_every": 7}, "--rounds 56"),
        (2010, {"initial": 2000}, "--initial 300 --query 20 --rounds 60"),
        (500, {"initial": 450}, "--rounds 1"),
    ],
)
def test_the_rounds_fit_the_pool(train, settings, expected):
    given = {"initial": settings["initial"]} if "initial" in settings else {}
    words = command(Typed("posts.parquet", given), {}, train, **settings)
    assert " ".join(expected.split()[-2:]) in words
    options = dict(zip(words.split()[3::2], words.split()[4::2], strict=True))
    if train:
        labels = int(options["--initial"]) + int(options["--rounds"]) * int(
            options.get("--query", 20)
        )
        assert labels <= train
