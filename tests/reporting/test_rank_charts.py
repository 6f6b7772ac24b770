"""The critical-difference figure: bars that join exactly the arms that are not shown to differ."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alray.reporting.sweep.rank_charts import critical_difference_figure, joined_arms
from alray.statistics.mean_ranks import rank_arms
from tests.helpers.report_reading import texts_of


def frame_of(arms, blocks=16, step=1.0):
    rng = np.random.default_rng(0)
    values = -step * np.arange(arms) + rng.normal(0, 1, (blocks, arms))
    table = pd.DataFrame(values, columns=[f"strategy_{n}" for n in range(arms)])
    return table.rename_axis("block").reset_index().melt("block", var_name="arm")


def shown_of(pairs, arms):
    shown = np.zeros((arms, arms), dtype=bool)
    for i, j in pairs:
        shown[i, j] = shown[j, i] = True
    return shown


@given(st.integers(2, 7), st.data())
def test_two_arms_share_a_bar_exactly_where_they_are_not_shown_to_differ(arms, data):
    every = list(itertools.combinations(range(arms), 2))
    pairs = data.draw(st.sets(st.sampled_from(every)))
    bars = joined_arms(shown_of(pairs, arms))
    joined = {pair for bar in bars for pair in itertools.combinations(bar, 2)}
    assert joined == set(every) - pairs
    assert len(set(bars)) == len(bars)


def test_bars_are_the_usual_ones_where_differences_follow_the_ranks():
    far = [(0, 3), (0, 4), (1, 4)]
    assert joined_arms(shown_of(far, 5)) == [(0, 1, 2), (1, 2, 3), (2, 3, 4)]
    assert joined_arms(shown_of([], 3)) == [(0, 1, 2)]
    assert joined_arms(shown_of([(0, 1)], 2)) == []


@pytest.mark.parametrize("rule", ["wilcoxon", "nemenyi"])
def test_22_arms_fit_the_page_and_are_all_named(rule):
    found = rank_arms(frame_of(22))
    figure = critical_difference_figure(found, "accuracy", "pools and seeds", rule)
    texts = texts_of(figure)
    assert set(found.arms) < set(texts)
    assert f"{found.mean_ranks[0]:.1f}" in texts
    assert figure.spec["width"] + figure.margins.left <= 960
    assert "mean ranks over 16 blocks: pools and seeds" in figure.shown
    assert {"wilcoxon": "Wilcoxon", "nemenyi": "Nemenyi's critical"}[rule] in figure.caption
    assert b"<svg" in figure.svg()


def test_the_caption_says_what_is_left_out_and_where_nothing_is_shown():
    frame = frame_of(4, step=0.0).drop(index=0)
    found = rank_arms(frame)
    figure = critical_difference_figure(found, "accuracy", "pools")
    assert "1 block is left out, which lacks an arm (strategy_0)" in figure.caption
    assert "So no arm is shown to differ from another." in figure.caption
    assert "Of 6 pairs of arms 0 are shown to differ." in figure.description


def test_the_caption_says_where_there_are_too_few_blocks():
    few = rank_arms(frame_of(8, blocks=9))
    assert few.friedman_p < 0.05
    said = "9 blocks cannot show which of 8 arms differ by Wilcoxon's signed-rank test: 11 or more can."
    assert said in critical_difference_figure(few, "accuracy", "pools").caption
    assert "cannot" not in critical_difference_figure(few, "accuracy", "pools", "nemenyi").caption
    enough = rank_arms(frame_of(8, blocks=11))
    assert "cannot" not in critical_difference_figure(enough, "accuracy", "pools").caption
