"""Records to the frames of a report: what is paired, counted, left out and refused."""

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.arms import METRICS
from alray.analysis.sweep.comparison import Comparison, compare
from alray.analysis.sweep.crowd_choices import CROWD_CHOICE_COLUMNS
from alray.analysis.sweep.initial_selections import INITIAL_SELECTION_COLUMNS
from alray.analysis.sweep.summary import summarise
from tests.helpers.intervals import generator, t_interval
from tests.helpers.sweep_frames import (
    LABELS,
    curves_of,
    study,
    study_with_unpaired_seeds,
    study_without_a_partner,
)

FRAMES = [field.name for field in fields(Comparison)]
ROUNDS, RUNS = study()


def comparison_of(rounds, runs, seed=0):
    return compare(rounds, pd.DataFrame(), runs, None, generator(seed))


@pytest.fixture(scope="module")
def full():
    return comparison_of(ROUNDS, RUNS)


def test_rounds_without_metrics_are_left_out_of_all_but_the_seconds(full):
    """Their seconds and sigmas are real."""
    metrics = [name for name in METRICS if name in ROUNDS]
    between = ROUNDS["round"] % 2 == 1
    sparse = ROUNDS.assign(sigma_fused=1.0)
    sparse.loc[between, metrics] = math.nan
    dense = ROUNDS[~between].assign(sigma_fused=1.0)
    found, expected = (comparison_of(rounds, RUNS) for rounds in (sparse, dense))
    for name in FRAMES:
        if name != "rounds":
            pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name))
    assert sorted(found.curves["labels"].unique()) == LABELS[::2]
    pd.testing.assert_frame_equal(found.rounds.drop(columns="sigma_fused"), full.rounds)
    found, expected = (summarise(rounds, RUNS, generator()) for rounds in (sparse, dense))
    seconds = found.pop("seconds_per_round")
    del expected["seconds_per_round"]
    pd.testing.assert_frame_equal(found, expected)
    assert seconds.tolist() == summarise(ROUNDS, RUNS, generator())["seconds_per_round"].tolist()


def of(frame, **values):
    for column, value in values.items():
        frame = frame[frame[column] == value]
    return frame


def intervals_of(frame, estimate):
    """Return lower ends, estimates and upper ends, as `t_interval` has them."""
    return frame[["low", estimate, "high"]].to_numpy().T


def test_columns_are_those_documented(full):
    """Each frame's columns stand in the docstring, and an empty study has the same ones."""
    empty = comparison_of(pd.DataFrame(), RUNS.assign(status="failed"))
    between_variants = {
        "crowd_choices": CROWD_CHOICE_COLUMNS,
        "initial_selections": INITIAL_SELECTION_COLUMNS,
    }
    for name in set(FRAMES) - {"classes", "scores", "overlaps", "query_measures"}:
        described = str(Comparison.__doc__).split(f"{name}: ", 1)[1]
        documented = between_variants.get(name, described)
        assert all(column in documented for column in getattr(full, name)), name
        assert list(getattr(empty, name)) == list(getattr(full, name)), name
        assert getattr(empty, name).empty
        # No crowd is asked here, and nothing varies.
        assert getattr(full, name).empty is (name in {"crowd", *between_variants})


def test_curves_are_means_with_t_intervals(full):
    """Against SciPy, at each label count; metrics that were not recorded have no rows."""
    assert set(full.curves["metric"]) == {"accuracy", "macro_f1", "nll", "ece"}
    found = of(full.curves, arm="margin", metric="macro_f1")
    values = curves_of(ROUNDS.assign(accuracy=ROUNDS["macro_f1"]), "margin")
    assert found["labels"].tolist() == LABELS
    assert intervals_of(found, "mean") == pytest.approx(np.array(t_interval(values)))


def test_seeds_keep_every_value(full):
    """The faint lines: as recorded."""
    assert len(full.seeds) == len(ROUNDS) * 3
    merged = of(full.seeds, metric="nll").merge(ROUNDS, on=["arm", "seed", "labels"])
    assert len(merged) == len(ROUNDS)
    assert (merged["value"] == merged["nll"]).all()


def test_differences_are_paired(full):
    """Against SciPy's paired test; the band holds the interval."""
    found = of(full.differences, arm="margin", metric="accuracy")
    expected = t_interval(curves_of(ROUNDS, "margin") - curves_of(ROUNDS, "random"))
    assert intervals_of(found, "difference") == pytest.approx(np.array(expected))
    assert (found["band_low"] < found["low"]).all()
    assert (found["band_high"] > found["high"]).all()
    assert "random" not in set(full.differences["arm"])


def test_wins_are_label_counts_where_the_band_leaves_zero_out():
    """Of two arms as the figure of differences shows it; of more there are no more. Both orders mirror each other."""
    later = (ROUNDS["arm"] == "margin") & (ROUNDS["labels"] > 120)
    rounds = ROUNDS.assign(accuracy=ROUNDS["accuracy"] + 0.015 * later)
    wins = comparison_of(rounds, RUNS).wins.set_index(["arm", "versus"])
    assert len(wins) == 12
    for arm, versus in wins.index:
        row, mirror = wins.loc[(arm, versus)], wins.loc[(versus, arm)]
        assert row["wins"] + row["ties"] + row["losses"] == len(LABELS)
        assert (mirror["wins"], mirror["losses"]) == (row["losses"], row["wins"])
    two = [frame[frame["arm"].isin(["random", "margin"])] for frame in (rounds, RUNS)]
    alone = comparison_of(*two)
    row, band = of(alone.wins, arm="margin").iloc[0], of(alone.differences, metric="accuracy")
    assert row["wins"] == (band["band_low"] > 0).sum() == 3
    assert row["losses"] == (band["band_high"] < 0).sum() == 0
    assert 0 < wins.loc[("margin", "random"), "wins"] <= 3


def test_equal_checkpoints_are_ties():
    """Arms share the passive phase: a difference of exactly zero is no win, a constant one is."""
    rounds, runs = study(strategies=("random", "margin"))
    rounds.loc[rounds["labels"] == 100, "accuracy"] = 0.5
    rounds.loc[rounds["labels"] == 120, "accuracy"] = 0.5 + 0.1 * (rounds["arm"] == "margin")
    rounds.loc[rounds["labels"] > 120, "accuracy"] = rounds["seed"] * 0.1
    row = of(comparison_of(rounds, runs).wins, arm="margin").iloc[0]
    assert (row["wins"], row["ties"], row["losses"]) == (1, 4, 0)


def test_unpaired_seeds_are_left_out():
    """Seeds 0 and 1 of one arm, seed 7 of random: as in the summary."""
    found = comparison_of(*study_with_unpaired_seeds())
    paired = ROUNDS[ROUNDS["seed"].between(2, 6)]
    expected = t_interval(curves_of(paired, "margin") - curves_of(paired, "random"))
    differences = of(found.differences, arm="margin", metric="accuracy")
    assert intervals_of(differences, "difference") == pytest.approx(np.array(expected))
    assert differences["seeds"].eq(5).all()
    assert of(found.curves, arm="margin")["seeds"].eq(6).all()
    wins = of(found.wins, versus="random")
    for frame in (found.differences, found.savings, found.milestones, wins):
        assert of(frame, arm="margin")["exploratory"].all()
    assert not of(found.savings, arm="ideal_loss")["exploratory"].any()


def test_an_arm_without_a_partner_keeps_its_curves():
    """No random run on a common seed: nothing is compared."""
    rounds, runs = study_without_a_partner([9])
    found = comparison_of(rounds, runs)
    summary = summarise(rounds, runs, generator())
    assert math.isnan(of(summary, arm="margin")["labels_saved"].item())
    for frame in (found.differences, found.savings, found.milestones, found.wins):
        assert frame.empty
    assert len(of(found.curves, arm="margin", metric="accuracy")) == len(LABELS)


def test_a_study_without_a_random_arm_compares_arms_only_with_each_other():
    """Wins need no random arm."""
    rounds, runs = study(strategies=("margin", "ideal_loss"))
    found = comparison_of(rounds, runs)
    assert summarise(rounds, runs, generator())["against"].isna().all()
    assert found.differences.empty
    assert len(found.wins) == 2


def test_variants_are_compared_on_their_own():
    frames = study(variants=("", "frozen"))
    found = comparison_of(*frames)
    arm, versus = (found.wins[name].str.contains("frozen") for name in ("arm", "versus"))
    assert arm.equals(versus)
    frozen = comparison_of(*(frame[frame["variant"] == "frozen"] for frame in frames))
    both = of(found.differences, against="random [frozen]").reset_index(drop=True)
    pd.testing.assert_frame_equal(both, frozen.differences)


def test_one_seed_has_estimates_and_no_intervals():
    """Nothing is won, lost or tied with one seed."""
    found = comparison_of(*study(seeds=1))
    assert found.curves["mean"].notna().all()
    assert found.curves[["low", "high"]].isna().all(axis=None)
    assert found.differences["difference"].notna().all()
    assert found.differences[["low", "high", "band_low", "band_high"]].isna().all(axis=None)
    assert found.differences["exploratory"].all()
    assert (found.wins["unknown"] == len(LABELS)).all()
    assert (found.wins[["wins", "ties", "losses"]] == 0).all(axis=None)


def test_a_nan_metric_is_not_dropped():
    """A run that diverged makes its label count NaN, and the band is that of the others."""
    at = (ROUNDS["run_id"] == "margin__seed-3") & (ROUNDS["labels"] == 140)
    accuracy, nll = ROUNDS["accuracy"].mask(at), ROUNDS["nll"].mask(at, math.inf)
    rounds = ROUNDS.assign(accuracy=accuracy, nll=nll)
    found = comparison_of(rounds, RUNS)
    for metric in ("accuracy", "nll"):
        rows = of(found.differences, arm="margin", metric=metric).set_index("labels")
        numbers = rows[["difference", "low", "high", "band_low", "band_high"]]
        assert numbers.loc[140].isna().all()
        assert numbers.drop(index=140).notna().all(axis=None)
    assert of(found.wins, arm="margin", versus="random")["unknown"].item() == 1
    assert of(found.savings, arm="margin").empty
    summary = summarise(rounds, RUNS, generator())
    assert math.isnan(of(summary, arm="margin")["labels_saved"].item())


def same(first, second):
    keys = ("arm", "versus", "metric", "labels", "round", "share", "seed", "target")
    for name in FRAMES:
        left, right = (
            frame.sort_values([key for key in keys if key in frame], ignore_index=True)
            for frame in (getattr(first, name), getattr(second, name))
        )
        pd.testing.assert_frame_equal(left, right, rtol=1e-9)


def test_order_and_names_do_not_matter(full):
    """Shuffled rows and relabelled arms give the same numbers."""
    shuffled = (frame.sample(frac=1, random_state=3) for frame in (ROUNDS, RUNS))
    same(comparison_of(*shuffled), full)
    names = {arm: f"arm {9 - i}" for i, arm in enumerate(RUNS["arm"].unique())}
    renamed = comparison_of(*(frame.replace({"arm": names}) for frame in (ROUNDS, RUNS)))
    arms = {new: old for old, new in names.items()}
    back = dict.fromkeys(("arm", "against", "versus"), arms)
    same(Comparison(**{name: getattr(renamed, name).replace(back) for name in FRAMES}), full)


def test_the_generator_decides_the_band():
    """Equal generators, equal frames; another one changes the band only."""
    rounds, runs = study(strategies=("random", "margin"))
    first, again, other = (comparison_of(rounds, runs, seed=seed) for seed in (0, 0, 1))
    same(first, again)
    assert (first.differences["band_low"] != other.differences["band_low"]).all()
    assert first.differences["low"].equals(other.differences["low"])


def test_rare_recall_has_a_curve_where_it_was_recorded():
    """Studies from before the column have none."""
    rounds, runs = study(strategies=("random", "margin"))
    found = comparison_of(rounds.assign(rare_recall=0.5, labelled_classes=3), runs)
    assert {"rare_recall", "labelled_classes"} < set(found.curves["metric"])
    old = comparison_of(rounds.assign(rare_recall=math.nan), runs)
    assert "rare_recall" not in set(old.curves["metric"]) | set(old.differences["metric"])
