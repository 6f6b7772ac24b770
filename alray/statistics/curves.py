"""Learning curves: their area, the labels they need for an accuracy, and the labels that one saves against another.

Axes: `seed` are runs, and row i of two arms is the same seed; `point` are the label counts, common to all curves.
A NaN that goes in comes out as NaN: no value is ever dropped.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from alray.statistics.paired import Interval, t_quantile

Labels = Float[np.ndarray, " point"]
Curve = Float[np.ndarray, " point"]
Curves = Float[np.ndarray, "seed point"]


@dataclass(frozen=True)
class LabelSaving:
    """Labels that an arm saves against random at one target accuracy.

    Attributes:
        target: The target a, a value of the metric.
        random_labels: N_random(a), from the random arm's monotone mean curve.
        saving: 1 - N_arm(a) / N_random(a): below 1, negative where the arm needs more labels.
        reached: The arm's monotone mean curve reaches what the random arm's does there.
    """

    target: float
    random_labels: float
    saving: Interval
    reached: bool


def area_under_curve(
    labels: Labels, curves: Float[np.ndarray, "*runs point"]
) -> Float[np.ndarray, "*runs"]:
    """Return the area under learning curves: (1 / (N_m - N_1)) integral of the metric over labels, by trapezoids.

    Guyon et al. 2011 (active learning challenge), on a linear axis. It is the mean height, so it lies in the range of
    the metric; of a single point it is the metric.

    Raises:
        ValueError: If `labels` is empty or does not increase.
    """
    _check_increasing(labels)
    if len(labels) == 1:
        return np.asarray(curves[..., 0])
    from scipy.integrate import trapezoid  # noqa: PLC0415 -- a study starts without it

    return np.asarray(trapezoid(curves, labels, axis=-1) / (labels[-1] - labels[0]))


def monotone(curve: Curve) -> Curve:
    """Return the non-decreasing curve nearest in least squares (isotonic regression, pool adjacent violators).

    It reaches above the last points of a noisy curve (its end is the greatest mean of trailing points), by less the
    less noise there is: make the mean over seeds monotone, not each seed.
    """
    if not np.isfinite(curve).all():
        return np.full(len(curve), math.nan)
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 -- a study starts without it

    return np.asarray(isotonic_regression(curve).x)


def labels_needed(labels: Labels, curve: Curve, target: float) -> float:
    """Return the fewest labels at which a non-decreasing curve reaches `target`, by linear interpolation.

    In [N_1, N_m]: N_1 where the curve starts at or above the target, NaN where it does not reach it (censored: more
    than N_m are needed, and how many is not known) or holds a NaN.

    Raises:
        ValueError: If `labels` is empty or does not increase.
    """
    _check_increasing(labels)
    reached = np.flatnonzero(curve >= target)
    if len(reached) == 0:
        return math.nan
    i = int(reached[0])
    if i == 0:
        return float(labels[0])
    share = (target - curve[i - 1]) / (curve[i] - curve[i - 1])
    return float(labels[i - 1] + share * (labels[i] - labels[i - 1]))


def label_saving(
    labels: Labels, arm: Curves, random: Curves, random_labels: float, comparisons: int = 1
) -> LabelSaving:
    """Return the share of labels saved, 1 - N_arm(a) / N_random(a), at the accuracy a of random with `random_labels`.

    N(a) is where the monotone mean curve over seeds reaches a (for a given accuracy start from `labels_needed`). The
    interval inverts a paired t test: it holds every N at which arm(N) - random(N_random) lies within t(n - 1)
    jackknife standard errors of zero, so it needs no slope and knows censoring. In simulations with 5 to 10 seeds it
    covers 94 to 97 %, where a percentile bootstrap over seeds covers 73 to 97 %. Of several `comparisons`, the
    intervals hold together. Curves are of a metric of which more is better.

    Nothing is known beyond the last point: an arm that has not reached a there has no estimate (NaN), and a lower end
    that lies there is -inf. Arms are the same before the first point, so 1 - N_1 / N_random bounds the upper end.

    Raises:
        ValueError: If `labels` is empty or does not increase, or `random_labels` lies outside.
    """
    match = _match(labels, arm, random, random_labels, comparisons)
    reached = math.isfinite(match.labels)
    saving = Interval(
        1 - match.labels / match.reference_labels if reached else math.nan,
        1 - match.most / match.reference_labels,
        # Where even the fewest lie beyond the last point, that point still bounds the saving from above.
        1 - float(np.minimum(match.fewest, labels[-1])) / match.reference_labels,
        len(arm),
    )
    return LabelSaving(match.target, match.reference_labels, saving, reached)


def label_saving_at_budget(
    labels: Labels, arm: Curves, random: Curves, comparisons: int = 1
) -> LabelSaving:
    """Return the label saving at the highest accuracy that both arms reach: signed, and never censored.

    That is the random arm's monotone mean accuracy at the budget, or, where the arm does not reach it (`reached` is
    false), the arm's own: then random needs fewer labels, and the saving is negative. The interval is that of
    `label_saving`, carried on to the negative side with the arms in exchanged roles.

    This is an end-point effect: all arms meet when a pool is exhausted, and the saving at lower accuracies may be
    another. The monotone step lifts the end of a noisy curve, which draws the estimate towards zero.

    Raises:
        ValueError: If `labels` is empty or does not increase.
    """
    budget = float(labels[-1]) if len(labels) else math.nan
    by_arm = _match(labels, arm, random, budget, comparisons)
    by_random = _match(labels, random, arm, budget, comparisons)

    def signed(arm_labels: float, random_labels: float) -> float:
        if arm_labels == math.inf:
            return 1 - by_random.reference_labels / random_labels
        return 1 - arm_labels / by_arm.reference_labels

    estimate = signed(by_arm.labels, by_random.labels)
    saving = Interval(
        estimate,
        # Standard errors differ along the curves, so near zero an end could otherwise pass the estimate.
        float(np.minimum(estimate, signed(by_arm.most, by_random.fewest))),
        float(np.maximum(estimate, signed(by_arm.fewest, by_random.most))),
        len(arm),
    )
    reached = math.isfinite(by_arm.labels)
    return LabelSaving(
        by_arm.target if reached else by_random.target,
        by_arm.reference_labels if reached else by_random.labels,
        saving,
        reached,
    )


def share_reached(
    arm: Curves, random: Curves, rng: np.random.Generator, draws: int = 2_000
) -> float:
    """Return the share of bootstrap draws of the seeds in which an arm reaches random's accuracy at the budget.

    Seeds are drawn in pairs, with replacement; curves are made monotone in each draw. In [0, 1]; NaN without seeds.
    """
    n = len(arm)
    if n == 0 or not (np.isfinite(arm).all() and np.isfinite(random).all()):
        return math.nan
    weights = rng.multinomial(n, np.full(n, 1 / n), size=draws) / n  # [draw, seed]
    return float(np.mean(_monotone_end(weights @ arm) >= _monotone_end(weights @ random)))


def _monotone_end(curves: Float[np.ndarray, "draw point"]) -> Float[np.ndarray, " draw"]:
    # The last value of an isotonic regression is the greatest mean of trailing points: no fit per draw is needed.
    trailing_sums = np.cumsum(curves[:, ::-1], axis=1)
    return np.asarray((trailing_sums / np.arange(1, curves.shape[1] + 1)).max(axis=1))


@dataclass(frozen=True)
class _Match:
    """Where curves reach a point of the reference curves: inf beyond the last point, NaN where not computable."""

    target: float
    reference_labels: float
    labels: float
    fewest: float
    most: float


def _match(
    labels: Labels, curves: Curves, reference: Curves, reference_labels: float, comparisons: int
) -> _Match:
    _check_increasing(labels)
    if not labels[0] <= reference_labels <= labels[-1]:
        raise ValueError(f"{reference_labels} labels are not in {labels[0]} to {labels[-1]}")
    n = len(curves)
    finite = bool(np.isfinite(curves).all() and np.isfinite(reference).all())
    if n == 0 or len(labels) == 1 or not finite:
        return _Match(*[math.nan] * 5)
    reference_mean = monotone(reference.mean(axis=0))
    target = float(np.interp(reference_labels, labels, reference_mean))
    above = monotone(curves.mean(axis=0)) - target
    half = t_quantile(n, comparisons) * _jackknife_error(
        labels, curves, reference, reference_labels
    )
    return _Match(
        target,
        labels_needed(labels, reference_mean, target),
        _reaches_zero(labels, above),
        _reaches_zero(labels, above + half),
        _reaches_zero(labels, above - half),
    )


def _jackknife_error(
    labels: Labels, curves: Curves, reference: Curves, reference_labels: float
) -> Curve:
    """Return at each point the standard error of monotone mean curve minus monotone mean reference at one point."""
    n = len(curves)
    if n == 1:
        return np.full(len(labels), math.nan)
    differences = []
    for excluded in range(n):
        mean = monotone(np.delete(curves, excluded, axis=0).mean(axis=0))
        reference_mean = monotone(np.delete(reference, excluded, axis=0).mean(axis=0))
        differences.append(mean - np.interp(reference_labels, labels, reference_mean))
    # Var = (n - 1) / n * sum of squares = (n - 1) * the variance with denominator n (Efron and Stein 1981).
    return np.asarray(math.sqrt(n - 1) * np.std(differences, axis=0))


def _reaches_zero(labels: Labels, curve: Curve) -> float:
    if np.isnan(curve).any():
        return math.nan
    # The end itself decides, not its monotone lift: then exactly one of two arms in exchanged roles is beyond.
    return math.inf if curve[-1] < 0 else labels_needed(labels, monotone(curve), 0.0)


def _check_increasing(labels: Labels) -> None:
    if len(labels) == 0 or (np.diff(labels) <= 0).any():
        raise ValueError(f"label counts must increase, got {labels.tolist()}")
