"""The summary of a correlation study: every column against its own definition."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats as scipy_stats

from alray.analysis.correlation.columns import CHECK_COLUMNS, QUANTILE_COLUMNS, SUMMARY_COLUMNS
from alray.analysis.correlation.effects import EFFECT_COLUMNS
from alray.analysis.correlation.summary import as_original, judged_again, summarise
from alray.statistics.ranks import partial_spearman, pooled, principal_components, spearman
from alray.statistics.reliability import intraclass_correlation
from alray.statistics.uplift import uplift
from tests.helpers.correlation_worlds import World, study
from tests.helpers.intervals import ends, generator

WORLD = World(slope=0.03, epochs=(1, 5))
GROUPS, FINE_TUNES, BASES = study(WORLD, generator(1))
KEY = ["score", "grouping", "outcome", "epochs"]


def summarised(groups=GROUPS, outcomes=FINE_TUNES, bases=BASES, seed=2):
    return summarise(groups, outcomes, bases, generator(seed), permutations=199, bootstraps=99)


def row_of(found, score, grouping, outcome):
    """Return the row of the last dose."""
    return found.summary.set_index(KEY).loc[(score, grouping, outcome, 5)]


def interval_of(row, name):
    return row[[f"{name}_low", name, f"{name}_high"]].tolist()


@pytest.fixture(scope="module")
def found():
    return summarised()


@pytest.fixture(scope="module")
def row(found):
    return row_of(found, "margin", "score", "nll")


def usefulness(grouping="score", sorted_by="margin"):
    """Return [base, group, seed] of nll at the last dose, straight from the frame."""
    at = FINE_TUNES[FINE_TUNES["epochs"] == 5]
    control = at[at["grouping"] == "control"].set_index(["base", "seed"])["nll"]
    of_arm = at[(at["grouping"] == grouping) & (at["sorted_by"] == sorted_by)]
    wide = of_arm.pivot(index=["base", "group"], columns="seed", values="nll")
    changes = -(wide - control.unstack().reindex(wide.index.get_level_values("base")).to_numpy())
    return changes.to_numpy().reshape(WORLD.bases, -1, WORLD.seeds)


def means(score="margin", grouping="score", sorted_by="margin"):
    """Return [base, group]."""
    of_arm = GROUPS[(GROUPS["grouping"] == grouping) & (GROUPS["sorted_by"] == sorted_by)]
    return of_arm.groupby(["base", "group"])[score].mean().to_numpy().reshape(WORLD.bases, -1)


def test_columns_and_rows_are_those_documented(found):
    """In order, a row per score, grouping, outcome and dose, with types that Parquet keeps."""
    frames = (found.summary, found.quantiles, found.checks)
    documented = (SUMMARY_COLUMNS, QUANTILE_COLUMNS, CHECK_COLUMNS)
    for frame, columns in zip(frames, documented, strict=True):
        assert list(frame.columns) == list(columns)
        assert all(columns.values())
        pa.Table.from_pandas(frame, preserve_index=False)
    assert len(found.summary) == 2 * 3 * 3 * 2
    assert not found.summary.duplicated(KEY).any()
    assert len(found.quantiles) == 10 * len(found.summary)
    assert found.checks[["outcome", "epochs"]].to_numpy().tolist() == [
        [outcome, epochs] for outcome in ("accuracy", "nll", "macro_f1") for epochs in (1, 5)
    ]
    kinds = found.summary.dtypes.astype(str).to_dict()
    counted = ("epochs", "bases", "groups", "seeds", "scores")
    assert {kinds[name] for name in counted} == {"int64"}
    assert kinds["seeds_needed"] == "Int64"
    assert {kinds[name] for name in ("rho", "rho_low", "uplift", "bound", "p_max")} == {"float64"}


def test_the_row_says_what_it_rests_on(row):
    assert (row["queried"], row["bases"], row["groups"], row["seeds"]) == ("small", 3, 40, 4)
    assert (row["scores"], row["against"]) == (2, "random")


def test_rho_is_of_the_raw_score_and_pooled_over_bases(row):
    """Margin's sign is not turned, though its small end is queried."""
    rhos = spearman(means(), usefulness().mean(axis=-1))
    assert row["rho_bases"] == pytest.approx(rhos)
    assert interval_of(row, "rho") == pytest.approx(ends(pooled(rhos)))
    assert row["rho"] > 0.5
    assert row["rho_bootstrap_low"] < row["rho"] < row["rho_bootstrap_high"]
    assert row["p"] == row["p_max"] == 1 / 200


@pytest.mark.parametrize(("grouping", "sorted_by"), [("score", "margin"), ("random", "")])
def test_partial_rho_is_given_the_class_shares_of_each_bases_groups(found, grouping, sorted_by):
    of_arm = GROUPS[(GROUPS["grouping"] == grouping) & (GROUPS["sorted_by"] == sorted_by)]
    shares = pd.crosstab([of_arm["base"], of_arm["group"]], of_arm["label"], normalize="index")
    scores = means("margin", grouping, sorted_by)
    of_groups = usefulness(grouping, sorted_by).mean(axis=-1)
    partial = [
        partial_spearman(*pair, principal_components(shares.loc[base].to_numpy()))
        for base, pair in enumerate(zip(scores, of_groups, strict=True))
    ]
    row = row_of(found, "margin", grouping, "nll")
    assert row["partial_rho"] == pytest.approx(pooled(np.array(partial)).estimate)


def test_reliability_columns_follow_from_each_other(row):
    """The mean over bases, its root, rho over that root, and the seeds for 0.8."""
    single, icc = intraclass_correlation(usefulness())
    assert (row["icc_single"], row["icc"]) == pytest.approx((single.mean(), icc.mean()))
    assert row["ceiling"] == pytest.approx(math.sqrt(row["icc"]))
    assert row["rho_corrected"] == pytest.approx(row["rho"] / row["ceiling"])
    needed = 4 * (1 - row["icc_single"]) / row["icc_single"]
    assert row["seeds_needed"] == math.ceil(needed)


def test_uplift_and_change_are_mean_usefulness(row):
    """The four groups with the smallest margin, against forty random ones."""
    of_groups, random = usefulness().mean(axis=-1), usefulness("random", "").mean(axis=-1)
    expected = uplift(of_groups, means(), "small", random)
    assert interval_of(row, "uplift") == pytest.approx(ends(expected))
    assert row["change"] == pytest.approx(of_groups.mean())
    assert row["verdict"] == "hurts"


def test_random_groups_are_the_null_of_every_score(found):
    """Each score's own means of the same groups; nothing is queried, so there is no uplift and no verdict."""
    rows = found.summary[found.summary["grouping"] == "random"]
    row = row_of(found, "margin", "random", "nll")
    of_groups = usefulness("random", "").mean(axis=-1)
    rhos = spearman(means(grouping="random", sorted_by=""), of_groups)
    assert row["rho_bases"] == pytest.approx(rhos)
    assert rows["uplift"].isna().all()
    assert set(rows["verdict"]) == {"inconclusive"}
    assert rows["against"].isna().all()


def test_dose_response_rises_with_the_planted_slope(found):
    at = "score == 'loss' and grouping == 'score' and outcome == 'accuracy' and epochs == 5"
    rows = found.quantiles.query(at)
    assert rows["quantile"].tolist() == list(range(10))
    assert rows["mean_score"].is_monotonic_increasing
    assert scipy_stats.spearmanr(rows["quantile"], rows["mean"]).statistic > 0.8
    assert (rows["low"] < rows["mean"]).all()
    assert (rows["mean"] < rows["high"]).all()


def test_checks_hold_in_a_sound_study(found):
    """Shuffled labels harm by 0.2 at the last dose, and halves agree as the seeds do."""
    checks = found.checks.set_index(["outcome", "epochs"])
    assert checks.loc[("nll", 5), "shuffled"] == pytest.approx(-0.2, abs=0.02)
    assert checks.loc[("nll", 5), "shuffled_high"] < 0
    icc = found.summary.query("outcome == 'nll' and epochs == 5 and grouping == 'score'")["icc"]
    assert checks.loc[("nll", 5), "split_half"] == pytest.approx(icc.mean(), abs=0.1)


def test_the_order_of_rows_changes_no_number_and_the_seed_does(found):
    shuffled = (frame.sample(frac=1, random_state=3) for frame in (GROUPS, FINE_TUNES, BASES))
    pd.testing.assert_frame_equal(found.summary, summarised(*shuffled).summary)
    other = summarised(seed=4).summary
    assert not found.summary["rho_bootstrap_low"].equals(other["rho_bootstrap_low"])


def test_one_base_has_intervals_over_its_groups_only():
    one_base = summarised(*study(World(bases=1, slope=0.03), generator(5)))
    row = row_of(one_base, "loss", "score", "accuracy")
    assert math.isnan(row["rho_low"])
    assert row["rho_bootstrap_low"] > 0.3
    assert row["uplift_low"] > 0
    assert row["verdict"] == "helps"


def test_one_seed_is_inconclusive():
    """Its reliability is not known."""
    rows = summarised(*study(World(seeds=1, slope=0.05), generator(6))).summary
    assert rows["icc"].isna().all()
    assert rows["seeds_needed"].isna().all()
    assert set(rows["verdict"]) == {"inconclusive"}


def test_absent_groupings_are_absent_and_uplift_falls_back_to_the_arm():
    world = World(groupings=("score",), slope=0.03)
    found = summarised(*study(world, generator(7)))
    assert set(found.summary["grouping"]) == {"score"}
    assert set(found.summary["against"]) == {"all"}
    assert row_of(found, "loss", "score", "accuracy")["uplift"] > 0.02
    assert found.checks["shuffled"].isna().all()
    assert found.checks["split_half"].notna().all()


def test_an_unknown_outcome_is_unknown_and_leaves_the_others():
    """A diverged fine-tune's infinite nll."""
    broken = (FINE_TUNES["grouping"] == "score") & (FINE_TUNES["group"] == 3)
    outcomes = FINE_TUNES.assign(nll=FINE_TUNES["nll"].mask(broken, math.inf))
    rows = summarised(outcomes=outcomes).summary.query("grouping == 'score'")
    is_nll = rows["outcome"] == "nll"
    assert rows.loc[is_nll, ["rho", "p", "p_max", "icc", "uplift", "change"]].isna().all(axis=None)
    assert set(rows.loc[is_nll, "verdict"]) == {"inconclusive"}
    assert rows.loc[~is_nll, ["rho", "p", "p_max", "icc", "uplift"]].notna().all(axis=None)


def test_a_constant_score_has_no_rank_correlation():
    rows = summarised(GROUPS.assign(loss=0.0)).summary.query("score == 'loss'")
    assert rows[["rho", "p", "p_max", "partial_rho", "rho_bootstrap_low"]].isna().all(axis=None)
    assert set(rows["verdict"]) == {"inconclusive"}


def test_a_size_that_matters_is_a_share_of_what_random_groups_change(found):
    """Without random groups: of what the groups of the grouping change."""
    row = row_of(found, "margin", "score", "nll")
    typical = np.abs(usefulness("random", "").mean(axis=-1)).mean()
    assert row["typical_change"] == pytest.approx(typical)
    assert row["matters"] == pytest.approx(0.1 * typical)
    alone = summarised(outcomes=FINE_TUNES[FINE_TUNES["grouping"] != "random"])
    own = np.abs(usefulness().mean(axis=-1)).mean()
    assert row_of(alone, "margin", "score", "nll")["typical_change"] == pytest.approx(own)


def test_groups_that_change_nothing_or_do_not_differ_are_said_to():
    """Fine-tunes that end where the control does, and seeds that agree on nothing."""
    control = FINE_TUNES[FINE_TUNES["grouping"] == "control"]
    key = ["base", "seed", "epochs"]
    same = FINE_TUNES[[*key, "grouping", "sorted_by", "group", "steps"]].merge(
        control[[*key, "accuracy", "nll", "macro_f1"]], on=key
    )
    rows = summarised(outcomes=same).summary.dropna(subset=["uplift"])
    assert set(rows["verdict"]) == {"no change"}
    noise = World(bases=3, groups=40, seeds=4, group_sd=0.0, seed_sd=0.02)
    groups, outcomes, bases = study(noise, generator(3))
    rows = summarised(groups, outcomes, bases).summary.dropna(subset=["uplift"])
    assert set(rows["verdict"]) == {"no change"}
    lower = outcomes["grouping"] == "control"
    outcomes.loc[lower, "accuracy"] -= 0.02
    rows = summarised(groups, outcomes, bases).summary.query("outcome == 'accuracy'")
    verdicts = rows.dropna(subset=["uplift"])["verdict"].tolist()
    assert verdicts.count("no difference") >= 3
    assert not {"helps", "hurts", "no change"} & set(verdicts)


def test_a_summary_of_an_earlier_version_is_judged_as_a_new_one(found):
    """Its verdicts are those of the present rule, from its records."""
    earlier = found.summary.drop(columns=[*EFFECT_COLUMNS, "matters"]).assign(verdict="helps")
    again = judged_again(earlier, (BASES, GROUPS, FINE_TUNES), generator(9), 199)
    assert again["verdict"].tolist() == found.summary["verdict"].tolist()
    certain = [name for name in found.summary if name != "uplift_p"]
    pd.testing.assert_frame_equal(again[certain], found.summary[certain])


def test_the_published_protocol_averages_over_epochs_and_has_no_control():
    original = as_original(FINE_TUNES)
    assert list(original.columns) == list(FINE_TUNES.columns)
    assert "control" not in set(original["grouping"])
    assert (set(original["epochs"]), set(original["steps"])) == ({5}, {15})
    at = "base == 1 and grouping == 'score' and sorted_by == 'loss' and group == 7 and seed == 2"
    assert original.query(at)["accuracy"].item() == pytest.approx(
        FINE_TUNES.query(at)["accuracy"].mean()
    )
    row = row_of(summarised(outcomes=original), "loss", "score", "nll")
    assert row["change"] == pytest.approx(WORLD.learned, abs=0.02)
