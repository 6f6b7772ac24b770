"""How far assessors agree, where files do not name them."""

import math

import pandas as pd
import pytest

from alray.assessors.agreement import krippendorff_alpha

pytest.importorskip("crowdkit", reason="needs crowd-kit")


def given(workers, tasks="aabb", labels="xyxx"):
    """Return answers, one for each letter."""
    return pd.DataFrame({"task": list(tasks), "worker": workers, "label": list(labels)})


def test_answers_without_a_name_agree_as_those_of_as_many_assessors():
    named = krippendorff_alpha(given(["ann", "bob", "ann", "bob"]))
    assert named == krippendorff_alpha(given([""] * 4))
    assert named == krippendorff_alpha(given(["ann", "", "", "ann"]))


def test_two_answers_about_one_object_are_those_of_two():
    """Two that differ agree as chance would have it: they are all that is known of chance."""
    assert krippendorff_alpha(given(["", ""], "aa", "xy")) == pytest.approx(0)


@pytest.mark.parametrize(
    "answers", [(["ann", "ann"], "aa", "xy"), (["", ""], "aa", "xx"), (["", ""], "ab", "xy")]
)
def test_what_cannot_be_told_is_not_a_number(answers):
    found = krippendorff_alpha(given(*answers))
    assert found is not None
    assert math.isnan(found)
