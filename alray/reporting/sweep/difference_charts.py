"""Figures that compare arms: differences to the reference arm, labels saved, and who is ahead of whom."""

import altair as alt
import pandas as pd

from alray.analysis.sweep.axis import Axis
from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.reporting.figures import (
    Figure,
    Margins,
    having,
    interval_tooltip,
    panels,
    signed_axis,
    single,
)
from alray.reporting.sweep.frames import (
    better,
    ends_of,
    saving_rows,
    shorten,
    thinned,
    win_rows,
)
from alray.reporting.sweep.style import ArmStyles, label_axis

AHEAD, BEHIND = "#0072B2", "#D55E00"
"""Blue for more, vermilion for less: the colour-blind can tell them apart, on light and dark paper."""


def differences(frame: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """Paired difference to the reference arm over labels, with pointwise and simultaneous intervals."""
    of_metric = arms.described(frame[frame["metric"] == metric])
    rows = thinned(of_metric)[
        ["arm", "strategy", "labels", "difference", "low", "high", "band_low", "band_high"]
    ]
    against = arms.compared_title
    axis = signed_axis(f"{metric_title(metric)} minus that of {against}")
    y = alt.Y("difference:Q", axis=axis).scale(zero=True)
    point = alt.Chart().encode(x=label_axis(arms.axis, zero=False))
    arm = point.encode(color=arms.colour())
    layers = [
        arm.mark_area(opacity=0.16).encode(y="band_low:Q", y2="band_high"),
        arm.mark_area(opacity=0.28).encode(y="low:Q", y2="high"),
        arm.mark_line(strokeWidth=1.8).encode(y=y),
        point.mark_point(size=40, opacity=0, filled=True).encode(
            y=y, tooltip=_difference_tooltip(arms.axis)
        ),
    ]
    return Figure(
        name="differences",
        heading=f"Where along the curve is an arm better than {against}?",
        shown=metric_title(metric),
        caption="Paired by seed. Dark band: 95 % t interval at one checkpoint. Pale band: 95 % for the "
        "whole curve at once; where it leaves zero out, the difference there is shown. "
        f"{better(metric).capitalize()} zero is better.",
        description=f"Lines of the difference in {metric_title(metric)} to {against} over {arms.axis.title}, a panel "
        f"per arm. At the end: {ends_of(rows, 'difference', '+.3f')}.",
        rows=rows,
        chart=panels(layers, rows, "arm", arms.compared),
        margins=Margins(left=74, label=28, least=180),
    )


def _difference_tooltip(axis: Axis) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("arm:N"),
        alt.Tooltip("labels:Q", title=axis.heading, format=axis.number_format),
        *interval_tooltip("difference", "+.3f"),
        alt.Tooltip("band_low:Q", title="whole curve from", format="+.3f"),
        alt.Tooltip("band_high:Q", title="whole curve to", format="+.3f"),
    ]


def savings(frame: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """Labels, answers or money saved over the value of the metric that is wanted, with intervals.

    An arrow stands where an arm misses it.
    """
    rows, axis = saving_rows(frame, arms)
    against = arms.compared_title
    title, axis_title = metric_title(metric), arms.axis.title
    x = alt.X("target:Q", axis=alt.Axis(title=f"{title} that {against} reaches", grid=False))
    x = x.scale(zero=False, nice=False, reverse=better_sign(metric) < 0)
    y = alt.Y("saving:Q", axis=signed_axis(f"{axis_title} saved (%)")).scale(
        domain=axis, nice=False
    )
    colour = arms.colour()
    known = having("saving").encode(x=x)
    layers = [
        alt.Chart()
        .transform_filter("isValid(datum.low) && isValid(datum.high)")
        .mark_area(opacity=0.22, clip=True)
        .encode(x=x, y="low:Q", y2="high", color=colour),
        known.mark_line(strokeWidth=1.8, clip=True).encode(y=y, color=colour),
        known.mark_point(size=40, opacity=0, filled=True).encode(
            y=y, tooltip=_saving_tooltip(against, title, arms.axis)
        ),
        *_arrows(rows, x, colour),
    ]
    missed = (
        f" Arrows: the arm does not reach that {title}." if rows["arrow"].notna().any() else ""
    )
    return Figure(
        name="savings",
        heading=f"{arms.axis.question} saved at each {title}?",
        shown=f"{axis_title} saved against {against}",
        caption=f"Bands are 95 % intervals, each for its target alone: for the {title} that {against} has with so "
        f"{arms.axis.how_much.removeprefix('how ')}. How uncertain {against}'s own {title} is, which matters near "
        f"the start, is not in them. A band that runs down to the axis is not bounded from below.{missed}",
        description=f"Lines of the share of {axis_title} saved against {against} over the {title} wanted, a panel per "
        "arm; the milestones' table holds the numbers.",
        rows=rows,
        chart=panels(layers, rows, "arm", arms.compared),
        margins=Margins(left=70, label=28, least=180),
    )


def _saving_tooltip(against: str, title: str, axis: Axis) -> list[alt.Tooltip]:
    written = axis.number_format
    return [
        alt.Tooltip("arm:N"),
        alt.Tooltip("target:Q", title=title, format=".3f"),
        alt.Tooltip("random_labels:Q", title=f"{axis.heading} of {against}", format=written),
        alt.Tooltip("arm_labels:Q", title=f"{axis.heading} of the arm", format=written),
        *interval_tooltip("saving", "+.0f", f"{axis.title} saved (%)"),
    ]


def _arrows(rows: pd.DataFrame, x: alt.X, colour: alt.Color) -> list[alt.Chart]:
    if rows["arrow"].isna().all():
        return []
    return [
        having("arrow")
        .mark_point(shape="triangle-down", size=45, filled=True, opacity=1, yOffset=-4)
        .encode(x=x, y=alt.Y("arrow:Q"), color=colour)
    ]


def wins(frame: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """A matrix of the arms that are ahead of others, and at how many checkpoints; a panel per variant."""
    rows = win_rows(frame, arms)
    layers = _matrix_layers([arm.strategy for arm in arms.strategies])
    count = len(arms.strategies)
    chart = (
        single(layers, 32 * count, 24 * count)
        if len(arms.variants) == 1
        else panels(layers, rows, "variant", arms.variant_titles(), 24 * count)
    )
    return Figure(
        name="wins",
        heading="Who is ahead of whom?",
        shown=metric_title(metric),
        caption="Per cent of the checkpoints at which the row's arm is above the column's, minus those at which it is "
        "below. A checkpoint counts where the 95 % band of the paired difference, for all checkpoints of all pairs at "
        "once, leaves zero out: of studies whose arms are equally good, one in ten shows a number here, and one in a "
        "hundred a number of 10 or more. "
        "Blue: the row is ahead; vermilion: it is behind; empty: neither.",
        description="A matrix of arms against arms. " + _leads(rows),
        rows=rows.drop(columns="lead"),
        chart=chart,
        margins=Margins(left=140, label=10, least=22 * count, most=max(44 * count, 200)),
    )


def _matrix_layers(strategies: list[str]) -> list[alt.Chart]:
    names = alt.Axis(title=None, grid=False, ticks=False, labelLimit=130)
    across = alt.Axis(
        title="against",
        grid=False,
        ticks=False,
        labelAngle=-45,
        labelLimit=130,
        labelOverlap=False,
    )
    scale = alt.Scale(domain=["ahead", "behind"], range=[AHEAD, BEHIND])
    cell = alt.Chart().encode(
        x=alt.X("opponent:N", sort=strategies, axis=across),
        y=alt.Y("strategy:N", sort=strategies, axis=names),
    )
    return [
        cell.mark_rect(style="tile").encode(
            color=alt.Color("side:N", scale=scale, legend=None),
            opacity=alt.Opacity("strength:Q", scale=None, legend=None),
            tooltip=["arm:N", "versus:N", "wins:Q", "ties:Q", "losses:Q"],
        ),
        cell.mark_text(style="label").encode(text="text:N"),
    ]


def _leads(rows: pd.DataFrame) -> str:
    ahead = rows[rows["lead"] > 0].groupby("arm", sort=False).size()
    counts = ", ".join(f"{shorten(str(arm), 60)} {count}" for arm, count in ahead.items())
    return f"Arms that each one is ahead of: {counts or 'none'}."
