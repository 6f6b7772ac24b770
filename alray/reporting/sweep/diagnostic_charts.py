"""Figures of what arms ask for: the objects that two arms have in common, and how alike those of a query are."""

from typing import Any

import altair as alt
import pandas as pd

from alray.analysis.sweep.query_measures import MEASURES
from alray.analysis.sweep.query_words import by_chance, duplicates_said, most_alike
from alray.reporting.figures import (
    Figure,
    Margins,
    error_bars,
    interval_tooltip,
    panels,
    single,
)
from alray.reporting.sweep.difference_charts import AHEAD
from alray.reporting.sweep.style import ArmStyles

_USUAL = {"query_diversity": 1.0, "query_density": 0.5, "query_duplicates": 0.0}
"""What random objects have; of near duplicates that depends on the pool, and none is a start."""

_TITLES = {
    "query_diversity": "diversity (1: as random)",
    "query_density": "density (.5: as random)",
    "query_duplicates": "near duplicates (share)",
}


def overlaps(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """A matrix of the share of objects that two arms have in common; a panel per variant."""
    described = arms.described(frame)
    strategies = {arm.name: arm.strategy for arm in arms.all}
    rows = described.assign(
        opponent=described["versus"].map(strategies),
        strength=0.1 + 0.6 * described["overlap"],
        text=(100 * described["overlap"]).round().astype(int).astype(str),
    )
    names = [arm.strategy for arm in arms.strategies]
    layers = _matrix(names)
    chart = (
        single(layers, 32 * len(names), 24 * len(names))
        if len(arms.variants) == 1
        else panels(layers, rows, "variant", arms.variant_titles(), 24 * len(names))
    )
    return Figure(
        name="overlaps",
        heading="Do the strategies ask for the same objects?",
        shown="per cent in common",
        caption="Of the objects that at least one of two arms queried, the share that both did (Jaccard index), "
        f"with the same seed and all labels bought, without the initial ones; mean over seeds. {by_chance(frame)}",
        description=f"A matrix of arms against arms. {most_alike(frame)}",
        rows=rows[
            [
                *("arm", "versus", "strategy", "opponent", "variant", "overlap", "low", "high"),
                "strength",
                "text",
            ]
        ],
        chart=chart,
        margins=Margins(left=140, label=10, least=22 * len(names), most=max(44 * len(names), 200)),
    )


def _matrix(strategies: list[str]) -> list[alt.Chart]:
    plain: dict[str, Any] = {
        "grid": False,
        "ticks": False,
        "labelLimit": 130,
        "labelOverlap": False,
    }
    cell = alt.Chart().encode(
        x=alt.X("opponent:N", sort=strategies, axis=alt.Axis(title=None, labelAngle=-45, **plain)),
        y=alt.Y("strategy:N", sort=strategies, axis=alt.Axis(title=None, **plain)),
    )
    return [
        cell.mark_rect(style="tile", color=AHEAD).encode(
            opacity=alt.Opacity("strength:Q", scale=None, legend=None),
            tooltip=["arm:N", "versus:N", *interval_tooltip("overlap", ".1%")],
        ),
        cell.mark_text(style="label").encode(text="text:N"),
    ]


def query_measures(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """Diversity, density and near duplicates of queries: a panel each, a row per arm."""
    rows = arms.described(frame)
    rows = rows.assign(usual=rows["measure"].map(_USUAL))
    rows = rows[["arm", "measure", "strategy", "mean", "low", "high", "usual"]]
    order = [arm.name for arm in arms.all if arm.name in set(rows["arm"])]
    names = alt.Axis(title=None, grid=False, ticks=False, labelLimit=190, labelOverlap=False)
    y = alt.Y("arm:N", sort=order, axis=names)
    x = alt.X("mean:Q", axis=alt.Axis(title=None, tickCount=4)).scale(zero=False)
    ends = alt.Chart().encode(y=y, x=alt.X("low:Q", title=None), x2="high", color=arms.colour())
    layers = [
        alt.Chart().mark_rule(style="ceiling").encode(x=alt.X("min(usual):Q", title=None)),
        *error_bars(ends, rows, strokeWidth=2),
        alt.Chart()
        .mark_point(filled=True, size=55, opacity=1)
        .encode(
            x=x, y=y, color=arms.colour(), tooltip=["arm:N", *interval_tooltip("mean", ".3f")]
        ),
    ]
    titles = {name: _TITLES[name] for name in MEASURES}
    chart = panels(layers, rows, "measure", titles, max(22 * len(order), 50))
    return Figure(
        name="query_measures",
        heading="How alike are the objects of a query?",
        shown="means over queries, with 95 % intervals over seeds",
        caption="Of the pool's own features. Diversity: squared distance of two objects of a query relative to random "
        "ones; below 1 they are alike. Density: above .5 a strategy seeks crowded regions, below it outliers. Near "
        "duplicates: objects with another one in the same query at less than a tenth of the usual distance, whose "
        "labels teach little twice. Dashed: random objects, and no duplicates. Which differences are shown, the text "
        "above says.",
        description=f"Points of three measures, a row per arm. {duplicates_said(frame)}",
        rows=rows,
        chart=chart.resolve_scale(x="independent"),
        margins=Margins(left=200, label=12, least=150, gap=40, most=300),
    )
