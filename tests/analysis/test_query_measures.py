"""How alike the objects of queries are: means, paired differences that one test shows, and what is said of them."""

import math

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.arms import arm_curves, reference_pairs
from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.query_measures import MEASURES, query_measures
from alray.analysis.sweep.query_words import NOT_RECORDED, query_sentences
from tests.helpers.sweep_frames import study

NONE = pd.DataFrame()


def recorded(seeds=8, strategies=("random", "margin"), rng=None, **shifts):
    """Return `rounds` and `runs` with measures that are noise, by seed and by round; `shifts` are margin's."""
    rounds, runs = study(seeds, strategies)
    rng = rng or np.random.default_rng(0)
    for name, usual in zip(MEASURES, (1.0, 0.5, 0.1), strict=True):
        of_run = dict(zip(runs["run_id"], rng.normal(0, 0.02, len(runs)), strict=True))
        values = usual + rounds["run_id"].map(of_run) + rng.normal(0, 0.05, len(rounds))
        values += np.where(rounds["strategy"] == "margin", shifts.get(name, 0.0), 0.0)
        rounds[name] = values.where(rounds["round"] >= 1)
    return rounds, runs


def measured(rounds, runs):
    pairs = reference_pairs(arm_curves(rounds, runs), runs, "random")
    return query_measures(rounds, pairs, np.random.default_rng(0))


def said(frame):
    return " ".join(query_sentences(NONE, frame, "random"))


def test_a_row_per_arm_and_measure_has_means_and_paired_differences():
    rounds, runs = recorded(query_duplicates=0.3)
    frame = measured(rounds, runs)
    assert len(frame) == 2 * len(MEASURES)
    of_runs = rounds.groupby(["strategy", "seed"])["query_duplicates"].mean().unstack()
    (row,) = frame.query("arm == 'margin' and measure == 'query_duplicates'").to_dict("records")
    assert row["mean"] == pytest.approx(of_runs.loc["margin"].mean())
    differences = of_runs.loc["margin"] - of_runs.loc["random"]
    assert row["difference"] == pytest.approx(differences.mean())
    assert (row["against"], row["paired_seeds"], row["seeds"]) == ("random", 8, 8)
    assert 0 < row["difference_low"] < row["difference"] < row["difference_high"]
    of_random = frame[frame["arm"] == "random"]
    assert of_random["p"].isna().all()
    assert "Shown to differ from random" in said(frame)
    assert "margin (more near duplicates)" in said(frame)
    assert "queries of margin hold 39 % near duplicates, those of random 11 %." in said(frame)


def test_each_arm_differs_from_the_one_that_it_is_compared_with():
    """learning_loss from the random arm that has a loss predictor too."""
    frame = measured(*recorded(query_duplicates=0.3))
    own = frame.replace({"margin": "learning_loss", "random": "random + loss predictor"})
    both = pd.concat([frame, own])
    assert said(both).endswith(
        "Shown to differ, in one test of all arms and measures, from random: margin (more near duplicates); from "
        "random + loss predictor: learning_loss (more near duplicates)."
    )
    assert "Shown to differ from random + loss predictor, in one test" in said(own)
    none = "No arm's queries are shown to differ from those of"
    assert f"{none} random + loss predictor in" in said(own.assign(p=own["p"] + 1))
    assert f"{none} what it is compared with in" in said(both.assign(p=both["p"] + 1))


def test_equal_arms_are_seldom_said_to_differ():
    """Three arms and three measures in one test: 5 % of the studies in which nothing differs, not of each number."""
    rng = np.random.default_rng(1)
    strategies = ("random", "margin", "ideal_loss")
    shown = [
        "Shown to differ" in said(measured(*recorded(strategies=strategies, rng=rng)))
        for _ in range(100)
    ]
    assert sum(shown) <= 12  # as 998 of a thousand such hundreds


def test_arms_with_the_same_queries_do_not_differ():
    rounds, runs = recorded()
    of_random = rounds[rounds["strategy"] == "random"]
    for name in MEASURES:
        rounds.loc[rounds["strategy"] == "margin", name] = of_random[name].to_numpy()
    frame = measured(rounds, runs)
    assert (frame.loc[frame["arm"] == "margin", "p"] == 1).all()
    assert "No arm's queries are shown to differ from those of random" in said(frame)


def test_few_seeds_show_nothing():
    frame = measured(*recorded(seeds=3, query_diversity=-0.5))
    assert frame["p"].min() >= 0.25
    assert frame[["difference_low", "difference_high"]].isna().all(axis=None)
    assert "No arm's queries are shown to differ" in said(frame)


def test_a_study_from_before_they_were_recorded_says_so():
    rounds, runs = study(strategies=("random", "margin"))
    for old in (rounds, rounds.assign(**dict.fromkeys(MEASURES, math.nan))):
        assert measured(old, runs).empty
    overlaps = pd.DataFrame([{"arm": "a", "versus": "b", "overlap": 0.5, "by_chance": math.nan}])
    assert query_sentences(overlaps, measured(rounds, runs), "random")[-1] == NOT_RECORDED
    assert query_sentences(NONE, NONE, "random") == []


def test_an_arm_that_alone_has_been_recorded_is_compared_with_nothing():
    """As where arms are added to a study from before."""
    rounds, runs = recorded()
    for name in MEASURES:
        rounds.loc[rounds["strategy"] == "random", name] = math.nan
    frame = measured(rounds, runs)
    assert set(frame["arm"]) == {"margin"}
    assert frame["p"].isna().all()
    assert "differ" not in said(frame)


def test_only_rounds_that_both_arms_recorded_are_compared():
    """Random's first rounds are from before: that queries change from round to round is no difference of the arms."""
    rounds, runs = recorded(query_density=0.0)
    rounds["query_density"] += 0.1 * rounds["round"]
    before = (rounds["strategy"] == "random") & (rounds["round"] < 3)
    rounds.loc[before, "query_density"] = math.nan
    (row,) = (
        measured(rounds, runs)
        .query("arm == 'margin' and measure == 'query_density'")
        .to_dict("records")
    )
    assert abs(row["difference"]) < 0.04
    assert row["p"] > 0.05


def test_overlap_is_said_beside_what_chance_gives():
    overlaps = pd.DataFrame(
        [
            {"arm": "margin", "versus": "entropy", "overlap": 0.61, "by_chance": 0.19},
            {"arm": "margin", "versus": "random", "overlap": 0.2, "by_chance": 0.19},
        ]
    )
    assert query_sentences(overlaps, NONE, "random")[0] == (
        "margin and entropy have most objects in common: 61 %. Random choice has 19 % in common with any arm, by "
        "chance."
    )


def test_columns_are_those_documented():
    described = str(Comparison.__doc__).split("query_measures: ", 1)[1]
    assert all(column in described for column in measured(*recorded()))
