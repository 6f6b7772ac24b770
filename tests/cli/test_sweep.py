"""`alray sweep` as typed."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import Mock, create_autospec

import click
import pandas as pd
import pytest
import yaml

from alray import api
from alray.cli import main
from alray.errors import SpecError, StoreError
from alray.reporting import api as reporting
from alray.settings.location import location_of
from alray.strategies.uncertainty import Margin
from alray.studies import driver
from alray.studies.sweep.results import load
from alray.studies.sweep.store import SweepStore
from tests.helpers.command import ONE_RUN, SMALL, TWO_ARMS, alray
from tests.helpers.studies import write_pool


def test_a_study_ends_with_its_table_its_files_and_a_page(sweep, results, monkeypatch):
    """Every arm has a line; the results lie where the last lines say; the page is made of the records in memory."""
    read = create_autospec(SweepStore.read_queries, side_effect=SweepStore.read_queries)
    monkeypatch.setattr(SweepStore, "read_queries", read)
    done = sweep(*TWO_ARMS, "--seeds", "2", "--report")
    assert done.exit_code == 0
    folder = results / "pool"
    for text in ("margin", "ALC against", f"results: {folder}", f"page: {folder}/report"):
        assert text in done.stdout
    for text in ("[4/4]", "writing the report"):
        assert text in done.stderr
    assert sorted(pd.read_parquet(folder / "rounds")["labels"].unique()) == [60, 65, 70]
    assert "margin" in (folder / "report.html").read_text()
    read.assert_called_once()


def test_a_page_that_cannot_be_written_does_not_spoil_the_study(sweep, monkeypatch):
    monkeypatch.setattr(reporting, "report", Mock(side_effect=StoreError("the disk is full")))
    done = sweep(*ONE_RUN, "--report")
    assert done.exit_code == 0
    assert "no report: the disk is full" in done.stderr
    assert "page:" not in done.stdout


def test_only_what_is_missing_is_run(sweep, results):
    """The same command again repeats no run and shows the table again; more seeds add to the study."""
    first, second = (sweep(*TWO_ARMS, "--seeds", "1") for _ in range(2))
    assert second.exit_code == 0
    assert second.stdout == first.stdout
    assert "2 runs finished before" in second.stderr
    assert "[1/2]" not in second.stderr
    assert "2 runs finished before" in sweep(*TWO_ARMS, "--seeds", "2").stderr
    assert len(pd.read_parquet(results / "pool" / "runs.parquet")) == 4


def test_other_settings_under_the_same_name_are_refused_and_shown(sweep):
    """Unless --fresh throws the earlier study away."""
    sweep(*ONE_RUN)
    refused = sweep(*ONE_RUN, "--set", "training.lr=5e-4")
    assert refused.exit_code == 2
    assert "training.lr: 0.001 there, 0.0005 now" in refused.stderr
    assert sweep(*ONE_RUN, "--set", "training.lr=5e-4", "--fresh").exit_code == 0


def test_options_override_the_file(sweep, results, tmp_path):
    """The file's other settings stay, and the resolved whole is written; a mistake in it is named with the file."""
    file = tmp_path / "study.yaml"
    training = {"lr": 3e-4, "passive_epochs": 7}
    file.write_text(yaml.safe_dump({"name": "mine", "rounds": 9, "training": training}))
    done = sweep(file, "--strategies", "random", "--seeds", "3,")
    assert done.exit_code == 0, done.stderr
    settings = yaml.safe_load((results / "mine" / "study.yaml").read_text())
    assert settings["rounds"] == 2
    assert settings["training"]["lr"] == 3e-4
    assert settings["training"]["passive_epochs"] == 2
    assert settings["seeds"] == [3]
    file.write_text("strategis: [random]\n")
    refused = sweep(file)
    assert refused.exit_code == 2
    assert str(file) in refused.stderr
    assert "did you mean 'strategies'?" in refused.stderr


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
        (["--rounds", "1000", "--evaluate-every", "40"], "lower --rounds to 160, or"),
        (["--query", "0"], "query"),
        (["--set", "model.dropout=0", "--strategies", "bald"], "dropout layers"),
        (["--group-by", "wrds"], "words"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_before_anything_runs(words, message, results):
    """Exit code 2, one message, no traceback, no folder."""
    done = alray("sweep", "--results", results, *words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert not results.exists()


def test_a_pool_whose_name_cannot_name_a_folder_gives_the_study_a_clean_name(
    sweep, pool, tmp_path, results
):
    """The name is shown, results can be read again, and another pool of the same clean name is refused."""
    odd = tmp_path / "my pool (1).parquet"
    odd.write_bytes(pool.read_bytes())
    shown = "my-pool-1 (from my pool (1).parquet): 200 objects"
    for words in (("--dry-run",), ("--report",)):
        done = sweep("--pool", odd, *ONE_RUN, *words)
        assert done.exit_code == 0, done.output
        assert shown in done.output
    assert load(results / "my-pool-1").settings.name == "my-pool-1"
    other = write_pool(tmp_path / "my_pool [1].parquet", seed=1).rename(
        tmp_path / "my pool [1].parquet"
    )
    refused = sweep("--pool", other, *ONE_RUN, "--dry-run")
    assert refused.exit_code == 2
    assert "(pool 'my pool (1)' there, 'my pool [1]' now)" in refused.stderr
    assert "--name" in refused.stderr


def test_a_tilde_is_the_home_folder_in_options_files_and_python(pool, tmp_path, monkeypatch):
    """Also where no shell has replaced it; no folder of this name is made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "posts.parquet").write_bytes(pool.read_bytes())
    (tmp_path / "study.yaml").write_text("pool: {source: ~/posts.parquet}\nstrategies: random\n")
    words = ("--seeds", "1", "--results", "~/results")
    done = alray("sweep", "~/study.yaml", *SMALL, *words)
    assert done.exit_code == 0, done.output
    assert f"results: {tmp_path}/results/posts" in done.stdout
    found = api.sweep("~/results/posts/study.yaml", results="~/results")
    assert found.path == tmp_path / "results" / "posts"
    assert load("~/results/posts").settings == found.settings
    assert not (tmp_path / "~").exists()
    assert location_of("~nobody-has-this-name/x") == Path("~nobody-has-this-name/x")


def test_full_data_and_candidates_are_options(sweep):
    done = sweep("--dry-run", "--full-data", "--candidates", "20", *TWO_ARMS, "--seeds", "2")
    assert done.exit_code == 0
    assert "= 4 runs, and 2 on full data" in " ".join(done.stdout.split())
    (margin,) = [line for line in done.stdout.splitlines() if line.startswith("margin")]
    assert margin.split()[-1] == "80"


def test_labels_outside_the_budget_are_named_before_after_and_beside_a_price(sweep, results):
    named = "+ 21 for early stopping, 39 for measuring"
    words = (*ONE_RUN, "--rounds", "1", "--set", "training.stopping=held_out")
    planned, done = sweep(*words, "--dry-run"), sweep(*words)
    assert f"outside this budget: {named}" in planned.stdout
    assert f"{named} (labels outside the budget of 65)" in done.stdout
    (study,) = results.iterdir()
    reported = alray("report", study, "--format", "html", "--label-cost", "2 EUR")
    assert "39 labels for measuring (78.00 EUR)" in " ".join(reported.output.split())
    assert f"{named} outside the budget" in (study / "report.html").read_text()


def test_heavy_libraries_wait_for_their_command():
    """Help and version answer at once."""
    program = (
        "import sys\nfrom alray.cli import main\n"
        "heavy = {'torch', 'ray', 'numpy', 'pandas', 'pyarrow'}\n"
        "assert not {*heavy, 'rich', 'pydantic'} & set(sys.modules)\n"
        "for words in (['--help'], ['--version'], ['sweep', '--help'], ['pool', '--help']):\n"
        "    main(words, standalone_mode=False)\n"
        "assert not heavy & set(sys.modules)\n"
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
        parameters = command.get_params(click.Context(command))
        options = [option for option in parameters if isinstance(option, click.Option)]
        assert [option.name for option in options if not option.help] == []
        assert len(options) > 20 or name not in ("sweep", "correlate")


@pytest.mark.parametrize("command", ["sweep", "correlate"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["posts.parquet"], "posts.parquet"),
        (["icons"], "icons"),
        (["."], "."),
        (["s3://bucket/posts/"], "s3://bucket/posts/"),
        (["data.npz"], "data.npz"),
        (["study.yaml"], "openclipart"),
    ],
)
def test_a_pool_may_be_named_in_the_place_of_settings(
    command, words, expected, tmp_path, monkeypatch
):
    planned = Mock(side_effect=SpecError("planned no further"))
    monkeypatch.setattr(api, "plan_sweep", planned)
    monkeypatch.setattr(api, "plan_correlation", planned)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text("seed: 1\n")
    alray(command, *words, "--dry-run")
    (spec,) = planned.call_args.args
    assert spec.pool.source == expected


def test_two_pools_are_refused():
    done = alray("sweep", "icons", "--pool", "posts.parquet", "--dry-run")
    assert done.exit_code == 2
    assert done.stderr == (
        "error: icons is a pool, and --pool posts.parquet names another one; name one of them\n"
    )


def test_the_form_of_an_option_is_shown_by_an_example_of_its_own():
    assert "--set training.lr=3e-4" in alray("sweep", "--set", "training.lr").stderr
    assert "--vary training.batch_norm=live,frozen" in alray("sweep", "--vary", "seeds").stderr


def test_interrupting_exits_with_130(sweep, results, monkeypatch):
    """With a line that says how to go on."""
    requested = Mock(return_value=True)
    with monkeypatch.context() as patch:
        patch.setattr(driver, "stop_requested", lambda *_: nullcontext(requested))
        done = sweep(*ONE_RUN)
    assert done.exit_code == 130
    assert "the same command goes on from here" in done.stderr
    assert load(results / "pool").summary["unfinished"].tolist() == [1]
    assert sweep(*ONE_RUN).exit_code == 0


def test_a_failed_run_is_reported_with_exit_code_1(sweep, results, monkeypatch):
    """The others go on; the table counts it, and its traceback is a text beside the page, until it ends well."""
    broken = Mock(side_effect=RuntimeError("broken on purpose"))
    with monkeypatch.context() as patch:
        patch.setattr(Margin, "select", broken, raising=False)
        done = sweep(*TWO_ARMS, "--seeds", "1", "--report")
    assert done.exit_code == 1
    file = results / "pool" / "errors.txt"
    text = file.read_text()
    assert text.startswith("== margin__seed-0")
    assert (
        ": margin, seed 0, on this process\n\nRuntimeError: broken on purpose\n\nTraceback" in text
    )
    assert f"where and why: {file}" in done.stdout
    assert f"why is in {file}" in done.stderr
    page = (results / "pool" / "report.html").read_text()
    assert "Errors in full are in errors.txt." in page
    assert 'href="errors.txt"' in page
    assert sweep(*TWO_ARMS, "--seeds", "1").exit_code == 0
    assert not file.exists()
    assert "failed: margin, seed 0: RuntimeError: broken on purpose" in done.stderr
    assert "1 run failed; why is in " in done.stderr
    assert "Runs failed and are left out: margin 1." in done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], None),
        (["--screen"], {"share": 0.1, "every": 20, "precision": None}),
        (
            ["--screen", "--set", "screen.share=0.3", "--set", "screen.precision=bf16"],
            {"share": 0.3, "every": 20, "precision": "bf16"},
        ),
        (["STUDY"], {"share": 0.2, "every": 20, "precision": None}),
        (["STUDY", "--screen"], {"share": 0.2, "every": 20, "precision": None}),
        (["STUDY", "--no-screen"], None),
    ],
)
def test_a_screen_is_switched_on_and_off_and_set(sweep, tmp_path, monkeypatch, words, expected):
    """What the file says of it stays where the option only switches it on."""
    planned = Mock(side_effect=SpecError("planned no further"))
    monkeypatch.setattr(api, "plan_sweep", planned)
    study = tmp_path / "study.yaml"
    study.write_text("screen: {share: 0.2}\n")
    sweep(*(study if word == "STUDY" else word for word in words), "--dry-run")
    assert planned.call_args.args[0].model_dump()["screen"] == expected
