"""Figures that compare arms: differences to the reference arm, labels saved, and who is ahead of whom."""

import altair as alt
import numpy as np
import pandas as pd

from alray.reporting.figures import Figure, Margins, no_data, panels, signed_axis, spec_of
from alray.reporting.sweep.frames import better, metric_title, range_of, shorten, thinned
from alray.reporting.sweep.style import LABELS, ArmStyles

AHEAD, BEHIND = "#0072B2", "#D55E00"
"""Blue for more, vermilion for less: the colour-blind can tell them apart, on light and dark paper."""

_LEAST_SAVING = -100.0
"""Per cent: what lies below is drawn here."""


def differences(frame: pd.DataFrame, arms: ArmStyles, metric: str) -> Figure:
    """Paired difference to the reference arm over labels, with pointwise and simultaneous intervals."""
    of_metric = arms.described(frame[frame["metric"] == metric])
    rows = thinned(of_metric)[
        ["arm", "strategy", "labels", "difference", "low", "high", "band_low", "band_high"]
    ]
    against = " or ".join(arms.references) or "the reference"
    x = alt.X("labels:Q", axis=LABELS).scale(nice=False, zero=False)
    axis = signed_axis(f"{metric_title(metric)} minus that of {against}")
    y = alt.Y("difference:Q", axis=axis).scale(zero=True)
    colour = arms.colour()
    layers = [
        alt.Chart()
        .mark_area(opacity=0.16)
        .encode(x=x, y=alt.Y("band_low:Q"), y2="band_high", color=colour),
        alt.Chart().mark_area(opacity=0.28).encode(x=x, y=alt.Y("low:Q"), y2="high", color=colour),
        alt.Chart().mark_line(strokeWidth=1.8).encode(x=x, y=y, color=colour),
        alt.Chart()
        .mark_point(size=40, opacity=0, filled=True)
        .encode(x=x, y=y, tooltip=_difference_tooltip()),
    ]
    return Figure(
        name="differences",
        heading=f"Where along the curve is an arm better than {against}?",
        shown=metric_title(metric),
        caption="Paired by seed. Dark band: 95 % t interval at one checkpoint. Pale band: 95 % for the "
        "whole curve at once; where it leaves zero out, the difference there is shown. "
        f"{better(metric).capitalize()} zero is better.",
        description=f"Lines of the difference in {metric_title(metric)} to {against} over labels, a panel per arm. "
        f"{_ends(rows)}",
        rows=rows,
        params={},
        spec=spec_of(
            panels(layers, rows, "arm", arms.compared), {}, Margins(left=74, label=28, least=180)
        ),
    )


def _difference_tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("arm:N"),
        alt.Tooltip("labels:Q", format=","),
        alt.Tooltip("difference:Q", format="+.3f"),
        alt.Tooltip("low:Q", title="95 % from", format="+.3f"),
        alt.Tooltip("high:Q", title="95 % to", format="+.3f"),
        alt.Tooltip("band_low:Q", title="whole curve from", format="+.3f"),
        alt.Tooltip("band_high:Q", title="whole curve to", format="+.3f"),
    ]


def _ends(rows: pd.DataFrame) -> str:
    last = rows[rows["labels"] == rows["labels"].max()]
    said = ", ".join(
        f"{arm} {value:+.3f}" for arm, value in zip(last["arm"], last["difference"], strict=True)
    )
    return f"At the end: {said}."


def savings(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """Labels saved against the accuracy wanted, with intervals; where an arm does not get there, an arrow."""
    described = arms.described(frame)
    rows = described.assign(
        saving=100 * described["saving"],
        low=100 * described["low"],
        high=100 * described["high"],
    )
    # Where nothing bounds the saving from below, the band goes down to the axis.
    bottom, top = range_of(rows, ("saving", "low", "high"), 0.06)
    bottom, top = max(bottom, _LEAST_SAVING), max(top, 5.0)
    rows = rows.assign(
        low=rows["low"].clip(lower=bottom),
        high=rows["high"].clip(lower=bottom),
        saving=rows["saving"].where(rows["saving"] >= bottom),
        arrow=np.where(rows["reached"], np.nan, bottom),
    )
    keep = [
        *("arm", "strategy", "accuracy", "saving", "low", "high", "arrow"),
        *("random_labels", "arm_labels"),
    ]
    rows = rows[keep].replace([np.inf, -np.inf], np.nan)
    against = " or ".join(arms.references) or "the reference"
    x = alt.X("accuracy:Q", axis=alt.Axis(title=f"accuracy that {against} reaches", grid=False))
    x = x.scale(zero=False, nice=False)
    y = alt.Y("saving:Q", axis=signed_axis("labels saved (%)"))
    y = y.scale(domain=[bottom, top], nice=False)
    colour = arms.colour()
    tooltip = [
        alt.Tooltip("arm:N"),
        alt.Tooltip("accuracy:Q", format=".3f"),
        alt.Tooltip("random_labels:Q", title=f"labels of {against}", format=",.0f"),
        alt.Tooltip("arm_labels:Q", title="labels of the arm", format=",.0f"),
        alt.Tooltip("saving:Q", title="labels saved (%)", format="+.0f"),
        alt.Tooltip("low:Q", title="95 % from", format="+.0f"),
        alt.Tooltip("high:Q", title="95 % to", format="+.0f"),
    ]
    banded = alt.Chart().transform_filter("isValid(datum.low) && isValid(datum.high)")
    there = alt.Chart().transform_filter("isValid(datum.saving)")
    layers = [
        banded.mark_area(opacity=0.22, clip=True).encode(
            x=x, y=alt.Y("low:Q"), y2="high", color=colour
        ),
        there.mark_line(strokeWidth=1.8, clip=True).encode(x=x, y=y, color=colour),
        there.mark_point(size=40, opacity=0, filled=True).encode(x=x, y=y, tooltip=tooltip),
        *_arrows(rows, x, colour),
    ]
    missed = (
        " Arrows: the arm does not reach that accuracy." if rows["arrow"].notna().any() else ""
    )
    return Figure(
        name="savings",
        heading="How many labels are saved at each accuracy?",
        shown=f"labels saved against {against}",
        caption="Bands are 95 % intervals, each for its target alone: for the accuracy that random has with so many "
        "labels. How uncertain random's own accuracy is, which matters near the start, is not in them. A band that runs "
        f"down to the axis is not bounded from below.{missed}",
        description=f"Lines of the share of labels saved against {against} over the accuracy wanted, a panel per arm; "
        "the milestones' table holds the numbers.",
        rows=rows,
        params={},
        spec=spec_of(
            panels(layers, rows, "arm", arms.compared), {}, Margins(left=70, label=28, least=180)
        ),
    )


def _arrows(rows: pd.DataFrame, x: alt.X, colour: alt.Color) -> list[alt.Chart]:
    if rows["arrow"].isna().all():
        return []
    return [
        alt.Chart()
        .transform_filter("isValid(datum.arrow)")
        .mark_point(shape="triangle-down", size=45, filled=True, opacity=1, yOffset=-4)
        .encode(x=x, y=alt.Y("arrow:Q"), color=colour)
    ]


def wins(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """Who is ahead of whom at how many checkpoints, a panel per variant."""
    mirrored = frame.rename(
        columns={"arm": "versus", "versus": "arm", "wins": "losses", "losses": "wins"}
    )
    both = arms.described(pd.concat([frame, mirrored]).drop_duplicates(["arm", "versus"]))
    of_arm = {arm.name: arm.strategy for arm in arms.all}
    total = both[["wins", "ties", "losses"]].sum(axis=1)
    lead = (both["wins"] - both["losses"]) / total
    rows = both.assign(
        opponent=both["versus"].map(of_arm),
        lead=lead,
        strength=0.85 * lead.abs(),
        side=np.where(lead >= 0, "ahead", "behind"),
        text=(100 * lead).round().map(lambda value: "" if value == 0 else f"{value:+.0f}"),
    )
    order = [arm.strategy for arm in arms.strategies]
    names = alt.Axis(title=None, grid=False, ticks=False, labelLimit=130)
    y = alt.Y("strategy:N", sort=order, axis=names)
    across = alt.Axis(
        title="against",
        grid=False,
        ticks=False,
        labelAngle=-45,
        labelLimit=130,
        labelOverlap=False,
    )
    x = alt.X("opponent:N", sort=order, axis=across)
    scale = alt.Scale(domain=["ahead", "behind"], range=[AHEAD, BEHIND])
    cell = alt.Chart().encode(x=x, y=y)
    tooltip = [
        alt.Tooltip("arm:N"),
        *(alt.Tooltip(f"{name}:{kind}") for name, kind in (("versus", "N"), ("wins", "Q"))),
        alt.Tooltip("ties:Q"),
        alt.Tooltip("losses:Q"),
    ]
    layers = [
        cell.mark_rect(style="tile").encode(
            color=alt.Color("side:N", scale=scale, legend=None),
            opacity=alt.Opacity("strength:Q", scale=None, legend=None),
            tooltip=tooltip,
        ),
        cell.mark_text(style="label").encode(text="text:N"),
    ]
    height = 24 * len(order)
    margins = Margins(left=140, label=10, least=22 * len(order), most=max(44 * len(order), 200))
    single = len(arms.variants) == 1
    keep = [
        *("arm", "versus", "strategy", "opponent", "variant", "wins", "ties", "losses"),
        *("strength", "side", "text"),
    ]
    chart = (
        alt.layer(*layers, data=no_data()).properties(width=32 * len(order), height=height)
        if single
        else panels(layers, rows, "variant", arms.variant_titles(), height)
    )
    return Figure(
        name="wins",
        heading="Who is ahead of whom?",
        shown="accuracy",
        caption="Per cent of the checkpoints at which the row's arm is above the column's, minus those at which it is "
        "below, by paired 95 % t intervals. Blue: the row is ahead; vermilion: it is behind; empty: neither.",
        description="A matrix of arms against arms. " + _leads(rows),
        rows=rows[keep],
        params={},
        spec=spec_of(chart, {}, margins),
    )


def _leads(rows: pd.DataFrame) -> str:
    ahead = rows[rows["lead"] > 0].groupby("arm", sort=False).size()
    said = ", ".join(f"{shorten(str(arm), 60)} {count}" for arm, count in ahead.items())
    return f"Arms that each one is ahead of: {said or 'none'}."
