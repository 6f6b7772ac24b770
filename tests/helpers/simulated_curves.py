"""Simulated learning curves whose true means are known."""

import numpy as np

LABELS = 300 + 20 * np.arange(61.0)
"""Labels at 61 checkpoints."""


def true_curve(labels):
    return 0.8 - 1.5 * labels**-0.35


def at_speed(labels, growth):
    """Return the labels of random that are worth as much."""
    return 300 + (labels - 300) * (1 + growth)


def smooth_deviation(rng, n):
    """Return a seed's own drift away from the mean curve, zero at the common passive phase."""
    x = (LABELS - 300) / 1200
    shapes = np.stack([x, np.sin(np.pi * x), np.sin(2 * np.pi * x)])
    return rng.normal(size=(n, 3)) * [0.006, 0.003, 0.003] @ shapes


def world(rng, n, growth, jitter):
    """Return curves of an arm and of random: seed effects common to both, drift, and noise in every round."""
    common = rng.normal(0, 0.01, size=(n, 1)) + smooth_deviation(rng, n)
    passive = rng.normal(0, jitter, size=(n, 1))

    def arm_of(speed):
        noise = rng.normal(0, jitter, size=(n, len(LABELS)))
        noise[:, :1] = passive
        drift = 0.6 * smooth_deviation(rng, n)
        return true_curve(at_speed(LABELS, speed)) + common + drift + noise

    return arm_of(growth), arm_of(0.0)
