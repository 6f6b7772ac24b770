"""Choosing from a pool that is made on the disk, read in parts, and deleted after: seconds, memory, share of reading.

Objects of standard normal float32 features in one Parquet file (zstd, row groups of 50,000), the default network for 50
classes with weights by chance, no labels. Before that, 100,000 objects are chosen from in parts and in memory: both
must choose the same, to the bit. Peak memory is the resident set, PyTorch and Ray included.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import torch
from typing_extensions import override

from alray.labelling.choosing import choose_with
from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality
from alray.pools.reading_parts import candidate_pool
from alray.pools.standardise import Moments
from alray.pools.writing import Chunk, ChunkModality, write_pool
from alray.scoring import engine
from alray.seeding import torch_seed
from alray.settings.common import ExecutionSpec, ModelSpec, PoolSpec, TrainingSpec
from alray.strategies import ScoreStrategy, parse
from alray.studies.choosing.choice import Choice
from alray.studies.choosing.observer import ChoosingObserver
from alray.studies.choosing.part_worker import PartDone
from alray.studies.choosing.rule import ChoiceSeed
from alray.studies.choosing.trained import TrainedModality, TrainedNetwork
from alray.studies.choosing.work import ChoiceOptions, Choosing
from alray.training.learner import fresh_learner
from benchmarks.harness import tables
from benchmarks.harness.options import COUNT
from benchmarks.harness.processes import MEGABYTE, reset_peak, resident
from benchmarks.workloads import CLASSES, make_pool

PACKAGES = ("torch", "numpy", "pyarrow", "ray")
ROW_GROUP = 50_000
COMPARED = 100_000
NODES, OBJECTS = 100, 1_000_000_000
"""Of the figure that follows by arithmetic."""


def write_objects(path: Path, objects: int, features: int) -> None:
    """Write a pool without labels, a row group at a time."""

    def chunks() -> Iterator[Chunk]:
        for start in range(0, objects, ROW_GROUP):
            number = min(ROW_GROUP, objects - start)
            rng = np.random.default_rng(start)
            values = rng.standard_normal((number, features), dtype=np.float32)
            ids = np.array([f"post-{n:010d}" for n in range(start, start + number)], object)
            labels = np.ma.MaskedArray(np.zeros(number, np.int64), mask=True)
            modality = ChunkModality(values, np.ones(number, np.bool_))
            yield Chunk(ids, labels, {"image": modality})

    write_pool(path, chunks())


def network_for(features: int) -> TrainedNetwork:
    """Return the default network as it begins, which takes features as they are."""
    pool = PoolTensors(make_pool(10, {"image": features}))
    learner = fresh_learner(
        ModelSpec(), TrainingSpec(), pool, lambda purpose: torch_seed(0, 0, purpose)
    )
    moments = Moments(np.zeros(features), np.ones(features))
    modality = TrainedModality("image", (features,), moments)
    return TrainedNetwork.of(learner, ModelSpec(), CLASSES, [modality])


class Recorder(ChoosingObserver):
    """Keeps what each part took."""

    def __init__(self) -> None:
        self.begun = self.ended = 0.0
        self.rows: list[dict[str, float]] = []

    @override
    def begin(self, work: Choosing) -> None:
        reset_peak()

    @override
    def read(self, done: PartDone) -> None:
        self.ended = time.perf_counter()
        # Starting Ray and its workers is no matter of size: time runs from the end of the first part.
        self.begun = self.begun or self.ended
        costs = done.costs
        self.rows.append(
            {
                "part": done.part.number,
                "rows": done.part.rows,
                "reading": costs.reading,
                "scoring": costs.scoring,
                "process": costs.process,
                "peak": costs.peak / MEGABYTE,
                "driver": resident()["VmHWM"],
                "at": self.ended - self.begun,
            }
        )


def work_on(
    path: Path, network: TrainedNetwork, strategy: str, query: int, execution: ExecutionSpec
) -> Choosing:
    """Return what a choice goes by."""
    pool = candidate_pool(PoolSpec(source=str(path)), network.shapes)
    return Choosing(pool, network, strategy, query, ChoiceOptions(execution=execution))


def in_memory(path: Path, features: int, network: TrainedNetwork, strategy: str) -> np.ndarray:
    """Return the scores of all objects by the engine, the whole pool being in memory, the best first."""
    table = pq.read_table(path, columns=["id", "image"])
    values = table["image"].combine_chunks().flatten().to_numpy().reshape(-1, features)
    rows = np.arange(len(values), dtype=np.int32)
    modality = Modality("image", values, rows, (features,))
    pool = PoolTensors(network.prepare([modality], rows.astype(object)))
    built, predictor = network.build(pool.device)
    rule = parse(strategy)
    if not isinstance(rule, ScoreStrategy):
        raise TypeError(strategy)
    masks = torch_generator(torch_seed(0, 0, "committee"))
    scores = engine.scores_of(rule, built, pool, rows.astype(np.int64), masks, predictor)
    draws = ChoiceSeed().draws(table["id"].to_numpy())
    order = np.lexsort((draws, -scores if rule.largest else scores))
    return np.stack([order, scores[order]])


def equal_in_memory(found: Choice, expected: np.ndarray) -> bool:
    """Return whether a choice has the rows and the scores of the best in memory, to the bit."""
    rows, scores = expected[:, : len(found)]
    return bool(np.array_equal(found.rows, rows) and np.array_equal(found.scores, scores))


def compare(path: Path, features: int, network: TrainedNetwork, query: int) -> list[str]:
    """Return a line that says whether a choice in parts is the one in memory, of a pool that is made at this path."""
    write_objects(path, COMPARED, features)
    lines = []
    for strategy in ("margin", "bald"):
        work = work_on(path, network, strategy, query, ExecutionSpec(executor="inline"))
        expected = in_memory(path, features, network, strategy)
        equal = equal_in_memory(choose_with(work), expected)
        lines.append(
            f"{strategy}, {COMPARED:,} objects: the choice in parts "
            f"{'equals' if equal else 'DIFFERS FROM'} that in memory, scores to the bit"
        )
    return lines


def measure(work: Choosing) -> pd.DataFrame:
    """Return a row per part, and the seconds of the whole choice."""
    recorder, begin = Recorder(), time.perf_counter()
    choose_with(work, recorder)
    whole = time.perf_counter() - begin
    return pd.DataFrame(recorder.rows).assign(strategy=work.strategy, whole=whole)


def as_table(frame: pd.DataFrame, features: int, workers: int) -> tables.Table:
    """Return a row per strategy."""
    rows, notes = [], []
    for strategy, each in frame.groupby("strategy", sort=False):
        timed = each.iloc[1:]
        seconds = float(each["at"].max())
        rate = float(timed["rows"].sum()) / seconds
        spent = timed[["reading", "scoring"]].sum()
        first = each.iloc[: max(1, len(each) // 4)]
        rows.append(
            [
                str(strategy),
                f"{each['whole'].max():,.1f}",
                f"{rate:,.0f}",
                f"{100 * spent['reading'] / spent.sum():.0f} %",
                f"{first['peak'].max():,.0f}",
                f"{each['peak'].max():,.0f}",
                f"{each['driver'].max():,.0f}",
            ]
        )
        notes.append(
            f"{strategy}, by arithmetic: {OBJECTS:,} objects on {NODES} nodes of {workers} such processes take "
            f"{OBJECTS:,} / ({NODES} x {rate:,.0f} rows/s) = {OBJECTS / NODES / rate:,.0f} s, if storage gives each "
            f"node {rate * features * 4 / MEGABYTE:,.0f} MB/s and one driver keeps up with "
            f"{NODES * rate / ROW_GROUP:,.0f} parts/s"
        )
    objects = frame.groupby("strategy")["rows"].sum().max()
    return tables.Table(
        f"Choosing from {objects:,.0f} objects x {features}, processes: {workers}",
        ["strategy", "seconds", "rows/s", "reading", "MB, first", "MB, all", "driver MB"],
        rows,
        [
            "seconds: with the start of Ray and the comparing of a short list; rows/s: after the first part",
            "reading: its share of the processes' time; the rest is scoring",
            "MB: peak memory of a reading process in the first quarter of the parts, and in all; driver: its own",
            *notes,
        ],
    )


@click.command(help=__doc__)
@click.option("--objects", default=10_000_000, type=COUNT, help="Size of the pool.")
@click.option("--features", default=128, type=COUNT, help="Features of an object.")
@click.option("--query", default=1000, type=COUNT, help="Objects to choose.")
@click.option("--strategies", default="margin,bald,badge", help="Strategies to choose by.")
@click.option("--workers", default=2, type=COUNT, help="Processes of Ray; 1 for this process.")
@click.option("--folder", type=Path, help="Where the pool is made for a while.")
@tables.write_option
def choose(**options: Any) -> None:
    chosen = SimpleNamespace(**options)
    torch.set_num_threads(1)
    if chosen.objects <= ROW_GROUP:
        raise click.BadParameter(
            f"--objects: more than {ROW_GROUP:,}, so that there are two parts"
        )
    print("\n".join(tables.machine(PACKAGES)))
    kind: Any = "ray" if chosen.workers > 1 else "inline"
    execution = ExecutionSpec(executor=kind, parallel=chosen.workers)
    network = network_for(chosen.features)
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        small, pool = (Path(folder) / f"{name}.parquet" for name in ("small", "pool"))
        equal = compare(small, chosen.features, network, chosen.query)
        print("\n".join(equal), flush=True)
        write_objects(pool, chosen.objects, chosen.features)
        frames = [
            measure(work_on(pool, network, strategy.strip(), chosen.query, execution))
            for strategy in chosen.strategies.split(",")
        ]
    frame = pd.concat(frames)
    table = as_table(frame, chosen.features, chosen.workers)
    table = replace(table, notes=[*equal, *table.notes])
    tables.print_table(table)
    if chosen.write:
        tables.write_reference("choose", frame, [table], PACKAGES)
