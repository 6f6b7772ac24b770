"""Learning curves beyond their last label count, with intervals whose coverage was measured on real curves.

The forecast is the mean of two laws (`learning_laws`), fitted to the mean curve over seeds. How far such a forecast is
off is not known from the curve itself: both laws may be wrong. So an interval is as wide as it has to be to hold the
truth in nine of ten withheld continuations of real curves (`scripts/studies/forecast_coverage`).
"""

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from alray.statistics.curves import Curve, Curves, Labels
from alray.statistics.learning_laws import LAWS, At, fitted

LEVEL = 0.9
"""Nominal coverage of a forecast's interval."""

Kind = Literal["accuracy", "class means"]
"""What a metric is a share of: all objects alike, or a mean over classes, which rises late where rare ones do."""

FACTORS: Mapping[Kind, tuple[tuple[float, float], ...]] = {
    "accuracy": ((1.25, 0.3), (1.6, 0.45), (math.inf, 0.45)),
    "class means": ((1.25, 0.3), (1.6, 0.4), (math.inf, 1.4)),
}
"""Up to this ratio of a label count to the last one that is known: what `Forecast.growth` is multiplied by.

From results/reference/forecast/factors.csv, which `scripts/studies/forecast_coverage` writes; of class means only macro
F1 was measured.
"""

ONE_SEED = 1.6
"""What the whole interval is multiplied by where there is one seed, whose own drift nothing shows; from there too."""

MEASURED_RATIO = 3.4
"""The largest ratio at which coverage was measured."""

FEWEST_POINTS = 4
"""Label counts that a forecast needs: the laws have three and four parameters."""

BLOCKS = 10
"""Blocks of objects that are left out in turn."""

USUAL_NOISE, USUAL_WEIGHT = 0.01, 4
"""Standard deviation of accuracy between fits to as many labels, and the points that it counts as.

On openclipart eight fits to the same labels, from other weights, differed by .013 with 300 labels and .009 with 1,000.
"""

_MOST_POINTS = 60

_PARAMETERS = 3

_FALLING = 0.01


@dataclass(frozen=True, eq=False)
class Forecast:
    """A curve at label counts beyond its last one.

    Attributes:
        labels: (at,) label counts.
        mean: The mean of the laws there, a share.
        low: Lower end of the interval, which holds for one label count at a time.
        high: Upper end.
        sampling: Standard error by seeds and noise: see `forecast`.
        growth: What the curve would gain if it went on at its own pace: see `forecast`.
        laws: Law: its own curve.
    """

    labels: At
    mean: At
    low: At
    high: At
    sampling: At
    growth: At
    laws: dict[str, At]


def why_not(labels: Labels, curves: Curves) -> str:
    """Return why curves (seed, point) of a share cannot be forecast, in words that follow `because`; "" if they can."""
    known = labels > 0
    if len(curves) == 0 or not np.isfinite(curves).all():
        return "values are missing"
    if known.sum() < FEWEST_POINTS:
        return f"it has {known.sum()} label counts above 0, and {FEWEST_POINTS} are needed"
    if _falls(labels[known], curves[:, known].mean(axis=0)):
        return "it falls towards its end, and the laws only rise"
    return ""


def forecast(labels: Labels, curves: Curves, at: At, kind: Kind = "accuracy") -> Forecast:
    """Return what a curve of a share, the mean over seeds, will be at label counts beyond its last one.

    An interval is the mean of the laws +- sqrt((z s)^2 + (f g)^2), cut to [0, 1], with z = 1.645 for 90 %:

    - s, sampling: the jackknife error of the mean of the laws over seeds (of one seed there is none), and the noise of
      the mean curve about its fit, with which the later point comes too;
    - g, growth: what the curve would gain if it went on at its own pace by the logarithm of labels, its gain so far
      x ln h / ln(last / first), at ratio h of the label count to the last one;
    - f, the factor of `FACTORS`: what the laws themselves are off by, found on withheld ends of real curves.

    Of one seed it is `ONE_SEED` times as wide.

    Args:
        labels: (point,) rising.
        curves: (seed, point) of a metric between 0 and 1, of which more is better.
        at: Label counts from the last one on.
        kind: Of the metric.

    Raises:
        ValueError: The curves cannot be forecast (`why_not`), or a label count lies before the last one.
    """
    reason = why_not(labels, curves)
    if reason:
        raise ValueError(f"no forecast: {reason}")
    last = float(labels[-1])
    if (at < last).any():
        raise ValueError(f"{at.min()} labels lie before the last label count, {last}")
    labels, curves = _thinned(labels[labels > 0], curves[:, labels > 0])
    rows = np.concatenate([curves.mean(axis=0, keepdims=True), _without_one(curves)])
    made = _continued(labels, rows, at, kind)
    sampling = np.sqrt(_jackknife_variance(made.left_out) + made.noise)
    half = half_width(sampling, made.off) * (ONE_SEED if len(curves) == 1 else 1.0)
    return made.within(half, sampling)


def forecast_by_objects(
    labels: Labels,
    right: Float[np.ndarray, "object point"],
    groups: Int[np.ndarray, " object"],
    at: At,
) -> tuple[Forecast, Forecast]:
    """Return what the accuracy of one run, known by a sample of objects, will be with more labels; and what it gains.

    The objects are the same at all label counts, so their luck moves the whole curve alike: its error is that of a
    jackknife that leaves out one of `BLOCKS` blocks of objects in turn, groups whole (Kunsch 1989). What the laws and
    the one run's own noise are off by is `ONE_SEED` times that of `forecast`, as for one seed. Of a gain from the last
    label count on, by the fit, the error that all label counts share cancels.

    Args:
        labels: (point,) rising, above zero.
        right: Whether, or with what probability, each object is right.
        groups: Number of each object's group; objects of a group are drawn together.
        at: Label counts from the last one on.

    Raises:
        ValueError: The curve cannot be forecast (`why_not`).
    """
    reason = (
        why_not(labels, right.mean(axis=0, keepdims=True)) if len(right) else "it has no object"
    )
    if reason:
        raise ValueError(f"no forecast: {reason}")
    labels, right = _thinned(labels, right)
    _, codes = np.unique(groups, return_inverse=True)
    kept = [right[codes % BLOCKS != block] for block in range(min(BLOCKS, codes.max() + 1))]
    rows = np.stack([right.mean(axis=0), *(part.mean(axis=0) for part in kept if len(part))])
    made = _continued(labels, rows, at, "accuracy")
    noise, slope = _of_fits(labels, made.noise)
    own = ONE_SEED * half_width(np.full(len(at), noise), made.off)
    sampling = np.sqrt(_jackknife_variance(made.left_out))
    whole = made.within(np.hypot(half_width(sampling, np.zeros(len(at))), own), sampling)
    now = float(made.ends[0])
    gains = replace(made, both=made.both - now, laws={}, bounds=(-now, 1 - now))
    spread = np.sqrt(_jackknife_variance(made.left_out - made.ends[1:, None]))
    law = ONE_SEED * np.hypot(slope * np.log(at / labels[-1]), made.off)
    return whole, gains.within(np.hypot(half_width(spread, np.zeros(len(at))), law), spread)


def _of_fits(labels: Labels, noise: float) -> tuple[float, float]:
    """Return the standard deviation of single fits, and half the interval of the slope over the logarithm of labels.

    A curve of few points that is smooth by luck would promise that it stays so, and one that is not would say nothing:
    the noise that it shows is averaged with what is usual (as variances of few values are by Smyth 2004).
    """
    from scipy.special import stdtrit  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    x = np.log(labels)
    shown = max(0, len(labels) - _PARAMETERS)
    freedom = shown + USUAL_WEIGHT
    variance = (shown * noise + USUAL_WEIGHT * USUAL_NOISE**2) / freedom
    t = float(stdtrit(freedom, (1 + LEVEL) / 2))
    return math.sqrt(variance), t * math.sqrt(variance / float(((x - x.mean()) ** 2).sum()))


@dataclass(frozen=True, eq=False)
class _Continued:
    """A mean curve, and the same without a part of what it is the mean of, continued by both laws.

    Attributes:
        both: (at,) the mean of the laws; `left_out` (part, at) the same without each part.
        ends: (1 + part,) the fits at the last label count.
        noise: Variance of the mean curve about its fit.
        off: (at,) what the laws are off by.
        bounds: Between which the ends of intervals lie.
    """

    at: At
    both: At
    left_out: Float[np.ndarray, "part at"]
    ends: Float[np.ndarray, " rows"]
    noise: float
    growth: At
    off: At
    laws: dict[str, At]
    bounds: tuple[float, float] = (0.0, 1.0)

    def within(self, half: At, sampling: At) -> Forecast:
        """Return the forecast with intervals of this half width."""
        low, high = (np.clip(self.both + by, *self.bounds) for by in (-half, half))
        return Forecast(self.at, self.both, low, high, sampling, self.growth, self.laws)


def _continued(
    labels: Labels, rows: Float[np.ndarray, "rows point"], at: At, kind: Kind
) -> _Continued:
    """Return curves, the whole one first, as both laws continue them."""
    everywhere = np.concatenate([labels, at])
    by_law = {name: fitted(law, labels, rows, everywhere) for name, law in LAWS.items()}
    both = np.mean(list(by_law.values()), axis=0)
    n = len(labels)
    inside, ratio = both[0, :n], at / float(labels[-1])
    growth = float(inside[-1] - inside[0]) * np.log(ratio) / math.log(labels[-1] / labels[0])
    left = rows[0] - inside
    return _Continued(
        at,
        both[0, n:],
        both[1:, n:],
        both[:, n - 1],
        float(left @ left) / max(1, n - _PARAMETERS),
        growth,
        np.array([factor_of(each, kind) for each in ratio]) * growth,
        {name: values[0, n:] for name, values in by_law.items()},
    )


def half_width(sampling: At, of_laws: At) -> At:
    """Return the half width of intervals from the standard error and from what the laws are off by."""
    from scipy.special import ndtri  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    return np.asarray(np.hypot(float(ndtri((1 + LEVEL) / 2)) * sampling, of_laws))


def factor_of(ratio: float, kind: Kind = "accuracy") -> float:
    """Return what growth is multiplied by at a ratio of a label count to the last known one."""
    factors = FACTORS[kind]
    return factors[bisect.bisect_left([end for end, _ in factors], ratio)][1]


def _falls(labels: Labels, curve: Curve) -> bool:
    """Whether the second half of a curve falls with the logarithm of labels, by a one-sided t test at 1 %."""
    from scipy.special import stdtrit  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    part = slice(-max(FEWEST_POINTS, math.ceil(len(labels) / 2)), None)
    x, y = np.log(labels[part]), curve[part]
    x = x - x.mean()
    slope = float(x @ y) / float(x @ x)
    left = y - y.mean() - slope * x
    error = math.sqrt(float(left @ left) / (len(x) - 2) / float(x @ x))
    return slope < float(stdtrit(len(x) - 2, _FALLING)) * error and slope < 0


def _thinned(
    labels: Labels, curves: Curves
) -> tuple[Float[np.ndarray, " kept"], Float[np.ndarray, "seed kept"]]:
    """Return at most so many points, each the mean of its neighbours: a fit takes as long as it has points.

    The last point stays where it is.
    """
    if len(labels) <= _MOST_POINTS:
        return labels, curves
    blocks = [*np.array_split(np.arange(len(labels) - 1), _MOST_POINTS - 1), np.array([-1])]
    return (
        np.array([labels[block].mean() for block in blocks]),
        np.stack([curves[:, block].mean(axis=1) for block in blocks], axis=1),
    )


def _without_one(curves: Curves) -> Float[np.ndarray, "others point"]:
    """Return the mean curve without each seed in turn; nothing for one seed."""
    n = len(curves)
    return (curves.sum(axis=0) - curves) / (n - 1) if n > 1 else curves[:0]


def _jackknife_variance(values: Float[np.ndarray, "seed at"]) -> At:
    """Return the variance of the mean over seeds from what it is without each of them (Efron and Stein 1981)."""
    if len(values) == 0:
        return np.zeros(values.shape[1])
    return np.asarray((len(values) - 1) * values.var(axis=0))
