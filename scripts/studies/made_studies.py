"""Studies made of the curves of real runs: which arm and which seed a run stands for is drawn, and its curve stays."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd
from jaxtyping import Float

from alray import load

Curves = Float[np.ndarray, "seed point"]
Labels = Float[np.ndarray, " point"]


def curves_of(study: Path, arms: Sequence[str]) -> tuple[Labels, dict[str, Curves]]:
    """Return the label counts of a sweep on disk, and these arms' accuracies on the seeds that all of them finished.

    Raises:
        click.ClickException: No seed is finished by all of these arms.
    """
    found = load(study)
    finished = found.runs.loc[found.runs["status"] == "finished", "run_id"]
    rounds = found.rounds[found.rounds["run_id"].isin(finished) & found.rounds["arm"].isin(arms)]
    table = rounds.pivot(index="seed", columns=["arm", "labels"], values="accuracy").dropna()
    if table.empty or not set(arms) <= set(table.columns.get_level_values("arm")):
        raise click.ClickException(
            f"{study}: no seed is finished by all of {', '.join(arms)}; run the sweep to its end"
        )
    labels = table[arms[0]].columns.to_numpy(float)
    return labels, {arm: table[arm].to_numpy(float) for arm in arms}


def frames_of(labels: Labels, curves: Mapping[str, Curves]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `rounds` and `runs` of a finished sweep with these accuracies; row i of all arms is seed i."""
    runs = pd.DataFrame(
        [(arm, seed) for arm, values in curves.items() for seed in range(len(values))],
        columns=["arm", "seed"],
    )
    runs = runs.assign(
        run_id=runs["arm"] + "__seed-" + runs["seed"].astype(str),
        strategy=runs["arm"],
        variant="",
        oracle=False,
        full_data=False,
        status="finished",
    )
    grid = pd.DataFrame({"round": range(len(labels)), "labels": labels.astype(int)})
    accuracy = np.concatenate([values.ravel() for values in curves.values()])
    rounds = runs.drop(columns="status").merge(grid, how="cross").assign(accuracy=accuracy)
    unknown = dict.fromkeys(("macro_f1", "nll", "ece"), math.nan)
    return rounds.assign(query_s=0.0, fit_s=1.0, eval_s=0.0, **unknown), runs
