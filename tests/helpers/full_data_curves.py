"""Made curves beside made values of full data, which share each seed's height."""

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import ArmCurves

POINTS = 60


def arms_beside_full_data(rng, seeds, arms, rising=0.5, gain=0.0):
    """Return arms that reach full data's mean plus `gain` after the share `rising` of the curve, and full data."""
    x = np.linspace(0, 1, POINTS)
    true = 0.7 + gain - 0.2 * np.maximum(0, 1 - x / max(rising, 1e-9)) ** 2
    height = 0.01 * rng.normal(size=seeds)
    smooth = np.exp(-0.5 * ((x[:, None] - x) / 0.15) ** 2)
    smooth /= np.sqrt((smooth**2).sum(axis=0))
    full = 0.7 + height + 0.008 * rng.normal(size=seeds)
    made = []
    for number in range(arms):
        noise = 0.006 * rng.normal(size=(seeds, POINTS)) @ smooth
        noise += 0.005 * rng.normal(size=(seeds, POINTS))
        curves = {"accuracy": true + height[:, None] + noise}
        labels = 300 + 20.0 * np.arange(POINTS)
        made.append(ArmCurves(f"arm {number}", "", tuple(range(seeds)), labels, curves))
    return made, pd.DataFrame({"variant": "", "seed": range(seeds), "accuracy": full})
