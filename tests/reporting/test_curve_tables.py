"""Curves made elsewhere: read, made rounds and runs of, and refused with the place of what is wrong."""

import math

import pandas as pd
import pytest

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.summary import summarise
from alray.errors import StoreError
from alray.reporting.curve_tables import read_curves
from tests.helpers.intervals import generator
from tests.helpers.sweep_frames import study

NO_QUERIES = pd.DataFrame()


def curves():
    """Return a tidy table of two arms, two seeds and three label counts."""
    return pd.DataFrame(
        [
            {
                "arm": arm,
                "seed": seed,
                "labels": labels,
                "accuracy": 0.3 + labels / 1000 + 0.01 * seed,
            }
            for arm in ("random", "margin")
            for seed in (1, 2)
            for labels in (100, 200, 300)
        ]
    )


def written(tmp_path, table, name="curves.csv"):
    path = tmp_path / name
    if name.endswith(".parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    return path


def refused(tmp_path, table, name="curves.csv", **options):
    """Return the message without the path that it has to begin with."""
    path = written(tmp_path, table, name)
    with pytest.raises(StoreError) as caught:
        read_curves(path, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert caught.value.exit_code == 2
    return text.removeprefix(str(path))


@pytest.mark.parametrize("name", ["curves.csv", "curves.parquet", "curves.txt"])
def test_a_sweep_written_as_a_table_reads_as_the_sweep(tmp_path, name):
    """Summary and comparison are those of the study, but for what a table does not say."""
    rounds, runs = study(strategies=("random", "margin", "ideal_loss"))
    columns = ["arm", "seed", "labels", "accuracy", "macro_f1", "nll", "oracle"]
    path = written(tmp_path, rounds[columns].sample(frac=1, random_state=1), name)
    read_rounds, read_runs = read_curves(path)
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
    rounds, runs = read_curves(written(tmp_path, curves().rename(columns={"accuracy": "nll"})))
    assert rounds["accuracy"].isna().all()
    found = compare(rounds, NO_QUERIES, runs, None, generator())
    assert set(found.curves["metric"]) == {"nll"}
    assert found.savings.empty
    assert found.wins.empty
    assert summarise(rounds, runs, generator())["nll"].notna().all()


def test_rounds_are_numbered_by_labels(tmp_path):
    """From 0, in every run; further columns are ignored."""
    rounds, runs = read_curves(written(tmp_path, curves().assign(note="x", round=99)))
    assert rounds[["round", "labels"]].drop_duplicates().to_numpy().tolist() == [
        [0, 100],
        [1, 200],
        [2, 300],
    ]
    assert "note" not in rounds
    assert runs["status"].tolist() == ["finished"] * 4
    assert set(runs["run_id"]) == set(rounds["run_id"])


def test_another_arm_can_be_the_reference(tmp_path):
    """The others are compared with it, and random is one of them."""
    path = written(tmp_path, curves())
    rounds, runs = read_curves(path, reference="margin")
    found = compare(rounds, NO_QUERIES, runs, None, generator(), "margin").pairs.set_index("arm")
    assert found.loc["random", "against"] == "margin"
    assert found["against"].isna().to_dict() == {"random": False, "margin": True}
    assert set(runs["arm"]) == set(runs["strategy"]) == {"random", "margin"}


def test_variants_have_their_own_random_arms(tmp_path):
    """An arm is named by its variant too; an empty one is the plain setting."""
    both = pd.concat([curves().assign(variant=""), curves().assign(variant="frozen")])
    rounds, runs = read_curves(written(tmp_path, both))
    found = compare(rounds, NO_QUERIES, runs, None, generator()).pairs.set_index("arm")
    assert found["against"].dropna().to_dict() == {
        "margin": "random",
        "margin [frozen]": "random [frozen]",
    }


def test_names_that_look_like_nothing_are_names(tmp_path):
    """pandas reads NA and None as nothing, and 01 as a number."""
    table = curves().replace({"margin": "NA"})
    assert set(read_curves(written(tmp_path, table))[1]["arm"]) == {"random", "NA"}
    table = curves().replace({"margin": "01"})
    assert set(read_curves(written(tmp_path, table))[1]["arm"]) == {"random", "01"}


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("accuracy", "", "column accuracy, row 5: '' is not a number"),
        ("accuracy", "nan", "column accuracy, row 5: 'nan' is not a number"),
        ("accuracy", "inf", "column accuracy, row 5: 'inf' is not a number"),
        ("accuracy", "0,5", "column accuracy, row 5: '0,5' is not a number"),
        ("accuracy", "61.5", "column accuracy, row 5: '61.5' is not a share from 0 to 1 (divide"),
        ("accuracy", "-0.1", "column accuracy, row 5: '-0.1' is not a share from 0 to 1"),
        ("seed", "one", "column seed, row 5: 'one' is not a number"),
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
def test_a_wrong_value_is_named_with_its_place(tmp_path, column, value, said):
    """File, column, row and value."""
    table = curves().astype(str)
    table.loc[4, column] = value
    assert refused(tmp_path, table).startswith(f", {said}")


def test_a_wrong_value_in_parquet_is_named_too(tmp_path):
    """Nulls as numbers have them."""
    table = curves()
    table.loc[[2, 7], "accuracy"] = math.nan
    said = refused(tmp_path, table, "curves.parquet")
    assert said == ", column accuracy, row 3: nan is not a number (and 1 more row)"
    table = curves().assign(arm=curves()["arm"].where(curves().index != 3))
    assert "column arm, row 4: " in refused(tmp_path, table, "curves.parquet")


def test_missing_columns_are_named(tmp_path):
    """With those that are there."""
    said = refused(tmp_path, curves().drop(columns=["seed", "labels"]))
    assert said == " lacks seed and labels: its columns are arm, accuracy"
    said = refused(tmp_path, curves().drop(columns="accuracy"))
    assert said == " lacks one of accuracy, macro_f1, nll: its columns are arm, seed, labels"
    assert refused(tmp_path, curves().iloc[:0]) == " has no rows"


def test_label_counts_must_be_common(tmp_path):
    """Between seeds of an arm and between arms: who lacks what."""
    wanted = "every seed of every arm needs the same label counts"
    said = refused(tmp_path, curves().drop(index=10))
    assert said == (
        ", column labels: arm 'random', seed 1, has a value at 200 labels and "
        f"arm 'margin', seed 2, has none; {wanted}"
    )
    several = [curves().iloc[[5]].assign(labels=count) for count in (160, 150, 170)]
    said = refused(tmp_path, pd.concat([curves(), *several]))
    assert (
        "arm 'random', seed 2, has a value at 150 labels and arm 'random', seed 1, has none"
        in said
    )


def test_there_must_be_something_to_compare_with(tmp_path):
    """No arm called random, and none of the name that is asked for."""
    said = refused(tmp_path, curves().replace({"random": "chance"}))
    assert said == (
        ", column arm: no arm is called 'random', so there is nothing to compare with; "
        "name one of chance, margin to compare against"
    )
    assert "no arm is called 'entropy'" in refused(tmp_path, curves(), reference="entropy")


def test_oracles_are_marked(tmp_path):
    """True or false, for a whole arm."""
    flags = curves()["arm"].map({"random": "False", "margin": "TRUE"})
    _, runs = read_curves(written(tmp_path, curves().assign(oracle=flags)))
    assert runs.set_index("arm")["oracle"].groupby(level=0).first().to_dict() == {
        "margin": True,
        "random": False,
    }
    flags.iloc[7] = "False"
    said = refused(tmp_path, curves().assign(oracle=flags))
    assert said == ", column oracle: arm 'margin' is an oracle in some rows only"
    flags.iloc[7] = "maybe"
    said = refused(tmp_path, curves().assign(oracle=flags))
    assert said == ", column oracle, row 8: 'maybe' is not true or false"


def test_a_file_that_is_no_table_is_refused(tmp_path):
    """Not there, empty, and Parquet in name only."""
    for name, content in {"absent.csv": None, "empty.csv": "", "text.parquet": "no"}.items():
        path = tmp_path / name
        if content is not None:
            path.write_text(content)
        with pytest.raises(StoreError, match="cannot be read as a table") as caught:
            read_curves(path)
        assert name in str(caught.value)
