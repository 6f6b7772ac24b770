"""Two laws of learning curves, and curves fitted by them: to say what lies beyond the last label count.

Both are fitted to the metric by bounded least squares, later points counting more: point j of m has the weight j / m
(Figueroa et al. 2012, Predicting sample size required for classification performance). Fits start from the best of a
fixed grid, so the same curve has the same fit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from alray.statistics.curves import Curve, Curves, Labels

At = Float[np.ndarray, " at"]
"""Label counts, or values at them, where a curve is continued."""

Parameters = Float[np.ndarray, " parameter"]

_STARTS = 2
"""So many of the best places of the grid are refined."""


@dataclass(frozen=True)
class Law:
    """A family of rising curves of a share, over x: labels as multiples of the last label count that is known.

    Attributes:
        value: (parameters, x) to the metric; the first parameter is what the curve tends to.
        slopes: The same to the derivatives by each parameter, (point, parameter).
        low: Least value of each parameter.
        high: Greatest value of each parameter.
        grid: Rows of all parameters but the first, where fits may start.
    """

    value: Callable[[Parameters, Labels], Curve]
    slopes: Callable[[Parameters, Labels], Float[np.ndarray, "point parameter"]]
    low: Parameters
    high: Parameters
    grid: Float[np.ndarray, "start rest"]


def _power(p: Parameters, x: Labels) -> Curve:
    return np.asarray(p[0] - p[1] * x ** -p[2])


def _power_slopes(p: Parameters, x: Labels) -> Float[np.ndarray, "point parameter"]:
    falling = x ** -p[2]
    return np.stack([np.ones_like(x), -falling, p[1] * np.log(x) * falling], axis=1)


def _palm(p: Parameters, x: Labels) -> Curve:
    return np.asarray(-p[0] * np.expm1(-np.exp(p[1]) * (x + p[2]) ** p[3]))


def _palm_slopes(p: Parameters, x: Labels) -> Float[np.ndarray, "point parameter"]:
    base = x + p[2]
    depth = np.exp(p[1]) * base ** p[3]
    by_depth = p[0] * np.exp(-depth)
    slopes = [-np.expm1(-depth), by_depth * depth, by_depth * depth * p[3] / base]
    return np.stack([*slopes, by_depth * depth * np.log(base)], axis=1)


POWER_LAW = Law(
    _power,
    _power_slopes,
    low=np.array([0.0, 0.0, 0.02]),
    high=np.array([1.0, 10.0, 5.0]),
    grid=np.array(list(product(np.geomspace(0.01, 1, 8), np.geomspace(0.03, 4, 16)))),
)
"""a - b n^-c, with a up to 1."""

PALM = Law(
    _palm,
    _palm_slopes,
    low=np.array([0.0, -12.0, 1e-6, 0.05]),
    high=np.array([1.0, 5.0, 5.0, 4.0]),
    grid=np.array(
        list(product(np.linspace(-3, 2, 11), (0.01, 0.1, 0.4, 1.5), (0.2, 0.4, 0.7, 1.0, 1.6)))
    ),
)
"""A_max (1 - (1 - delta)^((n / b + alpha)^beta)), the PALM model of active learning's curves.

With lambda = -ln(1 - delta) the power is exp(-lambda (n / b + alpha)^beta). Here b is the last label count, which
changes delta and alpha and no curve; parameters are A_max, ln lambda, alpha and beta.
"""

LAWS = {"power_law": POWER_LAW, "palm": PALM}


def fitted(law: Law, labels: Labels, curves: Curves, at: At) -> Float[np.ndarray, "seed at"]:
    """Return curves (seed, point) as the law continues each of them, at other label counts: (seed, at).

    Labels have to be above zero and rise; values have to be finite.
    """
    x = labels / labels[-1]
    weights = np.arange(1, len(x) + 1) / len(x)
    where = at / labels[-1]
    return np.array([law.value(_fit(law, x, curve, weights), where) for curve in curves])


def _fit(law: Law, x: Labels, values: Curve, weights: Curve) -> Parameters:
    from scipy.optimize import least_squares  # noqa: PLC0415 -- a third of a second that no sweep need wait for

    root = np.sqrt(weights)

    def errors(p: Parameters) -> Curve:
        return np.asarray(root * (law.value(p, x) - values))

    def slopes(p: Parameters) -> Float[np.ndarray, "point parameter"]:
        return np.asarray(root[:, None] * law.slopes(p, x))

    best, cost = np.zeros(len(law.low)), np.inf
    for start in _starts(law, x, values, weights):
        found = least_squares(
            errors,
            start,
            jac=slopes,
            bounds=(law.low, law.high),
            x_scale="jac",
            max_nfev=100,
        )
        # Equal ones but for rounding: the earlier start stays, on every machine.
        if found.cost < cost * (1 - 1e-9):
            best, cost = found.x, found.cost
    return np.asarray(best)


def _starts(law: Law, x: Labels, values: Curve, weights: Curve) -> list[Parameters]:
    """Return the places of the grid that fit best, with the first parameter that suits each, inside the bounds."""
    # The first parameter is found by a line: a law is linear in it, with the others as they are.
    ones = np.stack([law.value(np.array([1.0, *rest]), x) for rest in law.grid])
    zeros = np.stack([law.value(np.array([0.0, *rest]), x) for rest in law.grid])
    slope = ones - zeros
    first = ((values - zeros) * slope) @ weights / np.maximum(slope**2 @ weights, 1e-300)
    first = np.clip(first, law.low[0] + 1e-3, law.high[0] - 1e-3)
    errors = (zeros + first[:, None] * slope - values) ** 2 @ weights
    order = np.argsort(errors, kind="stable")[:_STARTS]
    return [np.array([first[i], *law.grid[i]]) for i in order]
