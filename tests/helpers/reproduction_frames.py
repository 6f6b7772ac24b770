"""Stored tables of the study run again, as they would be if its arms had planted gains."""

import numpy as np
import pandas as pd

from studies.reproduction.collecting import CORRELATIONS, ROUNDS, RUNS, Frames
from studies.reproduction.registry import PARTS


def frames(part, gains, data="icons", seeds=8, noise=0.002):
    """Rounds and runs of a part whose arms reach .5 plus their gains, with seeds' own noise; else empty tables."""
    rng = np.random.default_rng(0)
    common = rng.normal(0, 0.01, seeds)
    rounds, runs = [], []
    for name, arm in PARTS[part].arms.items():
        for seed in range(seeds):
            of_run = {"data": data, "sweep": arm.sweep, "arm": arm.recorded, "seed": seed}
            facts = {"strategy": arm.strategy, "oracle": False, "status": "finished"}
            seconds = {"batch_size": 512, "seconds_per_round": 0.1, "passive_seconds": 1.0}
            runs.append({**of_run, **facts, **seconds})
            for step, labels in enumerate(range(2_000, 3_220, 20)):
                gain = gains(name, labels) if callable(gains) else gains.get(name, 0.0)
                value = 0.5 + common[seed] + gain * (step > 0) + rng.normal(0, noise)
                metrics = dict.fromkeys(("macro_f1", "nll", "train_loss"), 1.0)
                rounds.append(
                    {**of_run, "labels": labels, **metrics, "accuracy": value}
                    | {"validation_accuracy": value}
                )
    return Frames(
        pd.DataFrame(rounds)[list(ROUNDS)],
        pd.DataFrame(runs)[list(RUNS)],
        pd.DataFrame(columns=list(CORRELATIONS)),
        pd.DataFrame(),
    )
