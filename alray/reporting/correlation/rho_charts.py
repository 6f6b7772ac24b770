"""Figures of the correlation itself: over the dose, and over groupings. Bars are 95 % intervals."""

import altair as alt
import pandas as pd

from alray.reporting.correlation.frames import Choice, shown_interval, words
from alray.reporting.correlation.style import DoseAxis, bound_of, grouping_marks, score_colour
from alray.reporting.figures import (
    HEIGHT,
    Figure,
    Margins,
    error_bars,
    having,
    interval_tooltip,
    lookup,
    panels,
    signed_axis,
    single,
    spread_labels,
)

_LABEL_GAP = 14


def dose_curves(summary: pd.DataFrame, choice: Choice) -> Figure:
    """Rho over the dose: a panel per grouping, a line per score, each with its label at the end."""
    dose = DoseAxis(choice.doses)
    frame = shown_interval(summary[summary["outcome"] == choice.outcome])
    ranks = frame["score"].map(choice.scores.index)
    frame = frame.assign(position=dose.beside(frame["epochs"], ranks, len(choice.scores)))
    bound = bound_of([*frame["rho"], *frame["low"], *frame["high"]])
    keep = ["score", "grouping", "epochs", "position", "rho", "low", "high"]
    rows = pd.concat([frame[keep], _end_labels(frame, dose, bound)], ignore_index=True)
    x, colour = dose.x("position"), score_colour(choice.scores)
    scale = alt.Scale(domain=[-bound, bound], nice=False)
    y = alt.Y("rho:Q", axis=signed_axis("Spearman rho (-1 to 1)"), scale=scale)
    curve = having("epochs").encode(x=x, color=colour)
    label = having("label").encode(x=x, y=y)
    interval = curve.encode(y="low:Q", y2="high")
    layers = [
        *error_bars(interval, frame, strokeWidth=1.4, opacity=0.6),
        curve.mark_line(strokeWidth=1.6).encode(y=y),
        curve.mark_point(filled=True, size=40, opacity=1).encode(y=y, tooltip=_rho_tooltip()),
        label.mark_point(filled=True, size=40, opacity=1, xOffset=4).encode(color=colour),
        label.mark_text(style="label", align="left", dx=11).encode(text="label:N"),
    ]
    return Figure(
        name="rho_by_dose",
        heading="How does the correlation change with the dose?",
        shown=choice.outcome_title,
        caption=f"Rho of the raw score's group mean with usefulness. {_bars(frame)} "
        "Points at one dose stand side by side.",
        description="Lines of Spearman rho over the dose, a panel per grouping, a line per score. "
        + choice.values(summary, "rho"),
        rows=rows,
        chart=panels(layers, rows, "grouping", choice.grouping_titles),
        margins=Margins(label=112, least=150),
    )


def _end_labels(frame: pd.DataFrame, dose: DoseAxis, bound: float) -> pd.DataFrame:
    gap = 2 * bound * _LABEL_GAP / HEIGHT
    edge = bound - gap / 2
    last = frame[(frame["epochs"] == dose.doses[-1]) & frame["rho"].notna()]
    labels = [
        of_grouping.assign(rho=spread_labels(list(of_grouping["rho"]), gap, -edge, edge))
        for _, of_grouping in last.groupby("grouping")
    ]
    rows = pd.concat(labels) if labels else last
    rows = rows.assign(position=dose.domain[1], label=rows["score"].map(words))
    return rows[["score", "grouping", "position", "rho", "label"]]


def grouping_agreement(summary: pd.DataFrame, choice: Choice) -> Figure:
    """Rho by score, within class and at random, side by side for each score."""
    frame = shown_interval(summary[summary["outcome"] == choice.outcome])
    bound = bound_of([*frame["rho"], *frame["low"], *frame["high"]])
    scale = alt.Scale(domain=[-bound, bound], nice=False)
    x = alt.X(
        "rho:Q",
        axis=signed_axis("Spearman rho of group mean score and usefulness (-1 to 1)"),
        scale=scale,
    )
    names = alt.Axis(
        title=None,
        labelExpr=lookup({score: words(score) for score in choice.scores}),
        grid=False,
        labelFontSize=12,
        ticks=False,
    )
    y = alt.Y("score:N", sort=list(choice.scores), axis=names).scale(paddingInner=0.35)
    offset = alt.YOffset("grouping:N", sort=list(choice.groupings))
    colour = score_colour(choice.scores)
    shape, _ = grouping_marks(choice.grouping_titles)
    base = alt.Chart().encode(y=y, yOffset=offset, color=colour)
    interval = base.encode(x="low:Q", x2="high")
    layers = [
        *error_bars(interval, frame, strokeWidth=2, opacity=0.6),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x=x, shape=shape, tooltip=[alt.Tooltip("grouping:N"), *_rho_tooltip()]
        ),
    ]
    questions = {"within_class": "survive within classes", "random": "vanish at random"}
    asked = [question for name, question in questions.items() if name in choice.groupings]
    same = "Groups cut by score within class have the same class histogram, as near as possible. "
    return Figure(
        name="groupings",
        heading=f"Does the correlation {', and '.join(asked)}?"
        if asked
        else "How large is the correlation?",
        shown=choice.at_dose,
        caption=f"{same if 'within_class' in choice.groupings else ''}{_bars(frame)}",
        description="Points of Spearman rho for each score and grouping. "
        + choice.values(summary, "rho"),
        rows=frame[["score", "grouping", "epochs", "rho", "low", "high"]],
        chart=single(layers, 480, 20 * len(choice.groupings) * len(choice.scores)),
        margins=Margins(left=120, most=640),
        params={"epochs": choice.epochs},
    )


def _rho_tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("score:N"),
        alt.Tooltip("epochs:Q"),
        *interval_tooltip("rho", "+.3f"),
    ]


def _bars(frame: pd.DataFrame) -> str:
    return (
        "Bars are bootstrap intervals over groups."
        if frame["rho_low"].isna().all()
        else "Bars are t intervals over base models."
    )
