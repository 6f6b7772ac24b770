"""Figures of usefulness: over the score, over its tenths, and as gain over random. Bars are 95 % intervals."""

import dataclasses

import altair as alt
import pandas as pd

from alray.analysis.correlation.groupings import GROUPING_TITLES
from alray.reporting.correlation.frames import Choice
from alray.reporting.correlation.style import DoseAxis, grouping_marks, score_colour
from alray.reporting.figures import (
    Figure,
    error_bars,
    having,
    interval_tooltip,
    panels,
    signed_axis,
)


def scatter(points: pd.DataFrame, quantiles: pd.DataFrame, choice: Choice) -> Figure:
    """Group mean score against usefulness: a panel per score, a point per base and group."""
    tenths = quantiles[quantiles["outcome"] == choice.outcome].rename(
        columns={"mean": "usefulness"}
    )
    columns = ["score", "grouping", "epochs", "mean_score", "usefulness"]
    frame = pd.concat([points, tenths[columns]], ignore_index=True)
    x = alt.X("mean_score:Q", axis=alt.Axis(title="mean score of the group", grid=False))
    x = x.scale(zero=False)
    y = alt.Y("usefulness:Q", axis=signed_axis(choice.usefulness)).scale(zero=True)
    group = having("group").encode(x=x, color=score_colour(choice.scores))
    interval = group.encode(y="low:Q", y2="high")
    layers = [
        *error_bars(interval, points, opacity=0.22, strokeWidth=1),
        group.mark_point(filled=True, size=22, opacity=0.75).encode(
            y=y, tooltip=_point_tooltip(choice)
        ),
        alt.Chart()
        .transform_filter("!isValid(datum.group)")
        .mark_line(style="trend", strokeWidth=1.8)
        .encode(x=x, y=y),
    ]
    groups = points[["base", "group"]].drop_duplicates()
    return Figure(
        name="scatter",
        heading="Does a group's mean score predict how useful it is?",
        shown=f"{choice.at_dose}, groups {GROUPING_TITLES[choice.grouping]}",
        caption="A point is a group of one base model, its bar the t interval over fine-tuning seeds. "
        "The line joins the means of the score's tenths.",
        description=f"Scatter plots of {choice.usefulness} over the mean score of the group, a panel per score. "
        f"{len(groups)} groups for each of {len(choice.scores)} scores; the tables below hold rho.",
        rows=frame,
        chart=panels(layers, frame, "score", choice.panels).resolve_scale(x="independent"),
        params={"epochs": choice.epochs, "grouping": choice.grouping},
    )


def _point_tooltip(choice: Choice) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("base:N"),
        alt.Tooltip("group:N"),
        alt.Tooltip("mean_score:Q", title="mean score", format=".3f"),
        *interval_tooltip("usefulness", "+.3f", choice.usefulness),
        alt.Tooltip("commonest:N", title="commonest class"),
    ]


def quantile_response(quantiles: pd.DataFrame, choice: Choice) -> Figure:
    """Usefulness by tenth of the score, which need not rise or fall throughout."""
    frame = quantiles[quantiles["outcome"] == choice.outcome]
    ranks = frame["grouping"].map(choice.groupings.index)
    frame = frame.assign(
        tenth=frame["quantile"] + 1,
        position=frame["quantile"] + 1 + 0.22 * (ranks - (len(choice.groupings) - 1) / 2),
    )
    x = alt.X(
        "position:Q",
        axis=alt.Axis(
            title="tenth of the groups, by rising score",
            values=list(range(1, 11)),
            grid=False,
            format="d",
        ),
        scale=alt.Scale(domain=[0.4, 10.6], nice=False),
    )
    tooltip = [
        alt.Tooltip("tenth:Q"),
        alt.Tooltip("mean_score:Q", title="mean score", format=".3f"),
        *interval_tooltip("usefulness", "+.3f", choice.usefulness),
    ]
    keep = ["score", "grouping", "epochs", "tenth", "position", "mean_score"]
    rows = frame.rename(columns={"mean": "usefulness"})[[*keep, "usefulness", "low", "high"]]
    rows = pd.concat([rows, _queried_tenths(choice)], ignore_index=True)
    layers = _response(rows, x, choice.usefulness, choice, tooltip)
    return Figure(
        name="quantiles",
        heading="Which part of a score's range is useful?",
        shown=choice.at_dose,
        caption="Mean usefulness of the groups in each tenth of the score, with 95 % intervals. "
        "The shaded tenth is the one a strategy would query.",
        description=f"Lines of {choice.usefulness} over the ten tenths of each score, a panel per score, a line per "
        "grouping.",
        rows=rows,
        chart=panels(layers, rows, "score", choice.panels),
        params={"epochs": choice.epochs},
    )


def _queried_tenths(choice: Choice) -> pd.DataFrame:
    start = [0.5 if choice.queried[score] == "small" else 9.5 for score in choice.scores]
    end = [each + 1 for each in start]
    return pd.DataFrame({"score": choice.scores, "start": start, "end": end})


def _response(
    rows: pd.DataFrame, x: alt.X, title: str, choice: Choice, tooltip: list[alt.Tooltip]
) -> list[alt.Chart]:
    """Return the layers of usefulness over `x`, by grouping; rows with an `end` are shaded."""
    y = alt.Y("usefulness:Q", axis=signed_axis(title)).scale(zero=True)
    shape, dash = grouping_marks(choice.grouping_titles)
    point = having("usefulness").encode(x=x, color=score_colour(choice.scores))
    interval = point.encode(y="low:Q", y2="high")
    return [
        having("end").mark_rect(style="queried").encode(x="start:Q", x2="end"),
        *error_bars(interval, rows, strokeWidth=1.2, opacity=0.55),
        point.mark_line(strokeWidth=1.4).encode(y=y, strokeDash=dash),
        point.mark_point(filled=True, size=36, opacity=1).encode(
            y=y, shape=shape, tooltip=tooltip
        ),
    ]


def uplift(summary: pd.DataFrame, choice: Choice) -> Figure:
    """Uplift of the queried tenth over random groups, over the dose."""
    dose = DoseAxis(choice.doses)
    frame = summary[(summary["outcome"] == choice.outcome) & summary["uplift"].notna()]
    present = set(frame["grouping"])
    groupings = tuple(name for name in choice.groupings if name in present)
    compared = dataclasses.replace(choice, groupings=groupings)
    ranks = frame["grouping"].map(groupings.index)
    frame = frame.assign(position=dose.beside(frame["epochs"], 3 * ranks, 3 * len(groupings) - 2))
    keep = ["score", "grouping", "epochs", "position"]
    ends = {"uplift": "usefulness", "uplift_low": "low", "uplift_high": "high"}
    tooltip = [
        alt.Tooltip("score:N"),
        alt.Tooltip("epochs:Q"),
        *interval_tooltip("usefulness", "+.3f", "uplift"),
    ]
    title = f"uplift in {choice.outcome_title} over random"
    rows = frame[[*keep, *ends]].rename(columns=ends)
    layers = _response(rows, dose.x("position"), title, compared, tooltip)
    return Figure(
        name="uplift",
        heading="What would a strategy gain over random?",
        shown=choice.outcome_title,
        caption="Mean usefulness of the queried tenth of the groups minus that of random groups, with 95 % intervals. "
        "Above zero, choosing these objects is better than choosing at random.",
        description="Points of uplift over the dose, a panel per score. "
        + choice.values(summary, "uplift"),
        rows=rows,
        chart=panels(layers, rows, "score", choice.panels),
    )
