"""An arm that is better than full data at some budget: found where it is, claimed in few studies where it is not."""

import numpy as np
import pytest

from alray.analysis.sweep.beyond_full_data import beyond_full_data, beyond_said
from tests.helpers.full_data_curves import arms_beside_full_data
from tests.helpers.intervals import generator
from tests.helpers.summary_rows import row_of


def test_a_planted_gain_is_found_with_its_budget():
    arms, full = arms_beside_full_data(generator(1), seeds=10, arms=3, gain=0.03)
    found = beyond_full_data(arms, full, "accuracy", generator())
    for row in found.values():
        assert row["full_data_best"] > 300 + 20 * 20
        assert 0 < row["full_data_gain_low"] < 0.03 < row["full_data_gain_high"]
    said = beyond_said([row_of(**found["arm 0"])])
    assert said[0].startswith(
        "Better in accuracy than the same network fitted once on all labels: "
    )
    assert f"margin with {found['arm 0']['full_data_best']:,.0f} labels by +.0" in said[0]
    asked = beyond_said([row_of(**found["arm 0"])], by_crowd=True)
    assert asked == [*said, "Full data: with true labels, which no crowd would give."]
    assert beyond_said([], by_crowd=True) == []
    random = beyond_said([row_of("random", **found["arm 0"])])
    assert "Random choice is among them" in random[1]


def test_less_is_better_of_a_loss():
    arms, full = arms_beside_full_data(generator(1), seeds=10, arms=1, gain=0.03)
    for arm in arms:
        arm.curves["nll"] = 1 - arm.curves["accuracy"]
    full = full.assign(nll=1 - full["accuracy"])
    row = beyond_full_data(arms, full, "nll", generator())["arm 0"]
    assert row["full_data_gain_low"] < row["full_data_gain"] < row["full_data_gain_high"] < 0
    assert beyond_said([row_of(metric="nll", **row)])


def test_few_seeds_have_no_ends_and_no_sentence():
    arms, full = arms_beside_full_data(generator(1), seeds=5, arms=1, gain=0.2)
    row = beyond_full_data(arms, full, "accuracy", generator())["arm 0"]
    assert row["full_data_gain"] > 0.1
    assert np.isnan(row["full_data_gain_low"])
    assert beyond_said([row_of(**row)]) == []
    assert beyond_said([row_of()]) == []


def test_seeds_without_full_data_are_left_out():
    arms, full = arms_beside_full_data(generator(1), seeds=8, arms=1)
    less = beyond_full_data(arms, full[full["seed"] < 7], "accuracy", generator())["arm 0"]
    assert less != beyond_full_data(arms, full, "accuracy", generator())["arm 0"]
    assert beyond_full_data(arms, full[:1], "accuracy", generator()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [6, 10])
@pytest.mark.parametrize("arms", [1, 5])
@pytest.mark.parametrize("rising", [0.0, 0.5])
def test_where_nothing_is_better_few_studies_say_so(seeds, arms, rising):
    """At most 5 %, with 3.5 standard errors of 400 studies for the simulation."""
    rng, claims = generator(7), 0
    for _ in range(400):
        made, full = arms_beside_full_data(rng, seeds, arms, rising)
        found = beyond_full_data(made, full, "accuracy", generator())
        claims += any(row["full_data_gain_low"] > 0 for row in found.values())
    assert claims / 400 < 0.05 + 3.5 * (0.05 * 0.95 / 400) ** 0.5
