"""The laws of learning curves: their derivatives, planted curves that come back, and what must not break a fit."""

import numpy as np
import pytest

from alray.statistics.learning_laws import LAWS, PALM, POWER_LAW, fitted
from tests.helpers.intervals import generator

LABELS = np.linspace(500.0, 5000.0, 19)
BEYOND = np.array([5000.0, 10_000.0, 20_000.0])

PARAMETERS = {
    "power_law": (np.array([0.8, 0.3, 0.5]), np.array([0.95, 0.05, 1.5]), np.array([0.6, 0.2, 0.1])),
    "palm": (
        np.array([0.8, -0.3, 0.2, 0.6]),
        np.array([0.9, 0.8, 0.05, 1.0]),
        np.array([0.6, -0.5, 0.4, 0.8]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWS)
def test_slopes_are_those_of_the_values(name):
    law, x = LAWS[name], np.linspace(0.1, 1.0, 7)
    for parameters in PARAMETERS[name]:
        for i, by_formula in enumerate(law.slopes(parameters, x).T):
            step = np.where(np.arange(len(parameters)) == i, 1e-6, 0.0)
            difference = law.value(parameters + step, x) - law.value(parameters - step, x)
            np.testing.assert_allclose(by_formula, difference / 2e-6, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", LAWS)
def test_a_planted_curve_comes_back_far_beyond_its_end(name):
    """Without noise each law continues its own curves, to four times their labels."""
    law = LAWS[name]
    for parameters in PARAMETERS[name]:
        curve = law.value(parameters, LABELS / LABELS[-1])
        expected = law.value(parameters, BEYOND / LABELS[-1])
        np.testing.assert_allclose(
            fitted(law, LABELS, curve[None], BEYOND)[0], expected, atol=2e-3
        )


def test_the_power_law_comes_back_as_its_formula_says():
    curve = 0.85 - 4.0 * LABELS**-0.4
    found = fitted(POWER_LAW, LABELS, curve[None], BEYOND)[0]
    np.testing.assert_allclose(found, 0.85 - 4.0 * BEYOND**-0.4, atol=1e-4)


def test_palm_comes_back_as_its_formula_says():
    """In the words of its authors: A_max, delta, alpha and beta, and b labels a round."""
    top, delta, alpha, beta, batch = 0.82, 0.12, 2.0, 0.7, 100.0
    curve, expected = (
        top * (1 - (1 - delta) ** ((n / batch + alpha) ** beta)) for n in (LABELS, BEYOND)
    )
    np.testing.assert_allclose(fitted(PALM, LABELS, curve[None], BEYOND)[0], expected, atol=2e-3)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(
    "curve",
    [
        np.full(19, 0.7),
        np.full(19, 1.0),
        np.zeros(19),
        np.linspace(0.9, 0.5, 19),
        np.linspace(0.0, 1.0, 19),
        0.99 + 0.009 * np.linspace(0, 1, 19),
    ],
    ids=["flat", "one", "zero", "falling", "straight", "near one"],
)
def test_whatever_the_curve_a_law_stays_a_share_that_does_not_fall(name, curve):
    found = fitted(LAWS[name], LABELS, curve[None], BEYOND)[0]
    assert np.isfinite(found).all()
    assert (found >= -1e-6).all()
    assert (found <= 1 + 1e-6).all()
    assert (np.diff(found) >= -1e-9).all()


def test_later_points_count_more():
    """What falls is fitted by a level: the mean with weights 1, 2, ..., m (Figueroa et al. 2012)."""
    falling = np.linspace(0.9, 0.5, len(LABELS))
    level = np.average(falling, weights=np.arange(1, len(LABELS) + 1))
    found = fitted(POWER_LAW, LABELS, falling[None], BEYOND)[0]
    np.testing.assert_allclose(found, level, atol=1e-4)


def test_each_curve_is_fitted_by_itself():
    noise = generator().normal(0, 0.003, size=(3, len(LABELS)))
    curves = 0.85 - 4.0 * LABELS**-0.4 + noise
    for law in LAWS.values():
        together = fitted(law, LABELS, curves, BEYOND)
        np.testing.assert_array_equal(together[1], fitted(law, LABELS, curves[1:2], BEYOND)[0])
