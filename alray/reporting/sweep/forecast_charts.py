"""The figure of forecasts: each arm's curve, and the fan of what it may become with more labels."""

import altair as alt
import pandas as pd

from alray.analysis.sweep.forecast import Outlook
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.targets import target_text
from alray.analysis.wording import joined
from alray.reporting.figures import Figure, Margins, having, panels
from alray.reporting.sweep.frames import ends_of, panel_titles, range_of, thinned
from alray.reporting.sweep.style import ArmStyles, label_axis

POINTS = 60
"""Label counts of a curve that are drawn."""


def forecasts(curves: pd.DataFrame, found: Outlook, arms: ArmStyles) -> Figure:
    """A panel per arm that can be forecast: its mean, the forecast with its interval, and the targets as lines."""
    title = metric_title(found.metric)
    rows, drawn = _rows(curves, found, arms)
    shown = [f"{title} {target_text(target)}" for target in drawn]
    lines = f" Black: {joined(shown)}." if shown else ""
    scale = alt.Scale(domain=range_of(rows, ("value", "low", "high", "target")), nice=False)
    y = alt.Y("value:Q", axis=alt.Axis(title=title), scale=scale)
    x = label_axis(zero=False)
    tooltip = [
        alt.Tooltip("arm:N"),
        alt.Tooltip("labels:Q", format=","),
        alt.Tooltip("value:Q", title=title, format=".3f"),
        alt.Tooltip("low:Q", title="90 % from", format=".3f"),
        alt.Tooltip("high:Q", title="90 % to", format=".3f"),
    ]
    point = alt.Chart().encode(x=x, color=arms.colour())
    layers = [
        point.transform_filter("isValid(datum.low)")
        .mark_area(opacity=0.18)
        .encode(y=alt.Y("low:Q", scale=scale), y2="high"),
        point.transform_filter("datum.part === 'curve'").mark_line(strokeWidth=2.4).encode(y=y),
        point.transform_filter("datum.part === 'forecast'")
        .mark_line(strokeWidth=1.4, strokeDash=[4, 3])
        .encode(y=y, tooltip=tooltip),
    ]
    if drawn:
        layers.append(
            having("target").mark_rule(style="ceiling").encode(y=alt.Y("target:Q", scale=scale))
        )
    ends = rows[rows["part"] == "forecast"].rename(columns={"value": "mean"})
    return Figure(
        name="forecast",
        heading="What would more labels bring?",
        shown=f"{title}, as it was and by forecast up to {found.horizon:,} labels",
        caption="Solid: the mean over seeds. Dashed: the mean of two laws of learning curves; shaded: its 90 % "
        f"interval, at one label count at a time.{lines}",
        description=f"Lines of {title} over labels with a shaded fan beyond the end, a panel per arm. At the horizon: "
        f"{ends_of(ends, 'mean', '.3f')}.",
        rows=rows,
        chart=panels(layers, rows, "panel", panel_titles(arms)),
        margins=Margins(left=70, label=28, least=190),
    )


def _rows(
    curves: pd.DataFrame, found: Outlook, arms: ArmStyles
) -> tuple[pd.DataFrame, list[float]]:
    """Return rows of curves, forecasts and targets, and the targets that lie near enough to be drawn."""
    names = list(dict.fromkeys(found.forecast["arm"]))
    of_metric = curves[(curves["metric"] == found.metric) & curves["arm"].isin(names)]
    known = thinned(of_metric, POINTS)[["arm", "labels", "mean"]].assign(part="curve")
    ahead = found.forecast[["arm", "labels", "mean", "low", "high"]].assign(part="forecast")
    rows = arms.described(pd.concat([known, ahead], ignore_index=True))
    rows = rows.rename(columns={"mean": "value"}).assign(panel=rows["arm"])
    low, high = range_of(rows, ("value", "low", "high"), margin=0.25)
    drawn = [target for target in found.targets if low <= target <= high]
    targets = pd.DataFrame(
        [{"panel": name, "arm": name, "target": target} for name in names for target in drawn],
        columns=["panel", "arm", "target"],
    )
    columns = ["panel", "arm", "strategy", "labels", "part", "value", "low", "high", "target"]
    return pd.concat([rows, targets]).reindex(columns=columns).reset_index(drop=True), drawn
