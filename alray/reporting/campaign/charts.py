"""Figures of a campaign's page: accuracy by labels with what may follow, and labels by class."""

import altair as alt
import pandas as pd

from alray.analysis.campaign.status import CampaignStatus
from alray.analysis.targets import target_text
from alray.analysis.wording import count, joined
from alray.reporting.figures import Figure, Margins, error_bars, having, single
from alray.reporting.theme import COLOURS

COLOUR = COLOURS["margin"]

MOST_CLASSES = 20
"""Classes that are drawn: those with the fewest labels."""

_WIDTH, _HEIGHT = 420, 260


def accuracy(status: CampaignStatus) -> Figure:
    """The accuracy of each batch's network with its interval, and the forecast with its fan."""
    rows, targets = _rows(status)
    scale = alt.Scale(zero=False)
    x = alt.X("labels:Q", axis=alt.Axis(title="labels learnt from", grid=False, format=",d"))
    y = alt.Y("accuracy:Q", axis=alt.Axis(title="accuracy"), scale=scale)
    tooltip = [
        alt.Tooltip("part:N"),
        alt.Tooltip("labels:Q", format=","),
        alt.Tooltip("accuracy:Q", format=".3f"),
        alt.Tooltip("low:Q", title="from", format=".3f"),
        alt.Tooltip("high:Q", title="to", format=".3f"),
    ]
    base = alt.Chart().encode(x=x.scale(zero=False))
    ahead = base.transform_filter("datum.part === 'forecast'")
    known = base.transform_filter("datum.part === 'measured'")
    layers = [
        ahead.mark_area(opacity=0.18, color=COLOUR).encode(
            y=alt.Y("low:Q", scale=scale), y2="high"
        ),
        ahead.mark_line(strokeWidth=1.4, strokeDash=[4, 3], color=COLOUR).encode(
            y=y, tooltip=tooltip
        ),
        *error_bars(
            known.encode(y=alt.Y("low:Q", scale=scale), y2="high"),
            rows,
            strokeWidth=2,
            color=COLOUR,
        ),
        known.mark_line(color=COLOUR, strokeWidth=1.4).encode(y=y),
        known.mark_point(color=COLOUR, filled=True, size=55, opacity=1).encode(
            y=y, tooltip=tooltip
        ),
    ]
    if targets:
        layers.append(
            having("target").mark_rule(style="ceiling").encode(y=alt.Y("target:Q", scale=scale))
        )
    lines = (
        f" Dashed across: {joined([target_text(each) for each in targets])}." if targets else ""
    )
    has_forecast = len(status.outlook.forecast) > 0
    fan = " Dashed: the forecast; shaded: its 90 % interval, at one label count at a time."
    return Figure(
        name="accuracy",
        heading="How accurate is the network, and what would more labels bring?",
        shown="accuracy on the audit part, by the answers known now",
        caption="Points: the network of each batch with its 95 % interval. All are measured on the same objects, so "
        f"their errors go up and down together.{fan if has_forecast else ''}{lines}",
        description=f"Accuracy of {count(int((rows['part'] == 'measured').sum()), 'network')} over the labels learnt "
        "from; the table of batches has the numbers.",
        rows=rows,
        chart=single(layers, _WIDTH, _HEIGHT),
        margins=Margins(left=70, label=28, least=260, most=760),
    )


def classes(status: CampaignStatus) -> Figure:
    """Labels of each class, the rarest first."""
    rows = status.classes.sort_values(["labels", "class"], kind="stable").head(MOST_CLASSES)
    order = rows["class"].tolist()
    left_out = len(status.classes) - len(rows)
    bars = (
        alt.Chart()
        .mark_bar(color=COLOUR)
        .encode(
            x=alt.X("labels:Q", axis=alt.Axis(title="labels", format=",d", tickMinStep=1)),
            y=alt.Y("class:N", sort=order, axis=alt.Axis(title=None, grid=False, labelLimit=140)),
            tooltip=[alt.Tooltip("class:N"), alt.Tooltip("labels:Q", format=",")],
        )
    )
    return Figure(
        name="classes",
        heading="Which classes have been seen?",
        shown="labels of each class, those with the fewest first",
        caption="Labels of the start are among them."
        + (f" Not drawn: {left_out:,} with as many as the last one, or more." if left_out else ""),
        description=f"Bars of labels for {count(len(rows), 'class', 'classes')}; the table of classes has the numbers.",
        rows=rows,
        chart=single([bars], _WIDTH, max(60, 18 * len(rows))),
        margins=Margins(left=160, label=28, least=260, most=760),
    )


def _rows(status: CampaignStatus) -> tuple[pd.DataFrame, list[float]]:
    """Return rows of networks, forecast and targets, and the targets."""
    known = status.batches[status.batches["accuracy"].notna()]
    known = known[["labels", "accuracy", "accuracy_low", "accuracy_high"]].assign(part="measured")
    known = known.rename(columns={"accuracy_low": "low", "accuracy_high": "high"})
    known = known.drop_duplicates("labels", keep="last")
    ahead = status.outlook.forecast[["labels", "accuracy", "low", "high"]].assign(part="forecast")
    targets = [float(each) for each in status.outlook.targets["target"]]
    lines = pd.DataFrame({"target": targets, "part": "target"})
    columns = ["part", "labels", "accuracy", "low", "high", "target"]
    parts = [part for part in (known, ahead, lines) if len(part)]
    rows = pd.concat(parts, ignore_index=True) if parts else known
    return rows.reindex(columns=columns), targets
