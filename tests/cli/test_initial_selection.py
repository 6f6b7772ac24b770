"""`alray sweep --vary initial_selection=...` as typed: what terminal, page and file say of another beginning."""

import pandas as pd

from alray.analysis.wording import signed
from tests.helpers.command import SMALL, alray

VARY = ("--vary", "initial_selection=random,stratified", "--strategies", "random")
QUICK = ("--initial", "60", "--executor", "inline", "--set", "training.passive_epochs=2")


def test_terminal_page_and_file_say_whether_another_beginning_pays(pool, results):
    words = (*SMALL, *VARY, "--seeds", "2")
    done = alray("sweep", "--pool", pool, "--results", results, *words)
    assert done.exit_code == 0, done.stderr
    (folder,) = results.iterdir()
    assert alray("report", folder, "--format", "html,csv").exit_code == 0
    (row,) = pd.read_csv(folder / "findings" / "initial_selections.csv").to_dict("records")
    assert (row["arm"], row["against"]) == ("random [initial_selection=stratified]", "random")
    assert (row["initial_selection"], row["against_selection"]) == ("stratified", "random")
    assert row["paired_seeds"] == 2
    terminal, page = " ".join(done.stdout.split()), (folder / "report.html").read_text()
    numbers = f"random {signed(row['alc_difference'])}, "
    for text in (terminal, " ".join(page.split())):
        assert "Beginning with stratified instead of random objects is " in text
        assert numbers in text
    assert "Does another beginning pay?" in page
    assert "made by 2 versions" not in terminal, "scikit-learn, which one of them alone needs"


def test_without_rounds_the_fits_on_the_initial_labels_are_compared(pool, results):
    words = ("--rounds", "0", *QUICK, *VARY, "--seeds", "2", "--no-report")
    done = alray("sweep", "--pool", pool, "--results", results, *words)
    assert done.exit_code == 0, done.stderr
    assert "Take initial_selection=" in done.stdout
    assert "alray sweep" in done.stdout.partition("next: ")[2]


def test_help_says_which_objects_are_labelled_first():
    text = " ".join(alray("sweep", "--help").stdout.split())
    assert "Labels to begin with: the passive phase" in text
    assert "Random labels" not in text
