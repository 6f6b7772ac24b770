"""The verdict on a row of a correlation study's summary, case by case."""

import math

import pytest

from alray.analysis.correlation.verdict import decide

INCONCLUSIVE = ("inconclusive", math.nan)


@pytest.mark.parametrize(
    ("uplift_ends", "changes", "expected"),
    [
        pytest.param((0.01, 0.03), {}, ("helps", math.nan), id="above zero and large enough"),
        pytest.param((-0.03, -0.01), {}, ("hurts", math.nan), id="below zero and large enough"),
        pytest.param((0.01, 0.03), {"rho": -0.5}, ("helps", math.nan), id="not monotone"),
        pytest.param((-0.002, -0.0001), {}, ("no effect", 0.002), id="too small to matter"),
        pytest.param((-0.0032, -0.0001), {}, INCONCLUSIVE, id="shown, perhaps too small"),
        pytest.param((-0.001, 0.002), {}, ("no effect", 0.002), id="within what matters"),
        pytest.param((-0.001, 0.004), {}, INCONCLUSIVE, id="more than matters is possible"),
        pytest.param((-0.001, 0.004), {"matters": 0.004}, ("no effect", 0.004), id="setting"),
        pytest.param((-0.001, 0.004), {"matters": 0.0039}, INCONCLUSIVE, id="smaller setting"),
        pytest.param((0.01, 0.03), {"matters": 0.021}, INCONCLUSIVE, id="smaller than matters"),
        pytest.param((0.01, 0.03), {"uplift_p": 0.05}, INCONCLUSIVE, id="other groups would do"),
        pytest.param((-0.01, 0.03), {}, INCONCLUSIVE, id="other bases may differ"),
        pytest.param((0.01, 0.03), {"icc": 0.29}, INCONCLUSIVE, id="too noisy"),
        pytest.param((0.01, 0.03), {"icc": math.nan}, INCONCLUSIVE, id="one seed"),
        pytest.param((0.01, 0.03), {"p_max": math.nan}, INCONCLUSIVE, id="constant score"),
        pytest.param((math.nan, math.nan), {}, INCONCLUSIVE, id="no interval"),
        pytest.param((-0.001, 0.001), {"changed": False}, ("no change", math.nan), id="no change"),
        pytest.param(
            (-0.02, 0.02), {"icc": 0.05, "groups_p": 0.3}, ("no difference", math.nan), id="ICC 0"
        ),
        pytest.param(
            (0.01, 0.03), {"icc": 0.2, "groups_p": 0.001}, INCONCLUSIVE, id="noisy, not null"
        ),
        pytest.param(
            (math.nan,) * 2, {"uplift": math.nan, "changed": False}, INCONCLUSIVE, id="no uplift"
        ),
    ],
)
def test_verdicts(uplift_ends, changes, expected):
    """By the interval, the p over groups and the size that matters; what groups change at all comes before."""
    low, high = uplift_ends
    row = {
        "queried": "large",
        "rho": 0.5,
        "p_max": 0.01,
        "icc": 0.8,
        "uplift": 0.0 if math.isnan(low) else (low + high) / 2,
        "uplift_low": low,
        "uplift_high": high,
        "uplift_p": 0.01,
        "typical_change": 0.03,
        "matters": 0.003,
        "changed": True,
        "groups_p": 1e-6,
    }
    verdict, bound = decide(row | changes)
    assert verdict == expected[0]
    assert bound == pytest.approx(expected[1], nan_ok=True)
