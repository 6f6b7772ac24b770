"""Records of a made sweep in memory, of known heights: what a summary and a comparison are computed from."""

import numpy as np
import pandas as pd

from tests.helpers.intervals import generator

LABELS = [100, 120, 140, 160, 180]
HEIGHTS = {"random": 0.0, "margin": 0.02, "bald:members=20": -0.01, "ideal_loss": 0.005}


def run_of(arm, strategy, seed, variant="", status="finished"):
    return {
        "run_id": f"{arm}__seed-{seed}",
        "arm": arm,
        "strategy": strategy,
        "variant": variant,
        "oracle": strategy == "ideal_loss",
        "full_data": False,
        "seed": seed,
        "status": status,
    }


def rounds_of(run, rng, labels=LABELS):
    height = 0.5 + HEIGHTS[run["strategy"]] + rng.normal(0, 0.01)
    noise = rng.normal(0, 0.005, size=len(labels))
    accuracy = height + 0.001 * (np.array(labels) - 100) + noise
    rows = []
    for number, count in enumerate(labels):
        value = accuracy[number]
        rows.append(
            {key: run[key] for key in run if key != "status"}
            | {"round": number, "labels": count, "accuracy": value, "macro_f1": value - 0.1}
            | {"nll": 2 - value, "ece": value / 10, "train_loss": 1.0}
            | {"query_s": 1.0 + number, "fit_s": 2.0, "eval_s": 0.5}
        )
    return rows


def study(seeds=8, strategies=tuple(HEIGHTS), variants=("",)):
    """Return `rounds` and `runs` of a study in which everything finished."""
    rng = generator(1)
    runs = [
        run_of(f"{strategy} {variant}".strip(), strategy, seed, variant)
        for variant in variants
        for strategy in strategies
        for seed in range(seeds)
    ]
    rounds = [row for run in runs for row in rounds_of(run, rng)]
    return pd.DataFrame(rounds), pd.DataFrame(runs)


def study_without_a_partner(kept=()):
    """Return a study in which only these seeds of random have finished, which no other arm has; its rounds stay."""
    rounds, runs = study(strategies=("random", "margin"))
    runs.loc[runs["arm"] == "random", "status"] = "unfinished"
    if kept:
        runs.loc[runs["run_id"] == "random__seed-7", ["seed", "status"]] = [*kept, "finished"]
    return rounds, runs


def curves_of(rounds, arm):
    of_arm = rounds[rounds["arm"] == arm]
    return of_arm.pivot(index="seed", columns="labels", values="accuracy").to_numpy()
