"""What more labels would bring a campaign: the accuracy that they lead to, and the labels that a target takes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alray.analysis.campaign.measured import Measured
from alray.analysis.targets import about, target_text
from alray.analysis.wording import Row, count, interval, share
from alray.statistics.forecast import FEWEST_POINTS, forecast_by_objects, why_not

FEWEST_OBJECTS = 30
"""Objects of the audit part that every network is measured on, from which on there is a forecast."""

TIMES = 3
"""How far a forecast goes, in multiples of the labels that the last network has learnt from."""

_POINTS = 40

FORECAST_COLUMNS: Mapping[str, str] = {
    "labels": "labels to learn from: from those of the last network on",
    "accuracy": "forecast accuracy on the pool's objects without a label at the start",
    "low": "lower end of its 90 % interval, at this label count alone",
    "high": "upper end",
    "gain": "what is gained over the last network, by the forecast",
    "gain_low": "lower end of its 90 % interval",
    "gain_high": "upper end",
}
"""Columns of `findings/forecast.csv` of a campaign."""

TARGET_COLUMNS: Mapping[str, str] = {
    "target": "the accuracy",
    "labels": "labels to learn from that it takes by the forecast; null where the forecast does not reach it",
    "low": "the fewest that agree with the 90 % intervals; null where even their upper ends do not reach it",
    "high": "the most; infinite where their lower ends do not reach it",
    "horizon": "labels up to which was looked",
}
"""Columns of `findings/targets.csv` of a campaign."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """A campaign's forecast.

    Attributes:
        forecast: Rows as in `FORECAST_COLUMNS`; none where there is no forecast.
        targets: Rows as in `TARGET_COLUMNS`, a row per target.
        reason: Why there is no forecast and what is missing, in a sentence; "" where there is one.
    """

    forecast: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=[*FORECAST_COLUMNS])
    )
    targets: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=[*TARGET_COLUMNS]))
    reason: str = ""

    def at(self, labels: float) -> Mapping[str, float]:
        """Return the row of the forecast nearest to a label count."""
        near = int(np.argmin(np.abs(self.forecast["labels"].to_numpy(float) - labels)))
        return {name: float(self.forecast[name].iloc[near]) for name in FORECAST_COLUMNS}


def outlook(known: Measured, targets: Sequence[float], most: int) -> Outlook:
    """Return the forecast up to three times the labels that the last network has learnt from.

    Args:
        known: The networks on the audit part.
        targets: Accuracies, between 0 and 1.
        most: Labels that there can be: the pool holds no more objects to learn from.
    """
    reason = _missing(known, most)
    if reason:
        return Outlook(reason=reason)
    last = known.labels[-1]
    horizon = min(TIMES * int(last), most)
    twice = min(2 * int(last), horizon)
    at = np.unique(np.rint([*np.geomspace(last, horizon, _POINTS), twice]))
    whole, gain = forecast_by_objects(known.labels, known.right, known.groups, at)
    table = pd.DataFrame(
        {
            "labels": at.astype(np.int64),
            "accuracy": whole.mean,
            "low": whole.low,
            "high": whole.high,
            "gain": gain.mean,
            "gain_low": gain.low,
            "gain_high": gain.high,
        }
    )
    rows = [{"target": each, **_needed(table, each), "horizon": horizon} for each in targets]
    return Outlook(table, pd.DataFrame(rows, columns=[*TARGET_COLUMNS]))


def _missing(known: Measured, most: int) -> str:
    """Return what is missing for a forecast, in a sentence; "" where nothing is."""
    objects, points = len(known.right), len(known.labels)
    if points < FEWEST_POINTS:
        return (
            f"There is no forecast yet: {count(points, 'label count')} with a network "
            f"{'is' if points == 1 else 'are'} known, and {FEWEST_POINTS} are needed; each batch that is chosen after "
            "new answers adds one."
        )
    if objects < FEWEST_OBJECTS:
        return (
            f"There is no forecast yet: {count(objects, 'object')} of the audit part "
            f"{'has' if objects == 1 else 'have'} an answer and a prediction by every network, and {FEWEST_OBJECTS} "
            "are needed."
        )
    if known.labels[-1] >= most:
        return "There is no forecast: the pool has no more objects to learn from."
    if known.labels[0] <= 0:
        return "There is no forecast: a network that has learnt from no label is on record."
    reason = why_not(known.labels, known.right.mean(axis=0, keepdims=True))
    return (
        f"There is no forecast, because the curve of accuracy has no use: {reason}."
        if reason
        else ""
    )


def _needed(table: pd.DataFrame, target: float) -> dict[str, float]:
    labels = table["labels"].to_numpy(float)
    needed, fewest, most = (
        _first(labels, table[name].to_numpy(float), target) for name in ("accuracy", "high", "low")
    )
    return {"labels": needed, "low": fewest, "high": math.inf if math.isnan(most) else most}


def _first(labels: np.ndarray, curve: np.ndarray, target: float) -> float:
    reached = np.flatnonzero(np.maximum.accumulate(curve) >= target)
    return float(labels[reached[0]]) if len(reached) else math.nan


def outlook_said(found: Outlook, audit: float) -> list[str]:
    """Return the forecast in sentences.

    Args:
        found: The forecast.
        audit: Share of what is asked that is not learnt from.
    """
    if found.reason:
        return [found.reason]
    last = float(found.forecast["labels"].iloc[0])
    row = found.at(min(2 * last, float(found.forecast["labels"].iloc[-1])))
    more = row["labels"] - last
    ends = interval(row["low"], row["high"], share)
    asked = more / (1 - audit)
    return [
        f"With {about(more)} more labels to learn from (about {about(asked)} objects to ask about, the audit part "
        f"among them) the forecast accuracy is {share(row['accuracy'])} {ends[:-1]}, 90 % interval).",
        *(_of_target(each, last) for each in found.targets.to_dict("records")),
    ]


def _of_target(row: Row, last: float) -> str:
    title, horizon = target_text(row["target"]), f"{row['horizon']:,.0f} labels"
    if math.isnan(row["low"]):
        return f"Accuracy {title} is not within reach by {horizon}, as the forecast goes."
    if row["labels"] <= last:
        if row["high"] <= last:
            return f"Accuracy {title} is reached already, as the forecast goes."
        surely = (
            f"does not have it by {horizon}"
            if math.isinf(row["high"])
            else f"has it with about {about(row['high'])} labels to learn from"
        )
        return (
            f"Accuracy {title} is reached by now, as the forecast goes, but that is not sure: the lower end of its "
            f"90 % interval {surely}."
        )
    has_now = row["low"] <= last
    if math.isnan(row["labels"]):
        has_it = (
            "has it already"
            if has_now
            else f"has it with about {about(row['low'])} labels to learn from"
        )
        return (
            f"Accuracy {title} is not reached by {horizon}, as the forecast goes, but the upper end of its 90 % "
            f"interval {has_it}."
        )
    fewest = f"the {last:,.0f} there are" if has_now else about(row["low"])
    return (
        f"Accuracy {title} takes about {about(row['labels'])} labels to learn from, {about(row['labels'] - last)} more "
        f"than now (90 % interval: from {fewest} to {most_text(row)})."
    )


def most_text(row: Row) -> str:
    """Return the most labels that a target may take, of a row of targets."""
    high, horizon = row["high"], f"more than {row['horizon']:,.0f}"
    return horizon if math.isinf(high) else about(high)
