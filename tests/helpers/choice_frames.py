"""Records of a made sweep without rounds, in memory."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

NAMES = {"": "width=128", "width=32": "width=32", "width=8": "width=8"}
PARAMETERS = {"": 300, "width=32": 60, "width=8": 10}


def records(
    values: Mapping[str, Iterable[float]],
    parameters: Mapping[str, int] | None = PARAMETERS,
    **columns: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `rounds` and `runs` of variants that reach these validation accuracies, a value per seed."""
    rows = [
        {
            "run_id": f"random-{variant}__seed-{seed}",
            "arm": f"random [{variant}]" if variant else "random",
            "strategy": "random",
            "variant": variant,
            "seed": seed,
            "validation": value,
        }
        for variant, of_variant in values.items()
        for seed, value in enumerate(of_variant)
    ]
    frame = pd.DataFrame(rows).assign(full_data=False, oracle=False)
    named = frame.drop(columns="validation")
    runs = named.assign(status="finished", against="", error="", rounds_done=0, host="here")
    if parameters is not None:
        runs["parameters"] = runs["variant"].map(parameters)
    rounds = named.assign(
        round=0,
        labels=100,
        accuracy=frame["validation"] - 0.02,
        nll=2 - frame["validation"],
        validation_accuracy=frame["validation"],
        validation_nll=1 - frame["validation"],
        query_s=0.0,
        fit_s=1.0 + frame["seed"],
        eval_s=0.1,
        **columns,
    )
    return rounds, runs


def spread(mean: float, seeds: int = 8, size: float = 0.01, seed: int = 0) -> list[float]:
    """Return a value per seed, of exactly this mean, whose spread no other variant has."""
    noise = np.random.default_rng(seed).normal(0, size, seeds)
    return [float(value) for value in mean + noise - noise.mean()]
