"""Records to the summary: what is computed, paired and left out."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from alray.analysis.sweep.arms import Criterion
from alray.analysis.sweep.summary import SUMMARY_COLUMNS, summarise
from alray.statistics.curves import area_under_curve, label_saving_at_budget
from alray.statistics.joint import joint_sign_flip
from alray.statistics.paired import excludes_zero
from tests.helpers.intervals import ends, generator, t_interval
from tests.helpers.sweep_frames import LABELS, curves_of, study, study_without_a_partner

ROUNDS, RUNS = study()


def summary_of(rounds, runs, seed=0):
    return summarise(rounds, runs, generator(seed)).set_index("arm", drop=False)


@pytest.fixture(scope="module")
def summary():
    return summary_of(ROUNDS, RUNS)


def interval_of(row, name):
    return row[[f"{name}_low", name, f"{name}_high"]].tolist()


@pytest.mark.parametrize("strategies", [("random", "margin"), ("random",)], ids=["two", "alone"])
def test_columns_are_those_documented(strategies):
    """In order, with types that Parquet keeps, and a description each; also where nothing is compared."""
    rounds, runs = study(seeds=2, strategies=strategies)
    summary = summarise(rounds, runs, generator())
    assert list(summary.columns) == list(SUMMARY_COLUMNS)
    assert all(SUMMARY_COLUMNS.values())
    schema = pa.Table.from_pandas(summary, preserve_index=False).schema
    integers = ("seeds", "failed", "unfinished", "labels", "paired_seeds", "unpaired_seeds")
    expected = dict.fromkeys(SUMMARY_COLUMNS, "double") | dict.fromkeys(integers, "int64")
    expected |= dict.fromkeys(("oracle", "exploratory"), "bool")
    expected |= dict.fromkeys(
        ("arm", "strategy", "variant", "against", "metric", "axis", "oracle_best"), "string"
    )
    assert {each.name: str(each.type).removeprefix("large_") for each in schema} == expected


def test_metrics_at_budget_are_means_with_t_intervals(summary):
    """Of the last round, against SciPy."""
    row = summary.loc["margin"]
    last = ROUNDS[(ROUNDS["arm"] == "margin") & (ROUNDS["labels"] == 180)]
    for metric in ("accuracy", "macro_f1"):
        assert interval_of(row, metric) == pytest.approx(t_interval(last[metric]))
    for metric in ("nll", "ece"):
        assert row[metric] == pytest.approx(last[metric].mean())
    assert (row["labels"], row["seeds"], row["failed"], row["unfinished"]) == (180, 8, 0, 0)


def test_seconds_per_round_leave_the_passive_phase_out(summary):
    """Query + fit + evaluation of rounds 1 to 4: 2 to 5, plus 2.5."""
    assert summary.loc["random", "seconds_per_round"] == 3.5 + 2.5


def test_arms_are_compared_with_random_on_common_seeds(summary):
    """The joint test of the areas of all arms; labels saved as `curves` has them, for three comparisons."""
    row = summary.loc["margin"]
    arm, random = curves_of(ROUNDS, "margin"), curves_of(ROUNDS, "random")
    labels = np.array(LABELS, float)
    areas = [
        area_under_curve(labels, curves_of(ROUNDS, name)) - area_under_curve(labels, random)
        for name in ("margin", "bald:members=20", "ideal_loss")
    ]
    test = joint_sign_flip(np.stack(areas), generator())
    expected = test.low[0], areas[0].mean(), test.high[0]
    assert interval_of(row, "alc_difference") == pytest.approx(expected)
    assert summary["p"].tolist()[1:] == pytest.approx(test.p)
    assert row["alc"] == pytest.approx(area_under_curve(labels, arm).mean())
    saved = label_saving_at_budget(labels, arm, random, comparisons=3)
    assert interval_of(row, "labels_saved") == ends(saved.saving)
    assert row["labels_saved_target"] == saved.target
    assert row["labels_saved_of"] == saved.random_labels
    assert row["labels_saved_reached"] > 0.8
    assert (row["against"], row["paired_seeds"], row["unpaired_seeds"]) == ("random", 8, 0)


def test_no_interval_contradicts_the_test():
    """With any number of seeds: where p is not below .05, intervals of the areas and of labels saved hold zero."""
    for seeds in (3, 5, 6, 9):
        for _, row in summary_of(*study(seeds=seeds)).drop(index="random").iterrows():
            shown = bool(row["p"] < 0.05)
            assert excludes_zero(row["alc_difference_low"], row["alc_difference_high"]) == shown
            assert shown or not excludes_zero(row["labels_saved_low"], row["labels_saved_high"])
            assert np.isfinite(row["alc_difference_high"]) == (seeds >= 6)


def test_the_best_arm_that_is_not_shown_says_how_many_seeds_it_takes():
    """More than it has; another arm, or one that is shown, says nothing."""
    few = summary_of(*study(seeds=4))
    assert 4 < few.loc["margin", "seeds_needed"] <= 20
    assert few.drop(index="margin")["seeds_needed"].isna().all()
    many = summary_of(*study(seeds=14))
    assert many.loc["margin", "p"] < 0.05
    assert many["seeds_needed"].isna().all()


def test_any_metric_can_decide():
    """Of NLL less is better: the arm that has less of it saves labels; the sign of a difference is the metric's own."""
    rounds = ROUNDS.assign(nll=2 - ROUNDS["accuracy"])
    by_nll = summarise(rounds, RUNS, generator(), Criterion(metric="nll")).set_index("arm")
    by_accuracy = summarise(rounds, RUNS, generator()).set_index("arm")
    assert (by_nll["metric"] == "nll").all()
    for column in ("p", "labels_saved", "labels_saved_low", "labels_saved_of"):
        assert by_nll[column].tolist() == pytest.approx(by_accuracy[column].tolist(), nan_ok=True)
    for low, high in (
        ("alc_difference", "alc_difference"),
        ("alc_difference_low", "alc_difference_high"),
    ):
        assert by_nll[low].tolist() == pytest.approx((-by_accuracy[high]).tolist(), nan_ok=True)
    targets = (frame["labels_saved_target"]["margin"] for frame in (by_nll, by_accuracy))
    assert sum(targets) == pytest.approx(2)


def test_what_is_not_compared_is_null():
    """Random itself, an arm where there is no random arm, and one whose random arm has not finished."""
    random = summary_of(*study(strategies=("random", "margin"))).loc["random"]
    alone = summary_of(*study(strategies=("margin",))).loc["margin"]
    unpaired = summary_of(*study_without_a_partner()).loc["margin"]
    for row in (random, alone, unpaired):
        empty = ("alc_difference", "p", "labels_saved", "labels_saved_reached")
        assert row[list(empty)].isna().all()
        assert 0.4 < row["alc"] < 0.7
    for row in (random, alone):
        assert pd.isna(row["against"])
        assert (row["paired_seeds"], row["unpaired_seeds"]) == (0, 0)
        assert not row["exploratory"]


def test_only_finished_runs_count():
    """Failed and unfinished ones are counted, and their rounds left out."""
    rounds, runs = study()
    kept = (frame[(frame["arm"] != "margin") | (frame["seed"] > 2)] for frame in (rounds, runs))
    expected = summary_of(*kept).loc["margin"]
    runs.loc[(runs["arm"] == "margin") & (runs["seed"] == 0), "status"] = "failed"
    runs.loc[(runs["arm"] == "margin") & runs["seed"].isin([1, 2]), "status"] = "unfinished"
    rounds = rounds[(rounds["run_id"] != "margin__seed-1") | (rounds["round"] < 2)]
    row = summary_of(rounds, runs).loc["margin"]
    assert (row["seeds"], row["failed"], row["unfinished"]) == (5, 1, 2)
    assert row.drop(["failed", "unfinished"]).equals(expected.drop(["failed", "unfinished"]))


def test_a_study_in_which_nothing_finished_has_rows():
    """Counts, and nulls for the rest; rounds may have no columns then."""
    summary = summary_of(pd.DataFrame(), RUNS.assign(status="failed"))
    assert list(summary.columns) == list(SUMMARY_COLUMNS)
    assert list(summary["failed"]) == [8] * 4
    empty = summary[["labels", "accuracy", "alc", "labels_saved", "seconds_per_round"]]
    assert empty.isna().to_numpy().all()
    assert summary.loc["margin", "against"] == "random"


def test_a_study_of_the_passive_phase_alone_has_no_labels_saved():
    """One point per curve: the area is the accuracy, and there are no rounds to time."""
    row = summary_of(ROUNDS[ROUNDS["round"] == 0], RUNS).loc["margin"]
    assert row["alc"] == pytest.approx(row["accuracy"])
    assert row[["labels_saved", "labels_saved_low", "seconds_per_round"]].isna().all()


def test_a_nan_metric_is_not_dropped():
    """A run that diverged makes the mean NaN instead of vanishing from it."""
    at = (ROUNDS["run_id"] == "margin__seed-3") & (ROUNDS["labels"] == 180)
    diverged = {name: ROUNDS[name].mask(at) for name in ("accuracy", "nll")}
    row = summary_of(ROUNDS.assign(**diverged), RUNS).loc["margin"]
    assert row[["accuracy", "nll", "alc_difference", "p", "labels_saved"]].isna().all()
    assert row["macro_f1"] > 0


def test_order_and_names_do_not_matter(summary):
    """Shuffled rows and relabelled arms give the same numbers, the order of arms apart."""
    shuffled = (frame.sample(frac=1, random_state=3) for frame in (ROUNDS, RUNS))
    pd.testing.assert_frame_equal(summary_of(*shuffled).loc[summary.index], summary)
    names = {arm: f"arm {9 - i}" for i, arm in enumerate(summary.index)}
    renamed = summary_of(*(frame.replace({"arm": names}) for frame in (ROUNDS, RUNS)))
    numbers = [column for column in summary if column not in {"arm", "against"}]
    assert renamed[numbers].reset_index(drop=True).equals(summary[numbers].reset_index(drop=True))


def test_the_generator_decides_the_draws():
    """Equal generators, equal summaries; another one changes the bootstrap only."""
    rounds, runs = study(strategies=("random", "ideal_loss"))
    first, again, other = (summary_of(rounds, runs, seed) for seed in (0, 0, 1))
    assert first.equals(again)
    drawn = "labels_saved_reached"
    assert first.loc["ideal_loss", drawn] != other.loc["ideal_loss", drawn]
    assert first.drop(columns=drawn).equals(other.drop(columns=drawn))
