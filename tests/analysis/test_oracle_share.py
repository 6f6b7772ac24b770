"""What share of an oracle's gain an arm takes."""

import math

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.findings import statement
from alray.analysis.sweep.summary import summarise
from alray.statistics.ratio import ratio_of_means
from tests.helpers.intervals import generator
from tests.helpers.summary_rows import above, interval, random_row
from tests.helpers.sweep_frames import study

ARMS = ("random", "margin", "bald:members=20", "ideal_loss")


def shown(gains, seeds=8, noise=0.002):
    """Return the summary of arms that gain so much at every label count, but for noise by seed."""
    rounds, runs = study(seeds=seeds, strategies=ARMS)
    rng = np.random.default_rng(0)
    by_seed = rng.normal(0, 0.01, seeds)
    offsets = {
        (arm, seed): gain + by_seed[seed] + rng.normal(0, noise)
        for arm, gain in zip(ARMS, gains, strict=True)
        for seed in range(seeds)
    }
    keys = zip(rounds["arm"], rounds["seed"], strict=True)
    level = 0.5 + rounds["labels"] / 1000
    rounds["accuracy"] = level + np.array([offsets[key] for key in keys])
    return summarise(rounds, runs, generator()).set_index("arm"), offsets


def test_an_arm_takes_a_share_of_what_the_oracle_gains():
    table, offsets = shown((0.0, 0.012, 0.0, 0.03))
    gains = {
        arm: np.array([offsets[arm, seed] - offsets["random", seed] for seed in range(8)])
        for arm in ARMS
    }
    expected = ratio_of_means(gains["margin"], gains["ideal_loss"], comparisons=2)
    row = table.loc["margin"]
    found = row[["oracle_share", "oracle_share_low", "oracle_share_high"]].tolist()
    assert found == pytest.approx([expected.estimate, expected.low, expected.high])
    assert found[1] < 0.4 < found[2]
    assert row["oracle_best"] == "ideal_loss"
    assert table.loc["bald:members=20", "oracle_share_low"] < 0
    assert math.isnan(table.loc["ideal_loss", "oracle_share"])
    assert math.isnan(table.loc["random", "oracle_share"])


@pytest.mark.parametrize(("gain", "seeds"), [(-0.03, 8), (0.03, 5)], ids=["worse", "few seeds"])
def test_without_an_oracle_that_is_shown_to_gain_there_is_no_share(gain, seeds):
    table, _ = shown((0.0, 0.012, 0.0, gain), seeds)
    assert table["oracle_share"].isna().all()
    assert (table["oracle_best"] == "").all()


def test_the_share_is_said_of_the_best_arm():
    share = interval("oracle_share", (0.41, -0.02, 0.777))
    rows = [random_row(), above(oracle_best="best_of_batches", **share), above("bald")]
    (sentence,) = (text for text in statement(rows) if "oracle" in text)
    assert sentence == (
        "Of what best_of_batches (oracle) gains over random in area, seeing labels that nobody has bought, margin "
        "takes 41 % (-2 to 78 %)."
    )
    assert not any("oracle" in text for text in statement([random_row(), above()]))


def test_a_table_of_no_oracle_has_the_columns_empty():
    rounds, runs = study(strategies=("random", "margin"))
    table = summarise(rounds, runs, generator())
    assert table["oracle_share"].isna().all()
    assert pd.api.types.is_string_dtype(table["oracle_best"])
