"""Which variant of a sweep without rounds to take."""

import math

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.choosing import CHOICE_COLUMNS, choose
from alray.errors import SpecError
from alray.statistics.paired import mean_interval
from tests.helpers.choice_frames import NAMES, PARAMETERS, records, spread
from tests.helpers.intervals import generator

CLEAR = {"width=8": spread(0.5, seed=1), "": spread(0.7, seed=2), "width=32": spread(0.6, seed=3)}


def table(values, **options):
    return choose(*records(values), NAMES, generator(), **options)


def test_variants_are_ranked_by_validation_and_compared_with_the_best():
    found = table(CLEAR)
    assert list(found.columns) == list(CHOICE_COLUMNS)
    assert found["settings"].tolist() == ["width=128", "width=32", "width=8"]
    assert found["verdict"].tolist() == ["best", "worse", "worse"]
    assert found["chosen"].tolist() == [True, False, False]
    assert found["parameters"].tolist() == [300, 60, 10]
    expected = mean_interval(np.array(CLEAR["width=32"]))
    assert found.loc[1, "validation"] == pytest.approx(0.6)
    assert found.loc[1, "validation_low"] == pytest.approx(expected.low)
    assert found.loc[1, "test"] == pytest.approx(0.58)
    assert found.loc[1, "seconds"] == pytest.approx(4.5)
    paired = np.array(CLEAR["width=32"]) - np.array(CLEAR[""])
    assert found.loc[1, "difference"] == pytest.approx(paired.mean())
    assert found.loc[1, "difference_se"] == pytest.approx(paired.std(ddof=1) / math.sqrt(8))
    assert found.loc[1, "difference_low"] < paired.mean() < found.loc[1, "difference_high"] < 0
    assert math.isnan(found.loc[0, "difference"])


def test_the_best_of_equal_variants_is_rarely_shown_to_be_better():
    """In more than 5 % of studies it must not; compared as if it had not been picked it would be, in 12 %."""
    studies, wrong = 100, 0
    names = {f"v={k}": f"v={k}" for k in range(8)}
    rng = np.random.default_rng(0)
    for _ in range(studies):
        values = {name: 0.6 + 0.01 * rng.normal(size=9) for name in names}
        found = choose(*records(values, None), names, generator())
        wrong += bool((found["verdict"] == "worse").any())
    assert wrong <= 0.05 * studies + 1.96 * math.sqrt(studies * 0.05 * 0.95)


def test_with_few_seeds_nothing_is_shown_and_the_best_is_taken():
    found = table({name: values[:5] for name, values in CLEAR.items()})
    assert found["verdict"].tolist() == ["best", "open", "open"]
    assert found["difference_low"].isna().all()
    assert found["chosen"].tolist() == [True, False, False]


def test_a_smaller_network_within_a_standard_error_is_taken():
    """Not the smallest one, which is further away though not shown to be worse."""
    values = {
        "": spread(0.7005, seed=6),
        "width=32": spread(0.7, seed=4),
        "width=8": spread(0.675, size=0.04, seed=5),
    }
    found = table(values).set_index("variant")
    assert found["verdict"].to_dict() == {"": "best", "width=32": "open", "width=8": "open"}
    far = found.loc["width=8"]
    assert -far["difference"] > far["difference_se"]
    assert found.index[found["chosen"]].tolist() == ["width=32"]


def test_without_the_number_of_parameters_the_best_is_taken():
    values = {"": spread(0.7005, seed=6), "width=32": spread(0.7, seed=4)}
    found = choose(*records(values, None), NAMES, generator())
    assert found["parameters"].isna().all()
    assert found["chosen"].tolist() == [True, False]


def test_a_metric_of_which_less_is_better_is_ranked_from_below():
    found = table(CLEAR, metric="nll")
    assert found["settings"].tolist() == ["width=128", "width=32", "width=8"]
    assert found["validation"].tolist() == pytest.approx([0.3, 0.4, 0.5])
    assert found["verdict"].tolist() == ["best", "worse", "worse"]
    with pytest.raises(SpecError, match="no validation_rare_recall; take another --metric"):
        table(CLEAR, metric="rare_recall")


def test_metrics_of_the_validation_part_are_no_test():
    assert table(CLEAR, metric_split="validation")["test"].isna().all()


def test_arms_that_share_their_fits_are_one_row():
    """As in studies that ran every strategy; one that trains otherwise has a row of its own."""
    rounds, runs = records({"": CLEAR[""], "width=32": CLEAR["width=32"]})
    copies = []
    for name, shift in (("margin", 0.0), ("learning_loss", 0.001)):
        copied = [
            frame.assign(
                arm=frame["arm"].str.replace("random", name),
                strategy=name,
                run_id=frame["run_id"].str.replace("random", name),
            )
            for frame in (rounds, runs)
        ]
        copied[0]["validation_accuracy"] += shift
        copies.append(copied)
    rounds, runs = (
        pd.concat([whole, *(each[at] for each in copies)], ignore_index=True)
        for at, whole in enumerate((rounds, runs))
    )
    found = choose(rounds, runs, NAMES, generator())
    assert sorted(found["settings"]) == [
        "width=128, learning_loss", "width=128, random", "width=32, learning_loss", "width=32, random",
    ]  # fmt: skip


def test_runs_that_failed_are_counted_and_ranks_are_over_common_seeds():
    """Without its two bad seeds a variant must not come out best."""
    easy = [0.9, 0.1, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
    hard = [0.95, 0.05, 0.65, 0.65, 0.65, 0.65, 0.65, 0.66]
    rounds, runs = records({"": hard, "width=32": easy})
    gone = (runs["variant"] == "width=32") & (runs["seed"] == 1)
    runs.loc[gone, "status"] = "failed"
    found = choose(rounds, runs, NAMES, generator())
    assert found["settings"].tolist() == ["width=128", "width=32"]
    assert found["failed"].tolist() == [0, 1]
    assert found["paired_seeds"].tolist() == [8, 7]


def test_a_variant_without_a_finished_run_comes_last():
    rounds, runs = records(CLEAR)
    runs.loc[runs["variant"] == "", "status"] = "failed"
    found = choose(rounds, runs, NAMES, generator())
    assert found["settings"].tolist() == ["width=32", "width=8", "width=128"]
    assert found["seeds"].tolist() == [8, 8, 0]
    assert found["parameters"].tolist()[:2] == [PARAMETERS["width=32"], PARAMETERS["width=8"]]
