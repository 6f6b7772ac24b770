"""The figure of stopping rules: where each of them would have stopped, on the arms' curves."""

import altair as alt
import numpy as np
import pandas as pd

from alray.analysis.sweep.metrics import metric_title
from alray.analysis.sweep.stopping_rules.replay import Replay
from alray.analysis.wording import count
from alray.reporting.figures import Figure, Margins, having, panels
from alray.reporting.sweep.frames import SEED_POINTS, range_of, shorten, thinned
from alray.reporting.sweep.style import ArmStyles, label_axis


def stopping_points(
    found: Replay | None, curves: pd.DataFrame, arms: ArmStyles, metric: str
) -> list[Figure]:
    """The mean curves of the first variant's arms, a panel per rule that stops some seed, with a point where it does.

    There is no figure where no rule ever stops, or none was replayed.
    """
    if found is None:
        return []
    stops = arms.described(found.stops)
    stops = stops[stops["variant"] == arms.variants[0]]
    stops = stops[stops.groupby("rule")["stopped"].transform("any").astype(bool)]
    if not len(stops):
        return []
    rows = _rows(stops, curves, arms, metric)
    axis = alt.Axis(title=metric_title(metric))
    scale = alt.Scale(domain=range_of(rows, ("mean", "value")), nice=False)
    line = arms.line(label_axis(zero=False), alt.Y("mean:Q", axis=axis, scale=scale))
    point = having("seed").mark_point(size=60, filled=True, opacity=0.7)
    layers = [
        line.transform_filter("!isValid(datum.seed)"),
        point.encode(
            x=label_axis(zero=False),
            y=alt.Y("value:Q", axis=axis, scale=scale),
            color=arms.colour(),
            opacity=arms.opacity(0.7),
            tooltip=[
                alt.Tooltip("arm:N"),
                alt.Tooltip("seed:Q"),
                alt.Tooltip("labels:Q", format=","),
                alt.Tooltip("lost:Q", format=".3f"),
            ],
        ),
    ]
    shown = metric_title(metric)
    if len(arms.variants) > 1:
        shown = f"{shown}, {arms.variant_titles()[arms.variants[0]]}"
    figure = Figure(
        name="stopping",
        heading="Where would rules have stopped labelling?",
        shown=shown,
        caption="Lines: means over seeds. Point: a seed stopped there. Rules that never stop have no panel.",
        description=f"Lines of {metric_title(metric)} over labels, a panel per stopping rule, with points "
        "where it stops: " + ", ".join(_titles(stops).values()) + ".",
        rows=rows,
        chart=panels(layers, rows, "rule", _titles(stops)),
        margins=Margins(left=70, label=28, least=190),
        highlights=True,
    )
    return [figure]


def _titles(stops: pd.DataFrame) -> dict[str, str]:
    """Return rule: its name, with how many runs it stops."""
    return {
        str(
            rule
        ): f"{shorten(str(rule), 34)}: {rows['stopped'].sum()} of {count(len(rows), 'run')}"
        for rule, rows in stops.groupby("rule", sort=False)
    }


def _rows(stops: pd.DataFrame, curves: pd.DataFrame, arms: ArmStyles, metric: str) -> pd.DataFrame:
    """Return the mean curves, once for each rule, and a row per seed that a rule stops, at its arm's mean."""
    means = arms.described(curves[curves["metric"] == metric])
    means = means[means["arm"].isin(stops["arm"].unique())]
    lines = thinned(means, SEED_POINTS)
    points = stops[stops["stopped"]].rename(columns={"stop_labels": "labels"})
    known = {arm: (rows["labels"], rows["mean"]) for arm, rows in means.groupby("arm")}
    at = [
        float(np.interp(labels, *known[arm]))
        for arm, labels in zip(points["arm"], points["labels"], strict=True)
    ]
    parts = [lines.assign(rule=rule) for rule in stops["rule"].unique()]
    rows = pd.concat([*parts, points.assign(value=at)], ignore_index=True)
    return rows[["rule", "arm", "strategy", "labels", "mean", "seed", "value", "lost"]]
