"""`alray report --target`, `--horizon` and `--across` as typed: what is refused, and what a terminal says."""

import pytest

from tests.helpers.command import alray
from tests.helpers.sweep_report_frames import Size, frames_of, write_study

SIZE = Size(strategies=("random", "margin"), seeds=3, rounds=8)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    rounds = frames_of(SIZE)["rounds"][["arm", "seed", "labels", "accuracy"]]
    for name in ("a", "b"):
        rounds.to_csv(folder / f"{name}.csv", index=False)
    return folder / "a.csv", folder / "b.csv"


def test_targets_and_a_horizon_are_answered_in_the_terminal(tables):
    done = alray(
        "report", tables[0], "--format", "csv", "--target", "0.7", "--target", "0.8", "--horizon", "400"
    )  # fmt: skip
    assert done.exit_code == 0
    said = " ".join(done.stdout.split())
    assert "To accuracy .7: margin" in said
    assert "To accuracy .8:" in said
    assert "At 400 labels the forecast accuracy is margin" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--target", "75"), "--target 75: accuracy lies between 0 and 1; give a share, such as 0.75"),
        (("--horizon", "150"), "--horizon 150: curves go to 180 labels already"),
        (("--target", "0.7", "--matters", "0.1"), "--target and --horizon forecast"),
        (("--across",), "there is one; name two or more"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_ends_with_2(tables, tmp_path, options, message):
    done = alray("report", tables[0], *options, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "options",
    [
        *(
            ("--target", "0.7"),
            ("--against", "random"),
            ("--label-cost", "1"),
            ("--horizon", "300"),
        ),
        *(("--x", "labels"), ("--currency", "EUR")),
    ],
)
def test_across_takes_no_options_of_single_studies(tables, options):
    done = alray("report", *tables, "--across", *options)
    assert done.exit_code == 2
    assert f"{options[0]} is about single studies" in done.stderr


def test_across_says_who_is_safest(tables, tmp_path):
    done = alray("report", *tables, "--across", "--format", "html", "--out", tmp_path)
    assert done.exit_code == 0
    assert "The safest arm is margin" in done.stdout
    assert (tmp_path / "report.html").is_file()


def test_a_study_without_rounds_has_no_curves_to_forecast(tmp_path):
    study = write_study(tmp_path / "made", Size(strategies=("random",), rounds=0))
    done = alray("report", study, "--target", "0.7")
    assert done.exit_code == 2
    assert "--target 0.7 is about rounds of querying" in done.stderr
