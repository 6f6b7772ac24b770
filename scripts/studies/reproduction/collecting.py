"""From the studies' folders to the few tables that the page is made from, small enough to be published."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import alray
from alray.analysis.sweep.metrics import evaluated
from studies.reproduction.parts import Correlation
from studies.reproduction.plan import Step
from studies.reproduction.windows import window_table

ROUNDS = (
    *("data", "sweep", "arm", "seed", "labels", "accuracy", "macro_f1", "nll"),
    *("validation_accuracy", "train_loss"),
)
RUNS = (
    *("data", "sweep", "arm", "strategy", "oracle", "seed", "status", "batch_size"),
    *("seconds_per_round", "passive_seconds"),
)
CORRELATIONS = (
    *("data", "study", "score", "queried", "grouping", "outcome", "epochs", "bases", "groups"),
    *("seeds", "rho", "rho_low", "rho_high", "p_max", "icc", "uplift", "uplift_low"),
    *("uplift_high", "typical_change", "verdict"),
)
KEYS = {"rounds": ["data", "sweep"], "runs": ["data", "sweep"], "correlations": ["data", "study"]}
SIMULATED = "windows.csv"
_SECONDS = ["query_s", "fit_s", "eval_s"]


@dataclass(frozen=True, eq=False)
class Frames:
    """What is stored.

    Attributes:
        rounds: A row per finished run and evaluated round, with the columns `ROUNDS`.
        runs: A row per run, with the columns `RUNS`.
        correlations: Rows of correlation studies' summaries, with the columns `CORRELATIONS`.
        windows: The simulation of overlapping windows.
    """

    rounds: pd.DataFrame
    runs: pd.DataFrame
    correlations: pd.DataFrame
    windows: pd.DataFrame


def collect(steps: Iterable[Step], work: Path, out: Path) -> Frames:
    """Read what exists of these studies and store it in OUT; what is stored of others stays."""
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in KEYS}
    for step in steps:
        if isinstance(step.study, Correlation):
            folder = work / "correlations" / step.name
            if (folder / "summary.parquet").exists():
                found["correlations"].append(_correlation(step, folder))
            continue
        folder = work / "sweeps" / step.name
        if (folder / "summary.parquet").exists():
            rounds, runs = _sweep(step, folder)
            found["rounds"].append(rounds)
            found["runs"].append(runs)
    out.mkdir(parents=True, exist_ok=True)
    for name, frames in found.items():
        _store(out / f"{name}.parquet", frames, KEYS[name])
    if not (out / SIMULATED).exists():
        window_table().to_csv(out / SIMULATED, index=False)
    return stored(out)


def stored(out: Path) -> Frames:
    """Return what is stored in a folder; a table that is not there is empty."""
    columns = {"rounds": ROUNDS, "runs": RUNS, "correlations": CORRELATIONS}
    frames = {
        name: pd.read_parquet(path)
        if (path := out / f"{name}.parquet").exists()
        else pd.DataFrame(columns=list(columns[name]))
        for name in columns
    }
    windows = pd.read_csv(out / SIMULATED) if (out / SIMULATED).exists() else pd.DataFrame()
    return Frames(**frames, windows=windows)


def _store(path: Path, frames: list[pd.DataFrame], keys: list[str]) -> None:
    """Write frames over the rows with the same keys of a table, the rows in a fixed order."""
    if not frames:
        return
    new = pd.concat(frames, ignore_index=True)
    if path.exists():
        old = pd.read_parquet(path)
        again = pd.MultiIndex.from_frame(new[keys])
        kept = old[~pd.MultiIndex.from_frame(old[keys]).isin(again)]
        new = pd.concat([kept, new], ignore_index=True) if len(kept) else new
    new.sort_values(keys, kind="stable", ignore_index=True).to_parquet(path, compression="zstd")


def _sweep(step: Step, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    study = alray.load(folder)
    named = {"data": step.data.name, "sweep": step.study.name}
    finished = study.runs.loc[study.runs["status"] == "finished", "run_id"]
    done = study.rounds[study.rounds["run_id"].isin(finished)]
    seconds = done[_SECONDS].sum(axis=1)
    later = done["round"] > 0
    runs = study.runs.set_index("run_id").assign(
        **named,
        batch_size=study.settings.training.batch_size,
        seconds_per_round=seconds[later].groupby(done.loc[later, "run_id"]).mean(),
        passive_seconds=seconds[~later].groupby(done.loc[~later, "run_id"]).mean(),
    )
    rounds = evaluated(done).assign(**named)
    return rounds[list(ROUNDS)].copy(), runs.reset_index()[list(RUNS)]


def _correlation(step: Step, folder: Path) -> pd.DataFrame:
    summary = alray.load_correlation(folder).summary
    named = summary.assign(data=step.data.name, study=step.study.name)
    return named.loc[named["outcome"] == "accuracy", list(CORRELATIONS)]
