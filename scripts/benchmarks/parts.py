"""Margin rounds of each network that settings can choose, beside a plain PyTorch loop over the same network.

48,000 objects x (128 + 128) float32, 50 classes, 700 labels, query 20; milliseconds of one core, medians of rounds
taken in turn.
"""

import click
import pandas as pd
import torch

from alray.settings.common import ModelSpec
from benchmarks.harness import tables
from benchmarks.harness.options import COUNT
from benchmarks.harness.timing import ratio
from benchmarks.phases import time_phases
from benchmarks.workloads import make_pool

PACKAGES = ("torch", "numpy")
LABELS = 700
DIMENSIONS = {"image": 128, "text": 128}
MODELS: tuple[dict[str, str], ...] = (
    {},
    {"block": "residual"},
    {"block": "highway"},
    {"fusion": "sum"},
    {"fusion": "gated"},
    {"fusion": "attention"},
    {"fusion": "matrix"},
    {"fusion": "early"},
    {"encoder": "linear"},
    {"encoder": "none"},
    {"name": "linear"},
)


@click.command(help=__doc__)
@click.option("--objects", default=48_000, type=COUNT, help="Size of the pool.")
@click.option("--repetitions", default=7, type=COUNT, help="Of each round.")
@tables.write_option
def parts(*, objects: int, repetitions: int, write: bool) -> None:
    torch.set_num_threads(1)
    print("\n".join(tables.machine(PACKAGES)))
    frame = measure(objects, repetitions)
    table = as_table(frame, objects)
    tables.print_table(table)
    if write:
        tables.write_reference("parts", frame, [table], PACKAGES)


def measure(objects: int, repetitions: int) -> pd.DataFrame:
    """Return the seconds of each phase, a row per network, way and repetition."""
    pool = make_pool(objects, DIMENSIONS)
    rows = []
    for settings in MODELS:
        model = ModelSpec.model_validate(settings)
        ways = time_phases(pool, min(LABELS, len(pool.train) // 2), repetitions, model)
        name = ", ".join(f"{key} {value}" for key, value in settings.items()) or "the usual parts"
        for way, seconds in zip(("alray", "plain"), ways, strict=True):
            frame = pd.DataFrame(seconds)
            rows.append(frame.assign(network=name, way=way, repetition=frame.index))
    return pd.concat(rows, ignore_index=True)


def as_table(frame: pd.DataFrame, objects: int) -> tables.Table:
    """Return medians, a row per network."""
    rows = []
    for name, of_network in frame.groupby("network", sort=False):
        alray, plain = (of_network[of_network["way"] == way] for way in ("alray", "plain"))
        medians = alray[["query", "fit", "evaluate", "round"]].median() * 1e3
        rows.append(
            [
                str(name),
                *(f"{value:.1f}" for value in medians),
                f"{1e3 * plain['round'].median():.1f}",
                f"{ratio(plain['round'].tolist(), alray['round'].tolist()):.2f}",
            ]
        )
    return tables.Table(
        f"Margin rounds, {LABELS} labels of {objects:,} objects x {sum(DIMENSIONS.values())}: milliseconds on one core",
        ["network", "query", "fit", "evaluate", "round", "plain loop", "plain / alray"],
        rows,
    )
