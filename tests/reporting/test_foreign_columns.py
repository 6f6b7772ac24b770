"""Tables of curves as other people write them: read with a sentence that says how, or refused with what to do."""

import numpy as np
import pandas as pd
import pytest

from alray.errors import StoreError
from alray.reporting.curve_tables import read_curves

ARMS = ("random", "margin")


def rows(seeds=2):
    return pd.DataFrame(
        [(arm, seed, labels, 0.4 + labels / 1000) for arm in ARMS for seed in range(seeds) for labels in (50, 100)],
        columns=["arm", "seed", "labels", "accuracy"],
    )  # fmt: skip


def written(path, table, **options):
    table.to_csv(path, index=False, **options)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_other_names_and_separators_are_read(tmp_path, separator):
    expected, *_ = read_curves(written(tmp_path / "curves.csv", rows()))
    table = rows().set_axis(["Query-Strategy", "Run", "n labeled", "Test Acc"], axis=1)
    (tmp_path / "other").mkdir()
    found, _, notes = read_curves(written(tmp_path / "other" / "curves.csv", table, sep=separator))
    pd.testing.assert_frame_equal(found, expected)
    assert notes == (
        "Column Query-Strategy is read as arm.",
        "Column Run is read as seed.",
        "Column n labeled is read as labels.",
        "Column Test Acc is read as accuracy.",
    )


def test_percentages_become_shares_and_one_value_too_large_does_not(tmp_path):
    table = rows()
    percent = table.assign(accuracy=100 * table["accuracy"])
    found, _, notes = read_curves(written(tmp_path / "a.csv", percent))
    np.testing.assert_allclose(found["accuracy"].unique(), [0.45, 0.5])
    assert notes == ("Column accuracy is read as percentages.",)
    table.loc[3, "accuracy"] = 1.2
    with pytest.raises(StoreError, match=r"column accuracy, row 4: '1\.2' is not a share"):
        read_curves(written(tmp_path / "b.csv", table))
    percent.loc[3, "accuracy"] = 120
    with pytest.raises(StoreError, match="is not a share from 0 to 1"):
        read_curves(written(tmp_path / "c.csv", percent))


def test_one_curve_an_arm_needs_no_seed_and_several_do(tmp_path):
    one = rows(seeds=1).drop(columns="seed")
    _, runs, notes = read_curves(written(tmp_path / "a.csv", one))
    assert runs["seed"].tolist() == [0, 0]
    assert notes == ("There is no column seed, so each arm is one curve.",)
    with pytest.raises(
        StoreError, match="several rows for an arm and a label count, and no column seed"
    ):
        read_curves(written(tmp_path / "b.csv", rows().drop(columns="seed")))


def test_what_may_mean_two_things_is_refused(tmp_path):
    table = rows().rename(columns={"arm": "method"}).assign(strategy="x")
    with pytest.raises(
        StoreError, match="no column arm, and method and strategy may each be it; call one arm"
    ):
        read_curves(written(tmp_path / "a.csv", table))
    # A column with the name itself is the one.
    read_curves(written(tmp_path / "b.csv", rows().assign(strategy="x", run=3)))


def test_tables_of_another_shape_say_what_to_do(tmp_path):
    wide = pd.DataFrame({"seed": 0, "labels": [50, 100], "random": 0.4, "margin": 0.5})
    with pytest.raises(
        StoreError, match=r"a column for each arm; .* pandas.melt\(table"
    ) as refused:
        read_curves(written(tmp_path / "a.csv", wide))
    advice = str(refused.value).rpartition("such as by ")[2]
    table = eval(advice, {"pandas": pd, "table": wide})
    read_curves(written(tmp_path / "b.csv", table))
    with pytest.raises(StoreError, match=r"no row of column names: its first row is 2, 20, 0\.86"):
        read_curves(
            written(
                tmp_path / "c.csv",
                pd.DataFrame([[2, 20, 0.86], [2, 21, 0.88]]),
                sep="|",
                header=False,
            )
        )
