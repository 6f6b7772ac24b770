"""Figures of a sweep without rounds: what variants reach, how they differ from the best, and what they cost."""

import math

import altair as alt
import pandas as pd

from alray.analysis.sweep.metrics import better_sign, metric_title
from alray.analysis.wording import share, signed
from alray.reporting.figures import (
    Figure,
    Margins,
    error_bars,
    having,
    interval_tooltip,
    signed_axis,
    single,
    spread_labels,
)

PARTS = {"validation": "#0072B2", "test": "#D55E00"}
"""Colours of the two parts: blue and vermilion, which the colour-blind can tell apart."""

_COST_HEIGHT, _LABEL = 240, 13
"""Pixels of the panel of costs, and of a name in it."""

_BAR = {"color": PARTS["validation"], "opacity": 0.6}

SHAPES = {"validation": "circle", "test": "diamond"}


def choice_figures(table: pd.DataFrame, seeds: pd.DataFrame) -> list[Figure]:
    """Return the figures of `choosing.choose`; one that would be empty is left out.

    Args:
        table: A row per variant, those with a finished run.
        seeds: settings, seed, part, value: what each fit reaches.
    """
    figures = [_reached(table, seeds)]
    if table["difference"].notna().any():
        figures.append(_differences(table))
    if table["parameters"].nunique() > 1:
        figures.append(_costs(table))
    return figures


def _names(table: pd.DataFrame) -> tuple[list[str], alt.Y, Margins]:
    """Return variants in order, their axis, and the margins that their names need."""
    names = [str(name) for name in table["settings"]]
    width = min(60 + 6 * max(map(len, names)), 260)
    axis = alt.Axis(title=None, grid=False, ticks=False, labelFontSize=12, labelLimit=width - 12)
    return names, alt.Y("settings:N", sort=names, axis=axis), Margins(left=width, most=640)


def _reached(table: pd.DataFrame, seeds: pd.DataFrame) -> Figure:
    names, y, margins = _names(table)
    title = metric_title(str(table["metric"].iloc[0]))
    means = pd.concat(
        [
            table[["settings"]].assign(
                part=part,
                value=table[part],
                low=table[f"{part}_low"],
                high=table[f"{part}_high"],
            )
            for part in PARTS
        ]
    )
    means = means[means["value"].notna()]
    rows = pd.concat([means, seeds.rename(columns={"value": "of_seed"})], ignore_index=True)
    parts = [part for part in PARTS if part in set(means["part"])]
    colour = alt.Color(
        "part:N", scale=alt.Scale(domain=parts, range=[PARTS[part] for part in parts]), legend=None
    )
    shape = alt.Shape(
        "part:N",
        scale=alt.Scale(domain=parts, range=[SHAPES[part] for part in parts]),
        legend=None,
    )
    axis = alt.Axis(title=title)
    scale = alt.Scale(zero=False)
    base = alt.Chart().encode(y=y, yOffset=alt.YOffset("part:N", sort=parts), color=colour)
    layers = [
        base.transform_filter("isValid(datum.of_seed)")
        .mark_tick(thickness=1, size=9, opacity=0.45)
        .encode(x=alt.X("of_seed:Q", axis=axis, scale=scale), tooltip=["seed:N", "of_seed:Q"]),
        *error_bars(base.encode(x="low:Q", x2="high"), means, strokeWidth=2, opacity=0.6),
        base.transform_filter("isValid(datum.value)")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=alt.X("value:Q", axis=axis, scale=scale),
            shape=shape,
            tooltip=["settings:N", "part:N", *interval_tooltip("value", ".3f", title)],
        ),
    ]
    values = ", ".join(
        f"{row['settings']} {share(row['validation'])}" for row in table.to_dict("records")
    )
    marks = "Blue circles: validation part, by which variants are ranked. "
    tests = "Vermilion diamonds: test part, which plays no role in the choice. "
    return Figure(
        name="variants",
        heading="What does each variant reach?",
        shown=title,
        caption=f"{marks}{tests if 'test' in parts else ''}Bars are 95 % t intervals over seeds, each for its variant "
        "alone; small ticks are seeds. Overlapping bars say little, since seeds are paired: see the differences.",
        description=f"Points of {title} by variant. On the validation part: {values}.",
        rows=rows,
        chart=single(layers, 480, 34 * len(names)),
        margins=margins,
    )


def _differences(table: pd.DataFrame) -> Figure:
    others = table[table["difference"].notna()]
    names, y, margins = _names(others)
    best = str(table["settings"].iloc[0])
    title = metric_title(str(table["metric"].iloc[0]))
    rows = others[["settings", "difference", "verdict"]].assign(
        low=others["difference_low"], high=others["difference_high"], zero=0.0
    )
    x = alt.X("difference:Q", axis=signed_axis(f"validation {title} minus that of the best"))
    base = alt.Chart().encode(y=y)
    bounded = rows["low"].notna().any()
    layers = [
        base.mark_rule(strokeDash=[3, 3], opacity=0.8).encode(x=alt.X("zero:Q"), y=alt.value(0)),
        *error_bars(base.encode(x="low:Q", x2="high"), rows, strokeWidth=2, **_BAR),
        base.mark_point(filled=True, size=70, opacity=1, color=PARTS["validation"]).encode(
            x=x, tooltip=["settings:N", "verdict:N", *interval_tooltip("difference", "+.3f")]
        ),
    ]
    less = "Left" if better_sign(str(table["metric"].iloc[0])) > 0 else "Right"
    bars = (
        "Bars are 95 % intervals for all pairs of variants together; where one leaves out zero, the difference is "
        "shown. "
        if bounded
        else "There are too few seeds for intervals. "
    )
    values = ", ".join(
        f"{row['settings']} {signed(row['difference'])}" for row in rows.to_dict("records")
    )
    return Figure(
        name="choice_differences",
        heading=f"How far are the others behind {best}?",
        shown=f"validation {title}, paired by seed",
        caption=f"{bars}{less} of zero is worse than the best.",
        description=f"Points of the difference to {best}: {values}.",
        rows=rows,
        chart=single(layers, 480, 26 * len(names)),
        margins=margins,
    )


def _costs(table: pd.DataFrame) -> Figure:
    title = metric_title(str(table["metric"].iloc[0]))
    rows = table[["settings", "parameters", "seconds", "validation"]].assign(
        parameters=table["parameters"].astype(float),
        low=table["validation_low"],
        high=table["validation_high"],
    )
    low, high = float(rows["low"].min()), float(rows["high"].max())
    ends = [*rows["validation"], *(end for end in (low, high) if math.isfinite(end))]
    gap = (max(ends) - min(ends)) * _LABEL / _COST_HEIGHT
    rows["label_at"] = spread_labels(list(rows["validation"]), gap, min(ends), max(ends))
    x = alt.X("parameters:Q", axis=alt.Axis(title="parameters", format=",d", grid=False))
    x = x.scale(type="log", nice=False, padding=24)
    y = alt.Y("validation:Q", axis=alt.Axis(title=f"validation {title}")).scale(zero=False)
    base = having("parameters").encode(x=x)
    longest = max(len(str(name)) for name in rows["settings"])
    tooltip = [
        "settings:N",
        alt.Tooltip("parameters:Q", format=","),
        alt.Tooltip("seconds:Q", title="seconds a fit", format=".2f"),
        *interval_tooltip("validation", ".3f", f"validation {title}"),
    ]
    layers = [
        *error_bars(base.encode(y="low:Q", y2="high"), rows, strokeWidth=1.4, **_BAR),
        base.mark_point(filled=True, size=70, opacity=1, color=PARTS["validation"]).encode(
            y=y, tooltip=tooltip
        ),
        base.mark_text(style="label", align="left", dx=8).encode(
            y=alt.Y("label_at:Q"), text="settings:N"
        ),
    ]
    values = ", ".join(
        f"{row['settings']} {row['parameters']:,.0f}" for row in rows.to_dict("records")
    )
    return Figure(
        name="costs",
        heading="Is a larger network worth it?",
        shown=f"validation {title} over trained numbers of the network",
        caption="A point per variant; bars are 95 % t intervals over seeds.",
        description=f"Points of validation {title} over parameters: {values}.",
        rows=rows,
        chart=single(layers, 480, _COST_HEIGHT),
        margins=Margins(left=70, label=20 + 6 * longest, most=560),
    )
