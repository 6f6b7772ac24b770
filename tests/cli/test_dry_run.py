"""`alray sweep --dry-run` as typed."""

import pytest

from alray.studies.sweep.store import SweepStore
from tests.helpers.command import ONE_RUN


def test_a_dry_run_prints_the_plan_and_writes_nothing(sweep, results):
    """Arms, runs, objects scored, memory."""
    done = sweep(
        "--dry-run", "--strategies", "random,ideal_loss", "--vary", "training.batch_norm=live,frozen",
        "--seeds", "3", "--initial", "100", "--query", "10",
    )  # fmt: skip
    assert done.exit_code == 0
    assert "4 arms x 3 seeds = 12 runs" in done.stdout
    assert "ideal_loss [batch_norm=frozen] (oracle)" in done.stdout
    # Two rounds over the unlabelled part of the train objects, three seeds.
    train = done.stdout.partition("train ")[2].partition(", validation")[0].replace(",", "")
    assert f"{3 * (2 * (int(train) - 100) - 10):,}" in done.stdout
    assert not results.exists()


def test_a_plan_says_how_the_first_labels_are_chosen_where_it_is_not_at_random(sweep):
    words = ("--dry-run", "--initial", "100", "--rounds")
    chosen = ("--set", "initial_selection=typiclust")
    for rounds, then in [("2", "then"), ("0", "no rounds")]:
        assert f"100 labels, {then}" in sweep(*words, rounds).stdout
        assert f"100 labels by typiclust, {then}" in sweep(*words, rounds, *chosen).stdout


def test_a_plan_says_who_answers(sweep):
    said = " ".join(sweep("--dry-run", "--crowd", "rate=.25,answers=2,cost=1").stdout.split())
    assert (
        "labels by a crowd: 20 assessors, 25 % of answers wrong (structured); 2 answers an object at 1, read by "
        "one_coin outside this budget"
    ) in said
    again = " ".join(
        sweep("--dry-run", "--crowd", "relabel=active_lab,assign=best").stdout.split()
    )
    assert (
        "1 to 3 answers an object (by ActiveLab), those likely to be right asked first, at 0.05"
        in again
    )
    assert " to at most " in again
    assert " to at most " not in said
    assert "crowd" not in sweep("--dry-run").stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate=2", "crowd.rate: Input should be less than 1 (got '2')"),
        ("answers=30", "answers = 30 is more than assessors = 20"),
        ("rat=.3", "there is no setting 'crowd.rat'; did you mean 'crowd.rate'?"),
        (
            "xyz=3",
            "there is no setting 'crowd.xyz'; valid are: crowd.assessors, crowd.errors",
        ),
        ("rate", "write NAME=VALUE,NAME=VALUE, such as rate=.2,answers=3 (got 'rate')"),
        ("rate=.2,rate=.3", "names rate more than once"),
        ("relabel=disagreement,answers=2", "use answers=3 or more, or relabel=never"),
        ("table=nothing.csv", "crowd.table: nothing.csv: there is no such file; check the path"),
        ("table=nothing.csv,rate=.3", "rate = 0.3 changes nothing"),
        ("errors=table", "errors = table needs a file of answers: give table=FILE"),
    ],
)
def test_a_crowd_that_makes_no_sense_is_refused(sweep, text, message):
    done = sweep("--dry-run", "--crowd", text)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_a_plan_says_what_fewer_evaluations_save_and_cost(sweep):
    said = " ".join(sweep("--dry-run", "--evaluate-every", "2").stdout.split())
    assert (
        "evaluated every 2 rounds: 2 instead of 3 evaluations a run, and curves and savings are read every 10 labels "
        "outside this budget"
    ) in said
    words = ("--rounds", "4", "--evaluate-every", "2", "--vary", "query=5,6")
    said = " ".join(sweep("--dry-run", *words).stdout.split())
    assert (
        "3 instead of 5 or 2 instead of 3 evaluations a run, and curves and savings are read every 10 or 12 labels; "
        "with whole such steps arms end at 72 to 80 labels"
    ) in said
    assert "evaluat" not in sweep("--dry-run").stdout


def test_a_dry_run_says_how_much_of_the_study_is_there(sweep, results):
    sweep(*ONE_RUN)
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    done = sweep("--dry-run", *ONE_RUN, "--seeds", "3")
    assert done.exit_code == 0, done.output
    assert done.stdout.endswith("goes on there: 1 of 3 runs finished\n")
    assert "goes on" not in sweep("--dry-run", *ONE_RUN, "--fresh").stdout
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before


DEAD = ("--executor", "ray", "--address", "127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--initial", "50"), "initial: 60 there, 50 now"),
        (("--evaluate-every", "2"), "evaluate_every: 1 there, 2 now"),
        (("--evaluate-every", "4"), "give --rounds 4 or --evaluate-every 2"),
        (("--name", "a-file"), "a-file: "),
        (("--name", "other"), "holds a correlation study; choose another --name"),
        (("--name", "busy"), "is being written by another alray"),
        (DEAD, "no Ray cluster answers at '127.0.0.1:1'"),
        ((*DEAD, "--fresh"), "no Ray cluster answers at '127.0.0.1:1'"),
    ],
)
def test_a_dry_run_refuses_what_the_run_would_and_nothing_is_lost(sweep, results, words, message):
    """A refusal comes before a run, and before --fresh throws anything away."""
    sweep(*ONE_RUN)
    (results / "a-file").touch()
    (results / "other").mkdir()
    (results / "other" / "study.yaml").touch()
    (results / "other" / "manifest.json").write_text('{"kind": "correlation"}')
    before = len(list(results.rglob("*.parquet")))
    with SweepStore(results / "busy"):
        refusals = [sweep(*ONE_RUN, "--seeds", "2", *words, *dry) for dry in ((), ("--dry-run",))]
    for done in refusals:
        assert done.exit_code == 2, done.output
        assert message in done.stderr
    assert len(list(results.rglob("*.parquet"))) == before


def test_a_dry_run_refuses_a_folder_that_holds_another_study(sweep):
    assert sweep(*ONE_RUN).exit_code == 0
    refused = sweep(*ONE_RUN, "--query", "4", "--dry-run")
    assert refused.exit_code == 2
    assert "query: 5 there, 4 now" in refused.stderr
    assert sweep(*ONE_RUN, "--query", "4", "--dry-run", "--fresh").exit_code == 0
    assert sweep(*ONE_RUN, "--dry-run").exit_code == 0
