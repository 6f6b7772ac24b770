"""Figures of the learning curves: means with their intervals, every seed, other metrics, varied settings."""

import dataclasses
from collections import Counter
from collections.abc import Mapping

import altair as alt
import pandas as pd

from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.full_data import BY_TRUE_LABELS
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.wording import count, joined
from alray.reporting.figures import (
    Figure,
    Margins,
    having,
    interval_tooltip,
    lookup,
    panels,
    single,
)
from alray.reporting.sweep.frames import (
    SEED_POINTS,
    CurveRows,
    curve_rows,
    ends_of,
    panel_titles,
    range_of,
    seed_rows,
    shorten,
    thinned,
)
from alray.reporting.sweep.style import DASHES, ArmStyles, label_axis

HEIGHT = 380
"""Pixels of the figure that is read first."""

_MOST_BANDS = 7


def learning_curves(
    curves: pd.DataFrame,
    arms: ArmStyles,
    metric: str,
    ceilings: Mapping[str, float],
    *,
    by_crowd: bool = False,
) -> Figure:
    """Mean of every arm over its labels, with t intervals and the arm's name at its end; a panel per variant.

    `ceilings` are by variant what the model reaches with all labels; `by_crowd` is whether a crowd answers the arms.
    """
    made = curve_rows(curves, arms, metric, ceilings, HEIGHT)
    layers, axis = _mean_layers(made, arms, metric), arms.axis
    margins = Margins(label=150, least=230, most=900 if len(arms.variants) == 1 else 620)
    chart = (
        single(layers, 560, HEIGHT)
        if len(arms.variants) == 1
        else panels(layers, made.rows, "variant", arms.variant_titles(), HEIGHT, 340)
    )
    seeds = count(int(made.means["seeds"].max()), "seed")
    ceiling = _ceiling_text(ceilings, made.ceilings)
    if ceiling and by_crowd:
        ceiling += f" Full data: {BY_TRUE_LABELS}."
    return Figure(
        name="curves",
        heading="How does each arm learn?",
        shown=metric_title(metric),
        caption=f"Mean over {seeds}; bands are 95 % t intervals.{ceiling}",
        description=f"Lines of {metric_title(metric)} over {axis.title}, one per arm. "
        f"At {axis.amount(float(made.means['labels'].max()))}: {ends_of(made.means, 'mean', '.3f')}.",
        rows=made.rows,
        chart=chart,
        margins=margins,
        highlights=True,
    )


def original_curves(intervals: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """The same curves with the published study's intervals, of `original.original_intervals`."""
    figure = learning_curves(intervals, arms, metric, {})
    of_metric = intervals[intervals["metric"] == metric]
    shares = {f"{100 * value:.0f} %" for value in of_metric["coverage"].dropna()}
    held = joined(sorted(shares) or ["none"])
    return dataclasses.replace(
        figure,
        name="original_curves",
        heading="How did the published study draw such curves?",
        caption="Bands are its intervals, 0.95 x population sd / sqrt(n). They are too narrow: with so many seeds "
        f"they hold the true mean in {held} of cases, not in 95 %. The figure above has 95 % intervals.",
    )


def _mean_layers(made: CurveRows, arms: ArmStyles, metric: str) -> list[alt.Chart]:
    scale = alt.Scale(domain=made.values, nice=False)
    x = label_axis(arms.axis, domain=made.labels)
    y = alt.Y("mean:Q", axis=alt.Axis(title=metric_title(metric)), scale=scale)
    colour, dash = arms.colour(), arms.dash()
    point = having("mean").encode(x=x, color=colour)
    leader = {"x": alt.X("leader_x:Q"), "y": alt.Y("leader_y:Q", scale=scale)}
    opacity = 0.12 if len(arms.strategies) <= _MOST_BANDS else 0.04
    layers = [
        point.mark_area(clip=True).encode(
            y=alt.Y("low:Q", scale=scale), y2="high", opacity=arms.opacity(opacity, 0.3)
        ),
        point.mark_line().encode(
            y=y, strokeDash=dash, strokeWidth=arms.width(), opacity=arms.opacity(1.0)
        ),
        having("leader_x")
        .mark_line(strokeWidth=1)
        .encode(
            **leader, detail="arm:N", color=colour, strokeDash=dash, opacity=arms.opacity(0.9)
        ),
        having("text")
        .mark_text(style="label", align="left", dx=4, limit=150)
        .encode(**leader, text="text:N", opacity=arms.opacity(1.0)),
        point.mark_point(size=60, opacity=0, filled=True).encode(
            y=y, tooltip=_tooltip(metric, arms.axis)
        ),
    ]
    return [*layers, _ceiling(scale, metric)] if len(made.ceilings) else layers


def _ceiling_text(ceilings: Mapping[str, float], drawn: pd.DataFrame) -> str:
    line = " The dashed line is the model trained on all labels." if len(drawn) else ""
    beyond = [
        f"{value:.3f}" + (f" ({variant})" if variant else "")
        for variant, value in ceilings.items()
        if variant not in set(drawn["variant"])
    ]
    if not beyond:
        return line
    return f"{line} Trained on all labels the model reaches {', '.join(beyond)}, beyond this axis."


def _ceiling(scale: alt.Scale, metric: str) -> alt.Chart:
    title = f"{metric_title(metric)} with all labels"
    tooltip = alt.Tooltip("ceiling:Q", title=title, format=".3f")
    line: alt.Chart = having("ceiling").mark_rule(style="ceiling")
    return line.encode(y=alt.Y("ceiling:Q", scale=scale), tooltip=tooltip)


def _tooltip(metric: str, axis: Axis) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("arm:N"),
        alt.Tooltip("labels:Q", title=axis.heading, format=axis.number_format),
        *interval_tooltip("mean", ".3f", metric_title(metric)),
    ]


def seed_curves(seeds: pd.DataFrame, curves: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """Every seed's curve, a panel per arm, with the arm's mean and that of what it is compared with."""
    rows = seed_rows(seeds, curves, arms, metric)
    axis = alt.Axis(title=metric_title(metric))
    y = alt.Y("value:Q", axis=axis).scale(domain=range_of(rows, ("value",)), nice=False)
    line = {"x": label_axis(arms.axis, zero=False), "y": y, "color": arms.colour()}
    layers = [
        having("seed").mark_line(strokeWidth=0.8, opacity=0.45).encode(**line, detail="seed:N"),
        alt.Chart()
        .transform_filter("!isValid(datum.seed)")
        .mark_line()
        .encode(**line, strokeDash=arms.dash(), strokeWidth=arms.width()),
    ]
    return Figure(
        name="seeds",
        heading="How much do seeds differ?",
        shown=metric_title(metric),
        caption="Thin: one seed. Thick: the arm's mean; grey: what it is compared with.",
        description=f"Lines of {metric_title(metric)} over {arms.axis.title} for every seed, a panel per arm.",
        rows=rows,
        chart=panels(layers, rows, "panel", panel_titles(arms)),
        margins=Margins(left=70, label=28, least=170, most=330),
    )


def other_metrics(curves: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """The same curves in all other metrics, a panel per metric; of the first variant where there are several."""
    of_variant = arms.described(curves[curves["variant"] == arms.variants[0]])
    frame = thinned(of_variant[(of_variant["metric"] != metric) & of_variant["mean"].notna()], 100)
    titles = {name: metric_title(name) for name in frame["metric"].unique()}
    y = alt.Y("mean:Q", axis=alt.Axis(title=None)).scale(zero=False)
    rows = frame[["metric", "strategy", "arm", "labels", "mean"]]
    line = arms.line(label_axis(arms.axis, zero=False), y)
    shown = arms.variant_titles()[arms.variants[0]] if len(arms.variants) > 1 else "means"
    return Figure(
        name="metrics",
        heading="What do other measures say?",
        shown=shown,
        caption="Means over seeds; each panel has its own axis, with the unit in its title. "
        "Less is better for NLL and calibration error.",
        description=f"Lines over {arms.axis.title}, a panel per metric: {', '.join(titles.values())}.",
        rows=rows,
        chart=panels([line], rows, "metric", titles).resolve_scale(y="independent"),
        margins=Margins(left=50, label=28, least=200, gap=44),
        highlights=True,
    )


def variant_curves(curves: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """What the varied settings change: a panel per strategy that has several variants, a line per variant."""
    variants = Counter(arm.strategy for arm in arms.all)
    titles = {
        arm.strategy: shorten(arm.strategy, 34)
        for arm in arms.strategies
        if variants[arm.strategy] > 1
    }
    frame = arms.described(curves[curves["metric"] == metric])
    frame = thinned(frame[frame["strategy"].isin(list(titles))], SEED_POINTS)
    y = alt.Y("mean:Q", axis=alt.Axis(title=metric_title(metric))).scale(zero=False)
    scale = alt.Scale(
        domain=list(arms.variants),
        range=[list(DASHES[number % len(DASHES)]) for number in range(len(arms.variants))],
    )
    legend = alt.Legend(title=None, labelExpr=lookup(arms.variant_titles()), symbolStrokeWidth=1.7)
    legend.symbolType = "stroke"
    legend.labelLimit = 400
    dash = alt.StrokeDash("variant:N", scale=scale, legend=legend)
    arm = alt.Chart().encode(x=label_axis(arms.axis, zero=False), color=arms.colour())
    layers = [
        arm.mark_area(opacity=0.1).encode(y="low:Q", y2="high", detail="variant:N"),
        arm.mark_line(strokeWidth=1.8).encode(y=y, strokeDash=dash),
    ]
    rows = frame[["strategy", "variant", "labels", "mean", "low", "high"]]
    return Figure(
        name="variants",
        heading="What do the varied settings change?",
        shown=metric_title(metric),
        caption="Mean over seeds with 95 % t intervals; a panel per strategy.",
        description=f"Lines of {metric_title(metric)} over {arms.axis.title}, a panel per strategy, a line per "
        "variant: " + ", ".join(arms.variant_titles().values()) + ".",
        rows=rows,
        chart=panels(layers, rows, "strategy", titles),
        margins=Margins(left=70, label=28, least=190),
    )
