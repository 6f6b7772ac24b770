"""Records of a made sweep: rising curves, arms that differ from random by a known amount, classes of known shares."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.summary import summarise
from alray.reporting.sweep.results import SweepResults
from alray.settings.common import PoolSpec
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.records import RUN_COLUMNS
from alray.studies.sweep.store import SweepStore
from tests.helpers import sweep_frames

SHARES = {"cat": 0.5, "dog & fox": 0.3, "<script>alert(1)</script>": 0.2}
INITIAL, QUERY = 100, 10


@dataclass(frozen=True)
class Size:
    """How large the made study is."""

    strategies: tuple[str, ...] = ("random", "margin", "bald:members=20", "ideal_loss")
    variants: tuple[str, ...] = ("",)
    seeds: int = 6
    rounds: int = 12


VARIED = Size(strategies=("random", "margin"), variants=("", "batch_norm=frozen"), rounds=6)


def runs_of(size: Size) -> pd.DataFrame:
    runs = sweep_frames.runs_of(size.seeds, size.strategies, size.variants)
    return runs.assign(study="made", error="", rounds_done=size.rounds, host="here")


def rounds_of(finished: pd.DataFrame, size: Size, rng: np.random.Generator) -> pd.DataFrame:
    rounds = finished.merge(pd.DataFrame({"round": range(size.rounds + 1)}), how="cross")
    n = len(rounds)
    labels = INITIAL + QUERY * rounds["round"]
    speed = 1 + 0.12 * rounds["strategy"].map(size.strategies.index).astype(int)
    curve = 0.8 - 0.5 * np.exp(-speed * (labels - 50) / (5 * size.rounds))
    of_seed = rng.normal(0, 0.01, size.seeds)[rounds["seed"]]
    accuracy = curve + of_seed + rng.normal(0, 0.004, n)
    done = rounds["round"] / size.rounds
    return rounds.assign(
        labels=labels,
        accuracy=accuracy,
        macro_f1=accuracy - 0.05,
        nll=2 * (1 - accuracy),
        ece=0.1 * (1 - accuracy),
        labelled_classes=3,
        query_s=rng.uniform(0.1, 0.2, n) * speed,
        fit_s=rng.uniform(0.3, 0.5, n),
        eval_s=0.05,
        sigma_fused=1 - 0.6 * done,
        sigma_text=1 - 0.3 * done,
        **measures_of(rounds),
    )


def measures_of(rounds: pd.DataFrame) -> dict[str, Any]:
    """Return how alike the objects of queries are: near duplicates are in margin's."""
    rng = np.random.default_rng(6)
    of_query = (rounds["round"] >= 1).to_numpy()
    share = np.where(rounds["strategy"] == "margin", 0.12, 0.02)
    measures: dict[str, Any] = {
        "query_diversity": 1.0,
        "query_density": 0.5,
        "query_duplicates": share,
    }
    return {
        name: np.where(of_query, usual + rng.normal(0, 0.01, len(rounds)), np.nan)
        for name, usual in measures.items()
    }


def queries_of(finished: pd.DataFrame, size: Size, rng: np.random.Generator) -> pd.DataFrame:
    rounds = np.repeat(np.arange(size.rounds + 1), [INITIAL] + [QUERY] * size.rounds)
    ids = [f"object-{number}" for number in range(len(rounds))]
    queries = finished.merge(pd.DataFrame({"round": rounds, "id": ids}), how="cross")
    n = len(queries)
    queries["id"] += np.where(queries["round"] == 0, "", (queries.index % 3).astype(str))
    chance = (queries["round"] == 0) | (queries["strategy"] == "random")
    drawn, chosen = (
        rng.choice(list(SHARES), n, p=shares)
        for shares in (list(SHARES.values()), [0.2, 0.3, 0.5])
    )
    return queries.assign(
        rank=queries.groupby(["run_id", "round"]).cumcount(),
        score=np.where(chance, np.nan, rng.random(n) / (1 + queries["round"])),
        label=np.where(chance, drawn, chosen),
    )


def frames_of(size: Size | None = None, runs: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return `rounds`, `queries` and `runs`, as a study's folder holds them; only finished runs have records."""
    size = size or Size()
    rng = np.random.default_rng(5)
    runs = runs_of(size) if runs is None else runs
    finished = runs.loc[runs["status"] == "finished", list(RUN_COLUMNS)]
    return {
        "rounds": rounds_of(finished, size, rng),
        "queries": queries_of(finished, size, rng),
        "runs": runs,
    }


MANIFEST = {
    "kind": "sweep",
    "pool": "made pool",
    "pool_fingerprint": "f" * 64,
    "command": "alray sweep --pool made",
    "train_classes": {"cat": 50, "dog & fox": 30, "<script>alert(1)</script>": 20},
}


def results_of(size: Size | None = None, **changes: Any) -> SweepResults:
    """Return what the page of a made sweep is made from, with changes."""
    frames = frames_of(size)
    summary = summarise(frames["rounds"], frames["runs"], np.random.default_rng(0))
    classes = {name: int(100 * share) for name, share in SHARES.items()}
    found = compare(**frames, pool_classes=classes, rng=np.random.default_rng(0))
    made = SweepResults(
        title="made",
        summary=summary,
        comparison=found,
        verdict="margin saves labels.",
        problems=(),
        facts={"pool": "a pool", "command": "alray sweep --pool a"},
        settings={"training.lr": "0.001"},
        links=(("runs.parquet", "runs.parquet"),),
    )
    return dataclasses.replace(made, **changes)


def write_study(
    folder: Path, size: Size | None = None, runs: pd.DataFrame | None = None, **manifest: Any
) -> Path:
    """Write a made study's folder, with changes to its manifest."""
    size = size or Size()
    frames = frames_of(size, runs)
    spec = SweepSpec(
        name="made",
        pool=PoolSpec(source="no-such-pool.parquet"),
        strategies=size.strategies,
        seeds=tuple(range(size.seeds)),
        initial=INITIAL,
        query=QUERY,
        rounds=size.rounds,
    )
    with SweepStore(folder) as store:
        store.write_study(spec.model_dump(mode="json"))
        store.write_manifest({**MANIFEST, **manifest})
        store.write_runs(frames["runs"].to_dict("records"))
        for run_id, queries in frames["queries"].groupby("run_id"):
            rounds = frames["rounds"].query("run_id == @run_id")
            store.write_run(run_id, rounds.to_dict("records"), queries.to_dict("records"))
    return folder


def change_rounds(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change the rounds of each run of a study's folder; types stay."""
    for path in (folder / "rounds").iterdir():
        table = pq.read_table(path)
        changed = change(table.to_pandas())
        pq.write_table(pa.Table.from_pandas(changed, table.schema, preserve_index=False), path)
