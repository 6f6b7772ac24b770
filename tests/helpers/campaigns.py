"""Small campaigns: a pool whose labels are hidden, and assessors who know them."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alray.labelling.campaign import Campaign
from tests.helpers.studies import write_pool

QUICK: dict[str, Any] = {
    "model": {"width": 8},
    "training": {"passive_epochs": 2},
    "initial": 20,
    "name": "posts",
}
TIMES = ("asked", "seen", "added", "choose_s")


def hidden_pool(path: Path, *, objects: int = 150, labelled: int = 24, **more: Any) -> Path:
    """Write a pool of which only the first objects have a label; `truth.parquet` beside it has all labels."""
    write_pool(path, objects=objects, **more)
    table = pq.read_table(path)
    pq.write_table(table.select(["id", "label"]), path.with_name("truth.parquet"))
    labels = table["label"].to_pylist()
    shown = pa.array(
        [label if row < labelled else None for row, label in enumerate(labels)], pa.string()
    )
    pq.write_table(table.set_column(table.schema.names.index("label"), "label", shown), path)
    return path


def truth_of(pool: Path) -> dict[str, str]:
    """Return id: label of all objects."""
    table = pq.read_table(pool.with_name("truth.parquet"))
    return dict(zip(table["id"].to_pylist(), table["label"].to_pylist(), strict=True))


def answers(
    pool: Path, ids: Collection[str], *, worker: str = "ann", rate: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """Return an assessor's answers, a share of which is wrong at random."""
    truth, rng = truth_of(pool), np.random.default_rng(seed)
    classes = sorted(set(truth.values()))
    labels = [
        truth[each]
        if rng.random() >= rate
        else str(rng.choice([name for name in classes if name != truth[each]]))
        for each in map(str, ids)
    ]
    return pd.DataFrame({"task": list(ids), "worker": worker, "label": labels})


def begun(source: Path, results: Path | str, /, **settings: Any) -> Campaign:
    """Return a campaign that has just begun."""
    return Campaign.start(source, results=results, **{**QUICK, **settings})


def play(campaign: Campaign, pool: Path, batches: int, objects: int = 20, **how: Any) -> None:
    """Have batches chosen and answered."""
    for _ in range(batches):
        campaign.add(answers(pool, campaign.next(objects).tasks["id"], **how))


def on_record(campaign: Campaign) -> dict[str, pd.DataFrame]:
    """Return all tables of a ledger without times."""
    store = campaign._store
    tables = {
        "objects": store.objects(),
        "batches": store.batches(),
        "answers": store.answers(),
        "rounds": store.rounds(),
        "predictions": store.predictions(store.last_batch),
    }
    return {
        name: table.drop(columns=[each for each in TIMES if each in table])
        for name, table in tables.items()
    }


def assert_same_ledger(one: Campaign, other: Campaign) -> None:
    """Compare two ledgers to the bit, but for times."""
    for (name, here), there in zip(on_record(one).items(), on_record(other).values(), strict=True):
        pd.testing.assert_frame_equal(here, there, check_exact=True, obj=name)
