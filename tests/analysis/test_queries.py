"""What was queried: classes over time, scores, and what rounds took."""

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.queries import class_shares, round_means, score_quantiles


def queries_of(labels, run="margin__seed-0", first_round=1, per_round=2):
    """Return a run's queries, in order, two a round."""
    return pd.DataFrame(
        {
            "run_id": run,
            "arm": run.partition("__")[0],
            "round": first_round + np.arange(len(labels)) // per_round,
            "rank": np.arange(len(labels)) % per_round,
            "label": list(labels),
            "score": np.arange(len(labels), dtype=float),
        }
    )


def shares(table, **values):
    for column, value in values.items():
        table = table[table[column] == value]
    return table["queried_share"].tolist()


def test_class_shares_by_manual_calculation():
    """Twenty queries: a tenth is one round; first ten of class a, then alternating."""
    table = class_shares(queries_of("aaaaaaaaaa" + "ab" * 5), {"a": 30, "b": 60, "c": 10})
    assert list(table) == ["arm", "label", "step", "queried_share", "pool_share"]
    assert shares(table, label="a") == [1] * 5 + [0.5] * 5
    assert shares(table, label="b") == [0] * 5 + [0.5] * 5
    assert shares(table, label="c") == [0] * 10
    pool = table.groupby("label")["pool_share"].first()
    assert pool.to_dict() == pytest.approx({"a": 0.3, "b": 0.6, "c": 0.1})
    assert table["step"].tolist() == [step for step in range(1, 11) for _ in range(3)]


def test_runs_are_cut_on_their_own_and_pooled():
    """A second seed with other classes halves the shares; the order of rows does not matter."""
    both = pd.concat([queries_of("a" * 20), queries_of("b" * 20, "margin__seed-1")])
    table = class_shares(both)
    assert shares(table, label="a") == [0.5] * 10
    assert table["pool_share"].isna().all()
    shuffled = both.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(class_shares(shuffled), table)
    reversed_in_time = queries_of("b" * 10 + "a" * 10).iloc[::-1]
    assert shares(class_shares(reversed_in_time), label="b") == [1] * 5 + [0] * 5


def test_initial_labels_do_not_count():
    """Round 0 is drawn at random for every strategy."""
    table = class_shares(pd.concat([queries_of("zz", first_round=0), queries_of("a" * 20)]))
    assert set(table["label"]) == {"a"}
    assert class_shares(queries_of("zz", first_round=0)).empty


def test_few_queries_leave_tenths_out():
    """Five queries fill five of ten tenths, and no share is invented."""
    table = class_shares(queries_of("aabba"))
    assert table["step"].unique().tolist() == [1, 3, 5, 7, 9]
    assert table.groupby("step")["queried_share"].sum().tolist() == [1] * 5


def test_shares_of_a_step_sum_to_one():
    """For every arm."""
    rng = np.random.default_rng(0)
    arms = [queries_of(rng.choice(list("abcd"), 34), f"arm{i}__seed-0") for i in range(3)]
    sums = class_shares(pd.concat(arms)).groupby(["arm", "step"])["queried_share"].sum()
    assert len(sums) == 30
    assert sums.to_numpy() == pytest.approx(1)


def test_score_quantiles_are_numpys():
    """Seeds pooled; objects chosen by chance have no score."""
    queries = queries_of("a" * 60, per_round=20)
    queries.loc[queries["round"] == 2, "score"] = np.nan
    table = score_quantiles(queries)
    assert list(table) == ["arm", "round", "q05", "q25", "q50", "q75", "q95"]
    assert table["round"].tolist() == [1, 3]
    expected = np.quantile(np.arange(20.0), [0.05, 0.25, 0.5, 0.75, 0.95])
    assert table.iloc[0, 2:].to_numpy(float) == pytest.approx(expected)


def test_round_means_include_learned_sigmas():
    """Whatever the heads are called."""
    rounds = pd.DataFrame(
        {
            "arm": "margin",
            "round": [0, 0, 1, 1],
            "labels": [10, 10, 12, 12],
            "query_s": [0.0, 0.0, 1.0, 3.0],
            "fit_s": 1.0,
            "eval_s": 2.0,
            "sigma_text": [1.0, 2.0, 3.0, 4.0],
        }
    )
    table = round_means(rounds)
    assert table["query_s"].tolist() == [0, 2]
    assert table["sigma_text"].tolist() == [1.5, 3.5]
    assert table["labels"].tolist() == [10, 12]


@pytest.mark.parametrize("make", [class_shares, score_quantiles, round_means])
def test_nothing_gives_an_empty_table(make):
    """Curves made elsewhere come without queries."""
    assert make(pd.DataFrame()).empty
    assert "arm" in make(pd.DataFrame())
