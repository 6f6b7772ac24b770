"""`alray sweep` as typed."""

import subprocess
import sys
from pathlib import Path

import click
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import alray as alray_package
from alray.cli import main
from alray.errors import StoreError

SMALL = [
    "--initial",
    "60",
    "--query",
    "5",
    "--rounds",
    "2",
    "--executor",
    "inline",
    "--set",
    "training.passive_epochs=2",
    "--no-report",
]


def alray(*words):
    """Type a command; return its exit code, what it said on stdout, and on stderr."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def results(tmp_path):
    return str(tmp_path / "results")


def test_a_study_ends_with_its_table_and_its_files(results):
    """Every arm has a line; the results lie where the last lines say."""
    code, said, progress = alray(
        "sweep", "--strategies", "random,margin", "--seeds", "2", "--results", results, *SMALL
    )
    assert code == 0
    assert "margin" in said
    assert "ALC against random" in said
    assert f"results: {results}/openclipart" in said
    assert "[4/4]" in progress
    rounds = pd.read_parquet(f"{results}/openclipart/rounds")
    assert sorted(rounds["labels"].unique()) == [60, 65, 70]


def test_a_study_ends_with_a_page_about_it(results):
    code, said, progress = alray(
        "sweep", "--strategies", "random,margin", "--seeds", "2", "--results", results, *SMALL,
        "--report",
    )  # fmt: skip
    assert code == 0
    assert "writing the report" in progress
    assert f"page: {results}/openclipart/report.html" in said
    page = Path(f"{results}/openclipart/report.html").read_text()
    assert "margin" in page


def test_a_page_that_cannot_be_written_does_not_spoil_the_study(results, monkeypatch):
    def refuse(*_, **__):
        raise StoreError("no room")

    monkeypatch.setattr("alray.reporting.api.report", refuse)
    code, said, progress = alray(
        "sweep", "--strategies", "random", "--seeds", "1", "--results", results, *SMALL, "--report"
    )
    assert code == 0
    assert "no report: no room" in progress
    assert "page:" not in said


def test_the_same_command_again_finds_everything_done(results):
    """No run is played twice, and the table is shown again."""
    words = [
        "sweep",
        "--strategies",
        "random,margin",
        "--seeds",
        "1",
        "--results",
        results,
        *SMALL,
    ]
    _, first, _ = alray(*words)
    code, second, progress = alray(*words)
    assert code == 0
    assert second == first
    assert "2 runs finished before" in progress
    assert "[1/2]" not in progress


def test_more_seeds_add_to_a_study(results):
    """Only the new seed is played."""
    words = ["sweep", "--strategies", "random", "--results", results, *SMALL]
    alray(*words, "--seeds", "1")
    code, _, progress = alray(*words, "--seeds", "2")
    assert code == 0
    assert "1 run finished before" in progress
    assert len(pd.read_parquet(f"{results}/openclipart/runs.parquet")) == 2


def test_other_settings_under_the_same_name_are_refused_and_shown(results):
    """Unless --fresh throws the earlier study away."""
    words = ["sweep", "--strategies", "random", "--seeds", "1", "--results", results, *SMALL]
    alray(*words)
    code, _, said = alray(*words, "--set", "training.lr=5e-4")
    assert code == 2
    assert "training.lr: 0.001 there, 0.0005 now" in said
    code, _, _ = alray(*words, "--set", "training.lr=5e-4", "--fresh")
    assert code == 0


def test_options_override_the_file(results, tmp_path):
    """The file's other settings stay, and the resolved whole is written."""
    file = tmp_path / "study.yaml"
    file.write_text(
        yaml.safe_dump(
            {"name": "mine", "rounds": 9, "training": {"lr": 3e-4, "passive_epochs": 7}}
        )
    )
    code, _, said = alray(
        "sweep", str(file), "--strategies", "random", "--seeds", "3,", "--results", results, *SMALL
    )
    assert code == 0, said
    settings = yaml.safe_load((tmp_path / "results" / "mine" / "study.yaml").read_text())
    assert settings["rounds"] == 2
    assert settings["training"]["lr"] == 3e-4
    assert settings["training"]["passive_epochs"] == 2
    assert settings["seeds"] == [3]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--strategies", "rndom"], "did you mean 'random'?"),
        (["--strategies", "bald:membrs=3"], "did you mean 'members'?"),
        (["--strategies", "bald:members=none"], "got 'none'"),
        (["--set", "training.lrr=1"], "did you mean 'training.lr'?"),
        (["--set", "training.lr"], "NAME=VALUE"),
        (["--set", "rounds.more=1"], "rounds: Input should be a valid integer"),
        (["--vary", "training.batchnorm=live"], "did you mean 'training.batch_norm'?"),
        (["--seeds", "many"], "write a number of seeds (10) or their list (0,3,7)"),
        (["--seeds", "1,1"], "more than once"),
        (["--pool", "openclipat"], "openclipart"),
        (["--rounds", "1000"], "lower --rounds to"),
        (["--query", "0"], "query"),
        (["--set", "model.dropout=0", "--strategies", "bald"], "dropout layers"),
        (["--group-by", "wrds"], "words"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_before_anything_runs(words, message, results, tmp_path):
    """Exit code 2, one message, no traceback, no folder."""
    code, said, error = alray("sweep", "--results", results, *words)
    assert code == 2
    assert message in error
    assert "Traceback" not in said + error
    assert not (tmp_path / "results").exists()


def test_an_unknown_key_in_the_file_names_the_file(results, tmp_path):
    """And the nearest valid key."""
    file = tmp_path / "study.yaml"
    file.write_text("strategis: [random]\n")
    code, _, error = alray("sweep", str(file), "--results", results)
    assert code == 2
    assert str(file) in error
    assert "did you mean 'strategies'?" in error


def test_a_dry_run_prints_the_plan_and_writes_nothing(results, tmp_path):
    """Arms, runs, objects scored, memory."""
    code, said, _ = alray(
        "sweep", "--dry-run", "--strategies", "random,ideal_loss", "--vary", "training.batch_norm=live,frozen",
        "--seeds", "3", "--initial", "100", "--query", "10", "--rounds", "2", "--results", results,
    )  # fmt: skip
    assert code == 0
    assert "4 arms x 3 seeds = 12 runs" in said
    assert "ideal_loss [batch_norm=frozen] (oracle)" in said
    # Two rounds over the unlabelled part of 4,0xx train objects, three seeds.
    train = int(said.partition("train ")[2].partition(", validation")[0].replace(",", ""))
    assert f"{3 * (2 * (train - 100) - 10):,}" in said
    assert not (tmp_path / "results").exists()


def test_help_and_version_load_neither_torch_nor_ray():
    """They answer at once; every command has a help text."""
    program = (
        "import sys\nfrom alray.cli import main\n"
        "for words in (['--help'], ['--version'], ['sweep', '--help'], ['pool', '--help']):\n"
        "    main(words, standalone_mode=False)\n"
        "assert not {'torch', 'ray', 'numpy', 'pandas', 'pyarrow'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "alray, version" in done.stdout


def test_every_option_is_explained():
    """A command or option without help is not finished."""
    for name, command in main.commands.items():
        assert command.get_short_help_str(), name
        options = [
            option
            for option in command.get_params(click.Context(command))
            if isinstance(option, click.Option)
        ]
        assert [option.name for option in options if not option.help] == []
        assert len(options) > 20 or name not in ("sweep", "correlate")


def test_interrupting_exits_with_130(results, monkeypatch):
    """With a line that says how to go on."""
    monkeypatch.setattr("alray.studies.driver.stop_requested", AlreadyWished)
    words = ["sweep", "--strategies", "random", "--seeds", "1", "--results", results, *SMALL]
    code, _, error = alray(*words)
    assert code == 130
    assert "the same command goes on from here" in error
    stopped = alray_package.load(f"{results}/openclipart")
    assert stopped.summary["unfinished"].tolist() == [1]
    monkeypatch.undo()
    assert alray(*words)[0] == 0


class AlreadyWished:
    """A wish to stop that came before the first round."""

    def __enter__(self):
        return lambda: True

    def __exit__(self, *_):
        return False


def test_a_failed_run_is_reported_with_exit_code_1(results, monkeypatch):
    """The others go on; the table counts it."""

    def broken(self, signals, k, rng):
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("alray.strategies.uncertainty.Margin.select", broken, raising=False)
    words = [
        "sweep",
        "--strategies",
        "random,margin",
        "--seeds",
        "1",
        "--results",
        results,
        *SMALL,
    ]
    code, said, progress = alray(*words)
    assert code == 1
    assert "failed: margin, seed 0: RuntimeError: broken on purpose" in progress
    assert "1 run failed; why is in " in progress
    assert "Runs failed and are left out: margin 1." in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], None),
        (["--screen"], {"share": 0.1, "every": 20}),
        (["--screen", "--set", "screen.share=0.3"], {"share": 0.3, "every": 20}),
        (["STUDY"], {"share": 0.2, "every": 20}),
        (["STUDY", "--screen"], {"share": 0.2, "every": 20}),
        (["STUDY", "--no-screen"], None),
    ],
)
def test_a_screen_is_switched_on_and_off_and_set(tmp_path, results, words, expected):
    """What the file says of it stays where the option only switches it on."""
    study = tmp_path / "study.yaml"
    study.write_text("name: openclipart\nscreen: {share: 0.2}\n")
    given = [str(study) if word == "STUDY" else word for word in words]
    wanted = ["--strategies", "random", "--seeds", "1", "--results", results]
    assert alray("sweep", *given, *wanted, *SMALL)[0] == 0
    written = yaml.safe_load(Path(results, "openclipart", "study.yaml").read_text())
    assert written["screen"] == expected


def test_full_data_and_candidates_are_options(results):
    code, said, _ = alray(
        "sweep", "--dry-run", "--full-data", "--candidates", "100", "--strategies", "random,margin",
        "--seeds", "2", "--results", results, *SMALL,
    )  # fmt: skip
    assert code == 0
    assert "= 4 runs, and 2 on full data" in " ".join(said.split())
    assert [line.split()[-1] for line in said.splitlines() if line.startswith("margin")] == ["400"]
