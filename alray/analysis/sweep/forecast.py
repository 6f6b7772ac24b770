"""Beyond the end of the curves: the metric at more labels, and the labels that a value of it takes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.metrics import LESS_IS_BETTER, metric_title
from alray.analysis.targets import check_targets
from alray.errors import SpecError
from alray.statistics.curves import Curve, Labels, labels_needed, monotone
from alray.statistics.forecast import LEVEL, Kind, forecast, why_not
from alray.statistics.paired import pointwise, t_quantile

TIMES = 3
"""The horizon, where none is named, in multiples of the largest label count."""

_POINTS = 60

FORECAST_COLUMNS: Mapping[str, str] = {
    "arm": "the arm",
    "variant": "its varied settings",
    "metric": "the metric, a share",
    "labels": "label count: from the end of the arm's curve to the horizon",
    "mean": "the forecast, of the mean over seeds: the mean of the two laws",
    "low": "lower end of its 90 % interval, at this label count alone; how often such intervals held on real curves is "
    "in results/reference/forecast",
    "high": "upper end",
    "power_law": "the forecast by a - b n^-c, fitted with later points counting more (Figueroa et al. 2012)",
    "palm": "the forecast by A_max (1 - (1 - delta)^((n / b + alpha)^beta))",
}
"""Columns of `findings/forecast.csv`, in order, each with what it holds."""

NEEDED_COLUMNS: Mapping[str, str] = {
    "arm": "the arm",
    "variant": "its varied settings",
    "oracle": "the strategy sees true labels",
    "metric": "the metric, a share",
    "target": "value of the metric",
    "labels": "labels that it takes; null where it is not reached within the horizon",
    "low": "lower end of the 90 % interval; null where even the upper end of the forecast does not reach the target "
    "within the horizon",
    "high": "upper end; infinite where the lower end of the forecast does not reach it within the horizon",
    "horizon": "labels up to which was looked",
    "answer": "reached (within the curve), forecast, perhaps (the forecast stays below the target, its upper end does "
    "not), not within reach, or cannot be forecast",
    "reason": "why it cannot be forecast",
}
"""Columns of `findings/labels_needed.csv`."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """Forecasts of a study's arms.

    Attributes:
        metric: The metric, a share.
        targets: Values of it.
        horizon: Labels up to which is looked.
        forecast: Rows as in `FORECAST_COLUMNS`.
        labels_needed: Rows as in `NEEDED_COLUMNS`.
        failures: Arm: why it cannot be forecast.
    """

    metric: str
    targets: tuple[float, ...]
    horizon: int
    forecast: pd.DataFrame
    labels_needed: pd.DataFrame
    failures: dict[str, str]


def outlook(
    arms: Sequence[ArmCurves],
    oracles: Iterable[str],
    metric: str,
    targets: Sequence[float],
    horizon: int | None,
) -> Outlook:
    """Return what arms will reach with more labels, and what targets take.

    Args:
        arms: With their finished seeds; those without one, or without the metric, have no row.
        oracles: Names of the arms that see true labels.
        metric: A share; of NLL there is no forecast.
        targets: Values between 0 and 1.
        horizon: Labels; `TIMES` the largest label count where None.

    Raises:
        SpecError: The metric is no share, a target lies outside 0 to 1, or the horizon not beyond all curves.
    """
    known = [arm for arm in arms if arm.seeds and metric in arm.curves]
    end = int(max((arm.labels[-1] for arm in known), default=0))
    check_targets(targets, metric_title(metric))
    if metric in LESS_IS_BETTER:
        raise SpecError(
            f"--metric {metric}: forecasts are of shares, and {metric_title(metric)} is none; take accuracy or macro_f1"
        )
    if horizon is not None and horizon <= end:
        raise SpecError(
            f"--horizon {horizon}: curves go to {end:,} labels already; name more labels than that, such as "
            f"{TIMES * end}"
        )
    until = TIMES * end if horizon is None else horizon
    rows, needed, failures = [], [], {}
    for arm in known:
        reason = why_not(arm.labels, arm.curves[metric])
        ahead = pd.DataFrame(columns=list(FORECAST_COLUMNS))
        if reason:
            failures[arm.name] = reason
        else:
            ahead = _ahead(arm, metric, until)
            rows.append(ahead)
        is_oracle = arm.name in set(oracles)
        for target in targets:
            found = _needed(arm, metric, target, ahead)
            needed.append({**found, "horizon": until, "oracle": is_oracle, "reason": reason})
    return Outlook(
        metric,
        tuple(targets),
        until,
        pd.concat(rows, ignore_index=True)
        if rows
        else pd.DataFrame(columns=list(FORECAST_COLUMNS)),
        pd.DataFrame(needed, columns=list(NEEDED_COLUMNS)),
        failures,
    )


def _ahead(arm: ArmCurves, metric: str, horizon: int) -> pd.DataFrame:
    last = float(arm.labels[-1])
    at = np.unique(np.rint(np.geomspace(last, horizon, _POINTS)))
    kind: Kind = "accuracy" if metric == "accuracy" else "class means"
    made = forecast(arm.labels, arm.curves[metric], at, kind)
    return pd.DataFrame(
        {
            "arm": arm.name,
            "variant": arm.variant,
            "metric": metric,
            "labels": at.astype(np.int64),
            "mean": made.mean,
            "low": made.low,
            "high": made.high,
            **made.laws,
        }
    )


def _needed(arm: ArmCurves, metric: str, target: float, ahead: pd.DataFrame) -> dict[str, object]:
    """Return the labels that a target takes, and the least and most that are compatible with curve and forecast.

    A label count is, where the target lies between the ends of the interval there: of the mean over seeds within the
    curve, of the forecast beyond.
    """
    labels, mean, low, high = _whole(arm, metric, ahead)
    end = float(arm.labels[-1])
    needed, fewest, most = (_first(labels, curve, target) for curve in (mean, high, low))
    row = {"arm": arm.name, "variant": arm.variant, "metric": metric, "target": target}
    row |= {"labels": needed, "low": fewest, "high": math.inf if math.isnan(most) else most}
    if needed <= end:
        return {**row, "answer": "reached"}
    if ahead.empty:
        return {**row, "low": math.nan, "high": math.nan, "answer": "cannot be forecast"}
    if math.isnan(fewest):
        return {**row, "high": math.nan, "answer": "not within reach"}
    return {**row, "answer": "perhaps" if math.isnan(needed) else "forecast"}


def _whole(arm: ArmCurves, metric: str, ahead: pd.DataFrame) -> tuple[Labels, ...]:
    """Return labels, the mean and the ends of its interval, within the curve and beyond."""
    mean, half = pointwise(arm.curves[metric])
    # One seed has no interval: its curve stands alone.
    half = np.zeros(len(mean)) if len(arm.seeds) == 1 else half * _of_level(len(arm.seeds))
    inside = (monotone(curve) for curve in (mean, mean - half, mean + half))
    beyond = ahead.iloc[1:]
    joined = (
        np.concatenate([curve, beyond[column].to_numpy(float)])
        for curve, column in zip(inside, ("mean", "low", "high"), strict=True)
    )
    return np.concatenate([arm.labels, beyond["labels"].to_numpy(float)]), *joined


def _of_level(seeds: int) -> float:
    """Return what a 95 % t interval is multiplied by to be one of the forecasts' level."""
    from scipy.special import stdtrit  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    return float(stdtrit(seeds - 1, (1 + LEVEL) / 2)) / t_quantile(seeds)


def _first(labels: Labels, curve: Curve, target: float) -> float:
    """Return the first label count at which a curve reaches a target, NaN where it does not."""
    if not np.isfinite(curve).all():
        return math.nan
    return labels_needed(labels, np.maximum.accumulate(curve), target)
