"""`alray stop` as typed."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from alray.cli.display.stopping import print_stopping
from alray.reporting.stopping import stopping
from tests.helpers.command import alray
from tests.helpers.narrow import WIDTHS, assert_whole, shown
from tests.helpers.sweep_report_frames import Size, change_rounds, write_study

SMALL = Size(strategies=("random", "margin", "ideal_loss"), seeds=3, rounds=12)
RULES = ("kappa:window=2:threshold=0.95", "predicted_gain", "fixed_rounds:rounds=30")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a made study with what rules need."""
    folder = write_study(tmp_path_factory.mktemp("stop") / "made", SMALL)

    def measured(rounds):
        kappa = np.where(rounds["round"] == 0, np.nan, 0.9 + 0.01 * rounds["round"])
        validation = rounds["accuracy"] - 0.01
        return rounds.assign(stop_objects=50, stop_kappa=kappa, validation_accuracy=validation)

    change_rounds(folder, measured)
    return folder


def options(rules=RULES):
    return [word for rule in rules for word in ("--rule", rule)]


def test_a_row_per_arm_and_rule_is_printed_without_torch(study):
    program = (
        "import sys\nfrom alray.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "assert not {'torch', 'ray', 'altair'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "stop", study, *options(), "--label-cost", "2 EUR"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "(oracle)" in done.stdout
    assert "3 of 3" in done.stdout
    # Kappas .95 and .96 are the first two whose mean is .95 or more: round 6, 160 labels.
    assert "160" in done.stdout
    assert done.stdout.count("never") == 8, "two rules of three arms, and twice in words"
    assert not list(study.glob("report.html"))


@pytest.mark.parametrize("width", WIDTHS)
def test_no_number_is_cut(study, width):
    found = stopping(study, rules=RULES, label_cost="0.05 EUR")
    assert_whole(lambda console: print_stopping(console, found), width)


def test_one_seed_has_no_interval(study):
    found = stopping(study, rules=RULES)
    row = found.replay.table.assign(lost_low=np.nan, lost_high=np.nan)
    alone = dataclasses.replace(found, replay=dataclasses.replace(found.replay, table=row))
    text = shown(lambda console: print_stopping(console, alone), 100)
    assert "\u00b1" not in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rule", "kapa"], "no stopping rule 'kapa'; did you mean 'kappa'?"),
        (["--rule", "patience"], "valid are: kappa, overall_uncertainty"),
        (["--rule", "kappa:windows=3"], "no option 'windows'; did you mean 'window'?"),
        (["--rule", "kappa:window=-1"], "window must be 1 or more (got -1)"),
        (["--metric", "speed"], "there is no metric 'speed'"),
        (["--label-cost", "much"], "write what a label costs"),
    ],
)
def test_what_is_wrong_is_named_and_ends_with_2(study, words, message):
    done = alray("stop", study, *words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_a_folder_that_is_no_study_ends_with_2(tmp_path):
    done = alray("stop", tmp_path)
    assert done.exit_code == 2
    assert "no study.yaml" in done.stderr
