"""Records of a made sweep in memory, of known heights: what a summary and a comparison are computed from."""

import itertools
from collections.abc import Iterable

import numpy as np
import pandas as pd

from tests.helpers.intervals import generator

LABELS = [100, 120, 140, 160, 180]
CONTROL = "random + loss predictor"
HEIGHTS = {"random": 0.0, "margin": 0.02, "bald:members=20": -0.01, "ideal_loss": 0.005}


def runs_of(seeds: int, strategies: Iterable[str], variants: Iterable[str]) -> pd.DataFrame:
    """Return a row per run, all of which have finished."""
    rows = itertools.product(variants, strategies, range(seeds))
    runs = pd.DataFrame(rows, columns=["variant", "strategy", "seed"])
    return runs.assign(
        run_id=runs["strategy"] + runs["variant"] + "__seed-" + runs["seed"].astype(str),
        arm=runs["strategy"] + (" [" + runs["variant"] + "]").where(runs["variant"] != "", ""),
        oracle=runs["strategy"].str.startswith("ideal"),
        full_data=False,
        status="finished",
    )


def study(seeds=8, strategies=tuple(HEIGHTS), variants=("",)):
    """Return `rounds` and `runs` of a study in which everything finished."""
    runs = runs_of(seeds, strategies, variants)
    of_run, of_round = np.split(
        generator(1).normal(size=(len(runs), 1 + len(LABELS))), [1], axis=1
    )
    height = 0.5 + runs["strategy"].map(HEIGHTS).to_numpy()[:, None] + 0.01 * of_run
    accuracy = height + 0.001 * (np.array(LABELS) - 100) + 0.005 * of_round
    grid = pd.DataFrame({"round": range(len(LABELS)), "labels": LABELS})
    rounds = runs.drop(columns="status").merge(grid, how="cross").assign(accuracy=accuracy.ravel())
    return rounds.assign(
        macro_f1=rounds["accuracy"] - 0.1,
        nll=2 - rounds["accuracy"],
        ece=rounds["accuracy"] / 10,
        train_loss=1.0,
        query_s=1.0 + rounds["round"],
        fit_s=2.0,
        eval_s=0.5,
    ), runs


def study_with_own_reference():
    """Return a study whose learning_loss gains on random with a loss predictor, which is far below plain random."""
    rounds, runs = study(strategies=("random", "margin", "ideal_loss", "bald:members=20"))
    named = {"margin": "learning_loss", "ideal_loss": CONTROL, "bald:members=20": "margin"}
    gains = {"random": 0.05, CONTROL: -0.05, "learning_loss": -0.05, "margin": 0.07}
    against = {"random": "", CONTROL: "random", "learning_loss": CONTROL, "margin": "random"}
    rounds, runs = (frame.assign(arm=frame["arm"].replace(named)) for frame in (rounds, runs))
    strategies = runs["arm"].replace({CONTROL: "random"})
    runs = runs.assign(strategy=strategies, oracle=False, against=runs["arm"].map(against))
    grown = 0.001 * (rounds["labels"] - 100) * (rounds["arm"] == "learning_loss")
    heights = 0.5 + 0.001 * (rounds["labels"] - 100) + 0.01 * np.sin(rounds["seed"])
    noise = generator(3).normal(0, 0.002, len(rounds))
    return rounds.assign(accuracy=heights + rounds["arm"].map(gains) + grown + noise), runs


def study_with_unpaired_seeds():
    """Return a study in which seeds 0 and 1 of margin and seed 7 of random have failed."""
    rounds, runs = study()
    gone = ((runs["arm"] == "margin") & (runs["seed"] < 2)) | (runs["run_id"] == "random__seed-7")
    runs.loc[gone, "status"] = "failed"
    return rounds, runs


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
