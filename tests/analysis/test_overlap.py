"""The objects that two arms have in common: by hand, by chance, and where there is nothing to compare."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alray.analysis.sweep.comparison import Comparison
from alray.analysis.sweep.overlap import overlaps


def queried(sets, initial=2):
    """Return `queries` and `runs` of {(arm, seed): ids}, each with initial labels that all share."""
    rows, runs = [], []
    for (arm, seed), ids in sets.items():
        run_id = f"{arm}__seed-{seed}"
        variant = arm.partition(" [")[2].rstrip("]")
        runs.append({"run_id": run_id, "arm": arm, "seed": seed, "variant": variant})
        first = [(0, f"initial-{number}") for number in range(initial)]
        rows += [
            {"run_id": run_id, "arm": arm, "seed": seed, "round": number, "id": str(each)}
            for number, each in [*first, *((1 + n // 2, each) for n, each in enumerate(ids))]
        ]
    return pd.DataFrame(rows), pd.DataFrame(runs)


def overlaps_in(sets, pool_size):
    queries, runs = queried(sets)
    return overlaps(queries, runs, pool_size)


def row_of(frame, arm, versus):
    (row,) = frame[(frame["arm"] == arm) & (frame["versus"] == versus)].to_dict("records")
    return row


def test_the_share_is_of_what_either_queried_after_the_initial_labels():
    queries, runs = queried(
        {
            ("random", 0): "abcd",
            ("margin", 0): "cdef",
            ("random", 1): "abcd",
            ("margin", 1): "dcba",
            ("margin", 2): "abcd",
        }
    )
    found = overlaps(queries, runs)
    assert len(found) == 2
    row = row_of(found, "margin", "random")
    assert row["overlap"] == pytest.approx((2 / 6 + 1) / 2)
    assert (row["labels"], row["seeds"]) == (4, 2)
    assert row["low"] < row["overlap"] < row["high"]
    assert math.isnan(row["by_chance"])
    other = row_of(found, "random", "margin")
    assert {name: other[name] for name in ("overlap", "seeds", "labels")} == {
        name: row[name] for name in ("overlap", "seeds", "labels")
    }


def test_a_random_arm_has_what_is_expected_by_chance_with_any_other():
    """Also with one that always takes the same objects; chance is about what is left after the initial labels."""
    rng = np.random.default_rng(0)
    sets: dict[tuple[str, int], Any] = {("margin", seed): range(30) for seed in range(200)}
    sets |= {("random", seed): rng.choice(100, 30, replace=False) for seed in range(200)}
    found = row_of(overlaps_in(sets, 102), "random", "margin")
    error = (found["high"] - found["low"]) / 2
    assert abs(found["overlap"] - found["by_chance"]) < error
    assert found["by_chance"] == pytest.approx(0.3 / 1.7, abs=0.01)


def test_a_pool_that_is_asked_for_nearly_whole_has_much_in_common_by_chance():
    sets = {(arm, 0): range(9) for arm in ("random", "margin")}
    found = row_of(overlaps_in(sets, 12), "random", "margin")
    # One of ten is left: the same, or two different ones.
    assert found["by_chance"] == pytest.approx(0.1 * 1 + 0.9 * 8 / 10)
    small = overlaps_in(sets, 5)
    assert small["by_chance"].isna().all(), "a pool of means over seeds may be off"


def test_arms_of_different_variants_are_not_compared():
    sets = {("random", 0): "ab", ("margin", 0): "ab", ("margin [query=3]", 0): "abc"}
    assert len(overlaps(*queried(sets))) == 2


def test_without_queries_there_is_no_overlap():
    queries, runs = queried({("random", 0): "", ("margin", 0): ""})
    assert overlaps(queries, runs).empty
    assert overlaps(queries[:0], runs).empty
    assert list(overlaps(queries[:0], runs)) == list(overlaps(*queried({("a", 0): "b"})))


def test_columns_are_those_documented():
    described: str = str(Comparison.__doc__).split("overlaps: ", 1)[1]
    found = overlaps(*queried({("a", 0): "b", ("c", 0): "d"}))
    assert all(str(column) in described for column in found)
