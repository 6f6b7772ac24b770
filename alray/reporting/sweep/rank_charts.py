"""The critical-difference figure: arms by mean rank, and bars that join those that are not shown to differ."""

import altair as alt
import numpy as np
import pandas as pd
from jaxtyping import Bool

from alray.analysis.wording import count, is_or_are, listed
from alray.reporting.figures import Figure, Margins, single
from alray.statistics.mean_ranks import RankComparison, Rule

ROW = 20
"""Pixels of an arm's row."""

NAMES, LETTER = 230, 7
"""Pixels that names of arms take at most, and a wide letter of them."""

STEP = 0.022
"""Distance of two bars, as a share of the axis of ranks."""

BLUE, GREY = "#0072B2", "#57606a"


def critical_difference_figure(
    found: RankComparison, metric: str, blocks: str, rule: Rule = "wilcoxon"
) -> Figure:
    """Return a figure with a row per arm, the best first, at its mean rank (after Demsar 2006, turned upright).

    Vertical bars at the right join arms: no two arms with a dot on one bar are shown to differ, and any two that share
    no bar are.

    Args:
        found: The ranks.
        metric: What arms are ranked by, in words.
        blocks: What a block is, in words: `pools and seeds`.
        rule: What shows a difference.
    """
    k = len(found.arms)
    bars = _bar_rows(found, joined_arms(found.shown(rule)))
    end = k + 0.03 * (k - 1) + STEP * (k - 1) * bars["bar"].nunique()
    ranks = pd.DataFrame({"arm": found.arms, "rank": found.mean_ranks, "label": _labels(found)})
    rows = pd.concat([ranks, bars], ignore_index=True)
    # A reader's letters may be wider than those that the place of names is reckoned by.
    extent = min(NAMES, LETTER * max(len(arm) for arm in found.arms))
    names = alt.Axis(
        title=None, ticks=False, labelLimit=NAMES, labelOverlap=False, grid=True, minExtent=extent
    )
    y = alt.Y("arm:N", sort=list(found.arms), axis=names)
    ticks = list(range(1, k + 1)) if k <= 12 else [1, *range(4, k + 1, 3)]
    axis = alt.Axis(
        title="mean rank, 1 is best", values=ticks, format="d", orient="top", grid=False
    )
    scale = alt.Scale(domain=[1 - 0.02 * k, end], nice=False, zero=False)
    at = (
        alt.Chart()
        .transform_filter("isValid(datum.rank)")
        .encode(x=alt.X("rank:Q", axis=axis, scale=scale), y=y)
    )
    on_bar = alt.Chart().transform_filter("isValid(datum.bar)").encode(x="bar:Q")
    layers = [
        at.mark_point(filled=True, size=60, opacity=1, color=BLUE).encode(
            tooltip=["arm:N", alt.Tooltip("rank:Q", format=".2f")]
        ),
        at.mark_text(style="note", align="left", dx=8).encode(text="label:N"),
    ]
    if len(bars):
        layers += [
            on_bar.mark_line(strokeWidth=3, color=GREY).encode(y=y, detail="bar:N"),
            on_bar.mark_point(filled=True, shape="square", size=45, opacity=1, color=GREY).encode(
                y=y
            ),
        ]
    return Figure(
        name="ranks",
        heading=f"Which strategies are better than others by {metric}?",
        shown=f"mean ranks over {found.blocks} blocks: {blocks}",
        caption=_caption(found, rule),
        description=f"Points of the mean rank, a row per arm, best first: {_ranks_said(found)}. "
        f"{_pairs_said(found, rule)}",
        rows=rows,
        chart=single(layers, 620, ROW * k),
        margins=Margins(left=240, most=760),
    )


def joined_arms(shown: Bool[np.ndarray, "arm arm"]) -> list[tuple[int, ...]]:
    """Return the bars, each as the positions of its arms: within one no two are shown to differ.

    Any two that are not shown to differ share one. Bars are as long as they can be; where who differs from whom follows
    the ranks, they are the usual ones.
    """
    k = len(shown)
    bars: list[tuple[int, ...]] = []
    for first in range(k):
        for last in range(k - 1, first, -1):
            if shown[first, last] or any(first in bar and last in bar for bar in bars):
                continue
            bar = [first, last]
            between = [*range(first + 1, last), *range(first), *range(last + 1, k)]
            for arm in between:
                if not shown[arm, bar].any():
                    bar.append(arm)
            bars.append(tuple(sorted(bar)))
    return bars


def _bar_rows(found: RankComparison, bars: list[tuple[int, ...]]) -> pd.DataFrame:
    """Return arm, bar: the place of each bar on the axis, beyond the worst rank."""
    k = len(found.arms)
    first = k + 0.03 * (k - 1)
    rows = [
        {"arm": found.arms[arm], "bar": first + STEP * (k - 1) * number}
        for number, bar in enumerate(bars)
        for arm in bar
    ]
    return pd.DataFrame(rows, columns=["arm", "bar"])


def _labels(found: RankComparison) -> list[str]:
    return [f"{rank:.1f}" for rank in found.mean_ranks]


def _ranks_said(found: RankComparison) -> str:
    pairs = zip(found.arms, found.mean_ranks, strict=True)
    return ", ".join(f"{arm} {rank:.2f}" for arm, rank in pairs)


def _pairs_said(found: RankComparison, rule: Rule) -> str:
    shown = found.shown(rule)
    pairs = int(shown.sum()) // 2
    of = len(found.arms) * (len(found.arms) - 1) // 2
    return f"Of {of:,} pairs of arms {pairs:,} are shown to differ."


_RULES: dict[Rule, str] = {
    "wilcoxon": "by Wilcoxon's signed-rank test, corrected by Holm for all pairs",
    "nemenyi": "by Nemenyi's critical difference of mean ranks",
}


def _caption(found: RankComparison, rule: Rule) -> str:
    p = "p < .001" if found.friedman_p < 0.001 else f"p = {found.friedman_p:.3f}"
    bars = f"Arms with a square on one bar are not shown to differ, all other pairs are: at 5 %, {_RULES[rule]}."
    if not found.friedman_p < 0.05:
        bars = "So no arm is shown to differ from another."
    elif rule == "wilcoxon" and found.blocks < found.fewest_blocks:
        bars = (
            f"{found.blocks} blocks cannot show which of {len(found.arms)} arms differ by Wilcoxon's signed-rank test: "
            f"{found.fewest_blocks} or more can."
        )
    left = ""
    if found.left_out:
        missing = sorted({arm for arms in found.left_out.values() for arm in arms})
        number = len(found.left_out)
        which = "lacks" if number == 1 else "lack"
        left = f" {count(number, 'block')} {is_or_are(number)} left out, which {which} an arm ({listed(missing)})."
    tied = found.tied_blocks
    ties = f" Ties, in {count(tied, 'block')}, share their mean rank." if tied else ""
    return (
        f"Friedman's test that all arms are alike: {p}. {bars} "
        f"Critical difference (Nemenyi): {found.critical_difference:.1f} ranks.{left}{ties}"
    )
