"""Curves made elsewhere: read, made rounds and runs of, and refused with the position of what is wrong."""

import itertools

import pandas as pd
import pytest

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.summary import summarise
from alray.errors import StoreError
from alray.reporting.api import report
from alray.reporting.curve_tables import read_curves
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import study

NO_QUERIES = pd.DataFrame()


def curves():
    """Return a tidy table of two arms, two seeds and three label counts."""
    rows = itertools.product(("random", "margin"), (1, 2), (100, 200, 300))
    table = pd.DataFrame(rows, columns=["arm", "seed", "labels"])
    return table.assign(accuracy=0.3 + table["labels"] / 1000 + 0.01 * table["seed"])


def written(tmp_path, table, name="curves.csv"):
    path = tmp_path / name
    if name.endswith(".parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    return path


def refused(tmp_path, table, name="curves.csv"):
    """Return the message without the path that it has to begin with."""
    path = written(tmp_path, table, name)
    with pytest.raises(StoreError) as caught:
        read_curves(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert caught.value.exit_code == 2
    return text.removeprefix(str(path))


@pytest.mark.parametrize("name", ["curves.parquet", "curves.txt"])
def test_a_sweep_written_as_a_table_reads_as_the_sweep(tmp_path, name):
    """Summary and comparison are those of the study, but for what a table does not say."""
    rounds, runs = study(strategies=("random", "margin", "ideal_loss"))
    columns = ["arm", "seed", "labels", "accuracy", "macro_f1", "nll", "oracle"]
    path = written(tmp_path, rounds[columns].sample(frac=1, random_state=1), name)
    read_rounds, read_runs, _ = read_curves(path)
    expected = summarise(rounds, runs, generator()).set_index("arm")
    found = summarise(read_rounds, read_runs, generator()).set_index("arm").loc[expected.index]
    unknown = ["ece", "seconds_per_round"]
    assert found[unknown].isna().all(axis=None)
    pd.testing.assert_frame_equal(
        found.drop(columns=unknown), expected.drop(columns=unknown), check_dtype=False
    )
    ours = compare(read_rounds, NO_QUERIES, read_runs, None, generator()).differences
    theirs = compare(rounds, NO_QUERIES, runs, None, generator()).differences
    ours, theirs = (
        frame[frame["metric"] != "ece"].sort_values(["arm", "metric", "labels"], ignore_index=True)
        for frame in (ours, theirs)
    )
    pd.testing.assert_frame_equal(ours, theirs)


def test_one_metric_is_enough(tmp_path):
    """The others are unknown; where accuracy is, nothing is said about labels saved."""
    rounds, runs, _ = read_curves(written(tmp_path, curves().rename(columns={"accuracy": "nll"})))
    assert rounds["accuracy"].isna().all()
    found = compare(rounds, NO_QUERIES, runs, None, generator())
    assert set(found.curves["metric"]) == {"nll"}
    assert found.savings.empty
    assert found.wins.empty
    assert summarise(rounds, runs, generator())["nll"].notna().all()


def test_rounds_are_numbered_by_labels(tmp_path):
    """From 0, in every run; further columns are ignored."""
    rounds, runs, _ = read_curves(written(tmp_path, curves().assign(note="x", round=99)))
    assert rounds[["round", "labels"]].drop_duplicates().to_numpy().tolist() == [
        [0, 100],
        [1, 200],
        [2, 300],
    ]
    assert "note" not in rounds
    assert runs["status"].tolist() == ["finished"] * 4
    assert set(runs["run_id"]) == set(rounds["run_id"])


def test_variants_have_their_own_random_arms(tmp_path):
    """An arm is named by its variant too; an empty one is the plain setting."""
    both = pd.concat([curves().assign(variant=""), curves().assign(variant="frozen")])
    rounds, runs, _ = read_curves(written(tmp_path, both))
    found = summarise(rounds, runs, generator()).set_index("arm")
    assert found["against"].dropna().to_dict() == {
        "margin": "random",
        "margin [frozen]": "random [frozen]",
    }


@pytest.mark.parametrize("name", ["NA", "01"])
def test_names_that_look_like_nothing_are_names(tmp_path, name):
    """pandas reads NA as nothing, and 01 as a number."""
    table = curves().replace({"margin": name})
    assert set(read_curves(written(tmp_path, table))[1]["arm"]) == {"random", name}


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("accuracy", "", "column accuracy, row 5: '' is not a number"),
        ("accuracy", "inf", "column accuracy, row 5: 'inf' is not a number"),
        ("accuracy", "0,5", "column accuracy, row 5: '0,5' is not a number"),
        ("accuracy", "61.5", "column accuracy, row 5: '61.5' is not a share from 0 to 1 (divide"),
        ("accuracy", "-0.1", "column accuracy, row 5: '-0.1' is not a share from 0 to 1"),
        ("seed", "1.5", "column seed, row 5: '1.5' is not a whole number from 0"),
        ("labels", "-200", "column labels, row 5: '-200' is not a whole number from 0"),
        ("arm", "", "column arm, row 5: '' is not a name"),
        (
            "labels",
            "100",
            "column labels, row 5: arm 'random', seed 2, has 100 labels in row 4 already",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_position(tmp_path, column, value, message):
    """File, column, row and value."""
    table = curves().astype(str)
    table.loc[4, column] = value
    assert refused(tmp_path, table).startswith(f", {message}")


@pytest.mark.parametrize(
    ("rows", "column", "message"),
    [
        ([2, 7], "accuracy", ", column accuracy, row 3: nan is not a number (and 1 more row)"),
        ([3], "arm", ", column arm, row 4: "),
    ],
)
def test_a_wrong_value_in_parquet_is_named_too(tmp_path, rows, column, message):
    """Nulls as numbers and texts have them."""
    table = curves()
    table.loc[rows, column] = None
    assert refused(tmp_path, table, "curves.parquet").startswith(message)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            curves().drop(columns=["seed", "labels"]),
            " lacks seed and labels: its columns are arm, accuracy",
        ),
        (
            curves().drop(columns="accuracy"),
            " lacks one of accuracy, macro_f1, balanced_accuracy, nll, rare_recall: its columns are arm, seed, labels",
        ),
        (curves().iloc[:0], " has no rows"),
        (
            curves()[lambda table: (table["arm"] == "random") == (table["labels"] < 200)],
            ", column labels: arm 'margin', seed 1, begins at 200 labels, and arm 'random', seed 1, ends at "
            "100 labels, so there is no label count at which both are known; leave one of them out, or give it rows "
            "that overlap",
        ),
        (
            curves().replace({"random": "chance"}),
            ", column arm: no arm is called 'random', so there is nothing to compare with; "
            "name one of chance, margin to compare against",
        ),
        (
            curves().assign(oracle=["True"] * 11 + ["False"]),
            ", column oracle: arm 'margin' is an oracle in some rows only",
        ),
        (
            curves().assign(oracle=["True"] * 7 + ["maybe"] * 5),
            ", column oracle, row 8: 'maybe' is not true or false (and 4 more rows)",
        ),
    ],
    ids=["columns", "metric", "rows", "no common range", "random", "mixed", "flag"],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, table, message):
    assert refused(tmp_path, table) == message


def test_curves_of_different_label_counts_are_compared_on_the_range_that_all_cover(tmp_path):
    """At every count that one of them has there, by straight lines; arms and seeds alike, and each variant alone."""
    table = curves().assign(variant="")
    bent = table["accuracy"].where(table["labels"] != 200, 0.9)
    odd = table.assign(accuracy=bent)[lambda rows: rows["arm"] == "margin"]
    odd = odd.assign(labels=odd["labels"].replace({100: 120, 200: 210, 300: 290}))
    late = table[(table["arm"] == "random") & ~((table["seed"] == 2) & (table["labels"] == 200))]
    other = table.assign(variant="frozen")
    rounds, runs, notes = read_curves(written(tmp_path, pd.concat([late, odd, other])))
    assert notes == (
        "Label counts differ between runs: they are compared from 120 to 290 labels, which all of them cover, with "
        "straight lines between the counts of a run.",
    )
    assert len(runs) == 8
    found = rounds.set_index(["arm", "seed", "labels"])["accuracy"]
    assert found["margin", 1].to_dict() == pytest.approx(
        {120: 0.41, 200: 0.41 + 80 / 90 * 0.49, 210: 0.9, 290: 0.61}
    )
    for seed in (1, 2):
        assert found["random", seed].to_dict() == pytest.approx(
            {count: 0.3 + count / 1000 + 0.01 * seed for count in (120, 200, 210, 290)}
        )
    assert found["random [frozen]", 1].index.tolist() == [100, 200, 300]
    assert summarise(rounds, runs, generator())["paired_seeds"].max() == 2


def test_a_page_says_that_curves_were_compared_on_a_common_range(tmp_path):
    path = written(tmp_path, curves().drop(index=11))
    made = report(path, out=tmp_path / "out", formats=("html",))
    assert "compared from 100 to 300 labels" not in str(made.problems)
    assert "compared from 100 to 200 labels, which all of them cover" in made.problems[0]


def test_oracles_are_marked(tmp_path):
    """True or false, for a whole arm."""
    flags = curves()["arm"].map({"random": "False", "margin": "TRUE"})
    _, runs, _ = read_curves(written(tmp_path, curves().assign(oracle=flags)))
    marked = set(zip(runs["arm"], runs["oracle"], strict=True))
    assert marked == {("random", False), ("margin", True)}


@pytest.mark.parametrize(
    ("name", "content"), [("absent.csv", None), ("empty.csv", ""), ("text.parquet", "no")]
)
def test_a_file_that_is_no_table_is_refused(tmp_path, name, content):
    """Not there, empty, and Parquet in name only."""
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(StoreError, match=f"{name} cannot be read as a table"):
        read_curves(tmp_path / name)
