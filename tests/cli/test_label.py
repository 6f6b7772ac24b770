"""`alray label` as typed: five commands, from a pool without labels to labels."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.cli.display.label import print_status
from alray.labelling.campaign import Campaign
from tests.helpers.campaigns import answers, hidden_pool
from tests.helpers.command import SMALL, alray
from tests.helpers.narrow import assert_whole

QUICK = ("--initial", 20, "--set", "training.passive_epochs=2", "--set", "model.width=8")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return a folder with a pool, in which commands are typed."""
    monkeypatch.chdir(tmp_path)
    hidden_pool(tmp_path / "posts.parquet")
    table = pq.read_table("posts.parquet")
    words = pa.array([f'=SUM("{row}"), words' for row in range(len(table))])
    pq.write_table(table.append_column("words", words), "posts.parquet")
    return tmp_path


def answered(folder, number):
    """Answer the file of a batch; return that of the answers."""
    tasks = pd.read_csv(folder / f"posts-labels-batch-{number:04d}.csv", dtype=str)
    answers(folder / "posts.parquet", tasks["task"]).to_csv(folder / "answers.csv", index=False)
    return folder / "answers.csv"


def test_from_a_pool_to_labels(folder):
    started = alray("label", "start", "posts.parquet", "--show", "words", *QUICK)
    assert started.exit_code == 0, started.output
    assert "126 of 150 objects have no label; 3 classes are known" in started.output
    assert "next: alray label next 100\n" in started.output
    chosen = alray("label", "next", 20)
    assert chosen.output.splitlines()[-2:] == [
        "in posts-labels-batch-0001.csv",
        "next: have it answered, then alray label add FILE",
    ]
    again = alray("label", "next", 20)
    assert again.exit_code == 2
    assert "may hold answers" in again.output
    assert "written again" in alray("label", "next", 20, "--out", "same.csv").output
    assert (folder / "same.csv").read_bytes() == (
        folder / "posts-labels-batch-0001.csv"
    ).read_bytes()
    (folder / "posts-labels-batch-0002.csv").touch()
    assert "0002.csv is there already" in alray("label", "next", 20, "--new").output
    assert Campaign("results/posts-labels").last_batch == 1
    (folder / "posts-labels-batch-0002.csv").unlink()
    added = alray("label", "add", answered(folder, 1))
    assert (added.exit_code, added.output.splitlines()[0]) == (0, "added: 20 answers used")
    assert "all 20 answers are on record" in alray("label", "add", "answers.csv").output
    status = alray("label", "status").output
    assert "44 objects of 150 have a label; 0 objects wait for answers." in status
    assert status.endswith("next: alray label next 200\n")
    assert "page: results/posts-labels/status.html\n" in status
    assert (
        b"44 objects of 150 have a label"
        in (folder / "results" / "posts-labels" / "status.html").read_bytes()
    )
    assert alray("label", "export", "labels.csv").output == "44 labels in labels.csv\n"
    assert len(pd.read_csv("labels.csv")) == 44


def test_a_pool_that_is_read_in_parts(folder):
    alray("label", "start", "posts.parquet", "--in-parts", "--show", "words", *QUICK)
    chosen = alray("label", "next", 20, "--executor", "inline")
    assert chosen.exit_code == 0, chosen.output
    assert "margin chooses 18 objects from" in chosen.output
    assert "150/150 rows in" in chosen.output
    again = alray("label", "next", 20, "--out", "same.csv", "--executor", "inline")
    assert "margin chooses" not in again.output
    assert (folder / "same.csv").read_bytes() == (
        folder / "posts-labels-batch-0001.csv"
    ).read_bytes()


def test_a_status_is_shown_where_its_page_cannot_be_written(folder):
    alray("label", "start", "posts.parquet", *QUICK)
    (folder / "results" / "posts-labels" / "status.html").mkdir()
    found = alray("label", "status")
    assert (found.exit_code, "24 objects of 150 have a label" in found.output) == (2, True)
    assert "status.html" in found.output
    assert "Traceback" not in found.output


def test_a_batch_can_be_written_for_label_studio(folder):
    alray("label", "start", "posts.parquet", "--show", "words", *QUICK)
    found = alray("label", "next", 5, "--format", "label-studio", "--out", "batch.json")
    assert found.exit_code == 0, found.output
    assert (folder / "batch.json").exists()


def test_what_cannot_be_done_says_what_can(folder):
    for words, message in (
        (("label", "start"), "name a pool"),
        (("label", "start", "posts.parquet", "--arm", "margin"), "--from STUDY"),
        (("label", "next", 5), "begin one with `alray label start POOL`"),
        (("label", "export", "labels.xlsx"), "labels are written as .parquet or .csv"),
        (("label", "next", 5, "--format", "label-studoi"), "did you mean label-studio"),
    ):
        found = alray(*words)
        assert found.exit_code == 2, words
        assert message in found.output
    alray("label", "start", "posts.parquet", *QUICK)
    found = alray("label", "status", "--target", 90)
    assert (found.exit_code, "give a share, such as 0.9" in found.output) == (2, True)
    alray("label", "start", "posts.parquet", "--name", "other", *QUICK)
    assert "there are 2 campaigns" in alray("label", "status").output
    assert alray("label", "status", "--campaign", "results/other").exit_code == 0


def test_a_dry_run_begins_nothing(folder):
    found = alray("label", "start", "posts.parquet", "--dry-run", *QUICK)
    assert found.exit_code == 0
    assert "the campaign would be results/posts-labels" in found.output
    assert not (folder / "results").exists()


def test_a_sweep_and_a_campaign_refuse_each_others_folder(folder):
    alray("label", "start", "posts.parquet", "--name", "posts", *QUICK)
    found = alray("sweep", "--pool", "truth.parquet", "--name", "posts", *SMALL, "--dry-run")
    assert found.exit_code == 2
    pq.write_table(
        pq.read_table("posts.parquet").set_column(
            1, "label", pq.read_table("truth.parquet")["label"]
        ),
        "full.parquet",
    )
    found = alray("sweep", "--pool", "full.parquet", "--name", "posts", *SMALL, "--dry-run")
    assert "holds a campaign of labelling; choose another --name" in found.output
    reported = alray("report", "results/posts")
    assert (reported.exit_code, "`alray label status` shows it" in reported.output) == (2, True)
    stopped = alray("stop", "results/posts")
    assert (stopped.exit_code, "alray label status" in stopped.output) == (2, True)


@pytest.mark.parametrize("width", [60, 80])
def test_the_status_fits_a_terminal(folder, width):
    alray("label", "start", "posts.parquet", *QUICK, "--audit", 0.4, "--cost", 0.05)
    alray("label", "next", 30)
    alray("label", "add", answered(folder, 1))
    status = Campaign("results/posts-labels").status()
    assert_whole(lambda console: print_status(console, status, ""), width)
