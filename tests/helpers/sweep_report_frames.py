"""Records of a made sweep: rising curves, arms that differ from random by a known amount, classes of known shares."""

import dataclasses
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.summary import summarise
from alray.reporting.sweep.results import SweepResults

SHARES = {"cat": 0.5, "dog & fox": 0.3, "<script>alert(1)</script>": 0.2}


@dataclass(frozen=True)
class Size:
    """How large the made study is."""

    strategies: tuple[str, ...] = ("random", "margin", "bald:members=20", "ideal_loss")
    variants: tuple[str, ...] = ("",)
    seeds: int = 6
    rounds: int = 12
    initial: int = 100
    query: int = 10


VARIED = Size(strategies=("random", "margin"), variants=("", "batch_norm=frozen"), rounds=6)


def runs_of(size: Size) -> pd.DataFrame:
    rows = itertools.product(size.variants, size.strategies, range(size.seeds))
    runs = pd.DataFrame(rows, columns=["variant", "strategy", "seed"])
    names = runs["strategy"] + (" [" + runs["variant"] + "]").where(runs["variant"] != "", "")
    return runs.assign(
        study="made",
        run_id=runs["strategy"] + "-" + runs["variant"] + "-" + runs["seed"].astype(str),
        arm=names,
        oracle=runs["strategy"].str.startswith("ideal"),
        full_data=False,
        status="finished",
        error="",
        traceback="",
        attempts=1,
        rounds_done=size.rounds,
        seconds=1.0,
        host="here",
    )


def rounds_of(runs: pd.DataFrame, size: Size, rng: np.random.Generator) -> pd.DataFrame:
    labels = size.initial + size.query * np.arange(size.rounds + 1)
    frames = []
    of_seed = {seed: rng.normal(0, 0.01) for seed in range(size.seeds)}
    for run in runs[runs["status"] == "finished"].to_dict("records"):
        speed = 1 + 0.12 * size.strategies.index(run["strategy"])
        curve = 0.8 - 0.5 * np.exp(-speed * (labels - 50) / (6 * size.query * size.rounds / 12))
        accuracy = curve + of_seed[run["seed"]] + rng.normal(0, 0.004, len(labels))
        columns = {
            **{name: run[name] for name in IDENTITY},
            "round": np.arange(len(labels)),
            "labels": labels,
            "accuracy": accuracy,
            "macro_f1": accuracy - 0.05,
            "nll": 2 * (1 - accuracy),
            "ece": 0.1 * (1 - accuracy),
            "labelled_classes": 3,
            "query_s": rng.uniform(0.1, 0.2, len(labels)) * speed,
            "fit_s": rng.uniform(0.3, 0.5, len(labels)),
            "eval_s": 0.05,
            "sigma_fused": np.linspace(1, 0.4, len(labels)),
            "sigma_text": np.linspace(1, 0.7, len(labels)),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


IDENTITY = ("study", "run_id", "arm", "strategy", "variant", "oracle", "full_data", "seed")


def queries_of(runs: pd.DataFrame, size: Size, rng: np.random.Generator) -> pd.DataFrame:
    names = list(SHARES)
    frames = []
    for run in runs[runs["status"] == "finished"].to_dict("records"):
        counts = [size.initial] + [size.query] * size.rounds
        rounds = np.repeat(np.arange(size.rounds + 1), counts)
        chance = (rounds == 0) | (run["strategy"] == "random")
        drawn = rng.choice(names, len(rounds), p=list(SHARES.values()))
        chosen = rng.choice(names, len(rounds), p=[0.2, 0.3, 0.5])
        columns = {
            **{name: run[name] for name in IDENTITY},
            "round": rounds,
            "rank": np.concatenate([np.arange(count) for count in counts]),
            "id": [f"object-{number}" for number in range(len(rounds))],
            "score": np.where(chance, np.nan, rng.random(len(rounds)) / (1 + rounds)),
            "label": np.where(chance, drawn, chosen),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def frames_of(size: Size | None = None, runs: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return `rounds`, `queries` and `runs`, as a study's folder holds them; only finished runs have records."""
    size = size or Size()
    rng = np.random.default_rng(5)
    runs = runs_of(size) if runs is None else runs
    return {
        "rounds": rounds_of(runs, size, rng),
        "queries": queries_of(runs, size, rng),
        "runs": runs,
    }


SETTINGS: dict[str, Any] = {
    "name": "made",
    "seed": 0,
    "pool": {"source": "no-such-pool.parquet"},
    "split": {"validation": 0.1, "test": 0.2},
    "model": {"name": "late_fusion", "width": 8, "dropout": 0.5},
    "training": {"lr": 0.001, "batch_size": 64, "batch_norm": "live", "mode": "finetune"},
    "strategies": ["random", "margin"],
    "metric_split": "test",
}
MANIFEST = {
    "kind": "sweep",
    "alray": "0.1.0",
    "pool": "made pool",
    "pool_fingerprint": "f" * 64,
    "python": "3.11.7",
    "versions": {"torch": "2.13.0", "ray": None},
    "machine": {"processor": "a processor"},
    "begun": "2026-01-01T00:00:00+00:00",
    "ended": "2026-01-01T01:00:00+00:00",
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
    """Write a made study's folder."""
    size = size or Size()
    frames = frames_of(size, runs)
    for name in ("rounds", "queries"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for run_id, of_run in frames[name].groupby("run_id"):
            pq.write_table(_as_recorded(of_run), folder / name / f"{run_id}.parquet")
    pq.write_table(_as_recorded(frames["runs"]), folder / "runs.parquet")
    labels = {"initial": size.initial, "query": size.query, "rounds": size.rounds}
    settings = {**SETTINGS, **labels, "seeds": list(range(size.seeds))}
    (folder / "study.yaml").write_text(yaml.safe_dump(settings))
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, **manifest}))
    return folder


def _as_recorded(frame: pd.DataFrame) -> pa.Table:
    made = pa.Table.from_pandas(frame, preserve_index=False)
    kinds = [
        (field.name, pa.string() if pa.types.is_large_string(field.type) else field.type)
        for field in made.schema
    ]
    return made.cast(pa.schema(kinds)).replace_schema_metadata(None)
