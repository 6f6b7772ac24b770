"""Figures of strategies at work: the classes they query, how scores change, learned noise, time."""

import altair as alt
import pandas as pd

from alray.reporting.figures import Figure, Margins, lookup, panels, single
from alray.reporting.sweep.difference_charts import AHEAD, BEHIND
from alray.reporting.sweep.frames import (
    class_shares,
    most_shifted,
    panel_titles,
    shift_rows,
    shorten,
    thinned,
    time_rows,
)
from alray.reporting.sweep.style import ArmStyles, label_axis

CLASSES = 20
"""Most classes that the figure of queries shows."""


def classes(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """The classes an arm queries over time, relative to their share: a panel per arm, a row per class."""
    shares, against = class_shares(frame, arms)
    shown = most_shifted(shares, CLASSES)
    rows = shift_rows(shares, shown)
    of_all = shares["label"].nunique()
    kept = (
        f" The {len(shown)} of {of_all} classes with the largest shifts are shown."
        if of_all > len(shown)
        else ""
    )
    height = max(13 * len(shown), 60)
    return Figure(
        name="classes",
        heading="Which classes does a strategy ask for?",
        shown="classes of the queried objects over time",
        caption=f"Blue: more often than {against}; vermilion: more seldom; the strongest colour is eight times.{kept}",
        description="Heat maps of how often each class is queried relative to its share, over ten steps of the study, "
        "a panel per arm. " + _favourites(rows),
        rows=rows.drop(columns="doublings"),
        chart=panels([_heat_map(shown)], rows, "arm", panel_titles(arms), height),
        margins=Margins(left=150, label=12, least=130, most=260),
    )


def _heat_map(classes_shown: list[str]) -> alt.Chart:
    names = alt.Axis(
        title="class, rarest first",
        grid=False,
        ticks=False,
        labelLimit=120,
        labelOverlap=False,
        labelExpr=lookup({name: shorten(name) for name in classes_shown}),
    )
    tenths = alt.Axis(title="tenth of the queried labels", grid=False, ticks=False, labelAngle=0)
    scale = alt.Scale(domain=["more", "fewer"], range=[AHEAD, BEHIND])
    tiles: alt.Chart = alt.Chart().mark_rect(style="tile")
    return tiles.encode(
        x=alt.X("step:O", axis=tenths),
        y=alt.Y("label:N", sort=classes_shown, axis=names),
        color=alt.Color("side:N", scale=scale, legend=None),
        opacity=alt.Opacity("strength:Q", scale=None, legend=None),
        tooltip=[
            alt.Tooltip("arm:N"),
            alt.Tooltip("label:N", title="class"),
            alt.Tooltip("step:O", title="tenth"),
            alt.Tooltip("queried_share:Q", title="queried", format=".1%"),
            alt.Tooltip("share:Q", title="expected", format=".1%"),
        ],
    )


def _favourites(rows: pd.DataFrame) -> str:
    mean = rows.groupby(["arm", "label"], sort=False)["doublings"].mean().reset_index()
    best = mean.sort_values("doublings", ascending=False).drop_duplicates("arm")
    favourites = ", ".join(
        f"{arm}: {label}" for arm, label in zip(best["arm"], best["label"], strict=True)
    )
    return f"Most favoured class: {favourites}."


def scores(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """Scores of the queried objects over rounds: median and quantiles, a panel per arm with an axis of its own."""
    rows = thinned(arms.described(frame), 100, "round")
    rows = rows[["arm", "strategy", "round", "q05", "q25", "q50", "q75", "q95"]]
    x = alt.X("round:Q", axis=alt.Axis(title="round", grid=False, format="d"))
    x = x.scale(nice=False, zero=False)
    y = alt.Y("q50:Q", axis=alt.Axis(title="score of queried objects")).scale(zero=False)
    arm = alt.Chart().encode(x=x, color=arms.colour())
    layers = [
        arm.mark_area(opacity=0.15).encode(y="q05:Q", y2="q95"),
        arm.mark_area(opacity=0.3).encode(y="q25:Q", y2="q75"),
        arm.mark_line(strokeWidth=1.8).encode(y=y),
    ]
    return Figure(
        name="scores",
        heading="How do the scores of queried objects change?",
        shown="the strategy's own score",
        caption="Median, middle half and middle nine tenths of the queried objects' scores, over all seeds. "
        "Every strategy has a scale of its own; one without scores is not shown.",
        description="Bands of score quantiles over rounds, a panel per arm.",
        rows=rows,
        chart=panels(layers, rows, "arm", panel_titles(arms)).resolve_scale(y="independent"),
        margins=Margins(left=76, label=28, least=160, gap=60, most=330),
    )


def sigmas(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """The learned weights of the heads' losses over labels, a panel per head and, where settings vary, variant."""
    heads = [name for name in frame.columns if name.startswith("sigma_")]
    tall = arms.described(frame).melt(
        ["arm", "strategy", "variant", "labels"], heads, "head", "sigma"
    )
    tall = thinned(tall[tall["sigma"].notna()], 100)
    names = [_panel(*pair) for pair in zip(tall["head"], tall["variant"], strict=True)]
    tall = tall.assign(panel=names)
    y = alt.Y("sigma:Q", axis=alt.Axis(title="learned sigma")).scale(zero=False)
    rows = tall[["panel", "strategy", "labels", "sigma"]]
    shown = set(rows["panel"])
    panel_names = [_panel(head, variant) for head in heads for variant in arms.variants]
    titles = {name: f"head {name}" for name in panel_names if name in shown}
    return Figure(
        name="sigmas",
        heading="How much did each head's loss count in training?",
        shown="learned sigma of each head",
        caption="Mean over seeds. A head's loss counted by 1 / sigma^2. Sigma begins at 1 and each training step moves "
        "it by about half the learning rate at most, in proportion, so it lags behind its optimum, sqrt(2 L) for a "
        "training loss L: it shows the weight that was used, and is no measure of the noise in a modality.",
        description="Lines of the learned sigma over labels, a panel per head.",
        rows=rows,
        chart=panels([arms.line(label_axis(zero=False), y)], rows, "panel", titles),
        margins=Margins(left=70, label=28, least=190),
        highlights=True,
    )


def _panel(head: str, variant: str) -> str:
    return head.removeprefix("sigma_") + (f", {variant}" if variant else "")


def times(frame: pd.DataFrame, arms: ArmStyles) -> Figure:
    """Seconds of a round: query, fit and evaluation, a bar per arm."""
    parts = {"query_s": "query", "fit_s": "fit", "eval_s": "evaluation"}
    rows = time_rows(frame, arms, parts)
    order = [arm.name for arm in arms.all]
    names = alt.Axis(title=None, grid=False, ticks=False, labelLimit=190, labelOverlap=False)
    shades = alt.Scale(domain=list(parts.values()), range=["#0072B2", "#E69F00", "#858d96"])
    bars = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=alt.X("seconds:Q", axis=alt.Axis(title="seconds per round, mean")),
            y=alt.Y("arm:N", sort=order, axis=names).scale(paddingInner=0.3),
            color=alt.Color(
                "part:N",
                scale=shades,
                legend=alt.Legend(title=None, symbolType="square", symbolFillColor=alt.Undefined),
            ),
            order=alt.Order("position:Q"),
            tooltip=["arm:N", "part:N", alt.Tooltip("seconds:Q", format=".3f")],
        )
    )
    total = rows.groupby("arm", sort=False)["seconds"].sum()
    seconds = ", ".join(f"{arm} {number:.2f}" for arm, number in total.items())
    return Figure(
        name="times",
        heading="What does a round cost in time?",
        shown="seconds of query, fit and evaluation",
        caption="Mean over rounds and seeds, without the passive phase, on the machine named below.",
        description=f"Stacked bars of seconds per round: {seconds}.",
        rows=rows,
        chart=single([bars], 480, 22 * len(total)),
        margins=Margins(left=200, most=640),
    )
