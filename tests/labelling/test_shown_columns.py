"""What assessors see of the pool never stands for what a batch says about its objects."""

import json
from typing import Any

import pandas as pd
import pytest

from tests.helpers.campaigns import begun, hidden_pool

ABOUT = ("predicted", "probability", "priority")
OTHER = "shown_priority"


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Return a pool with columns of these names; the predictions are no classes, the priorities no numbers."""
    columns: Any = {name: [f"{name} {row % 3}" for row in range(150)] for name in (*ABOUT, OTHER)}
    return hidden_pool(tmp_path_factory.mktemp("pool") / "posts.parquet", **columns)


@pytest.mark.parametrize("name", ABOUT)
def test_a_column_of_the_pool_is_shown_and_is_not_the_batchs_own(pool, tmp_path, name):
    campaign = begun(pool, tmp_path, initial=150, show=(name,))
    batch = campaign.next(4)
    assert batch.tasks["priority"].tolist() == [4.0, 3.0, 2.0, 1.0]
    assert batch.tasks[f"shown_{name}"].str.startswith(name).all()
    (path,) = campaign.write(batch, tmp_path / "batch.csv")
    table = pd.read_csv(path)
    assert table[f"shown_{name}"].tolist() == batch.tasks[f"shown_{name}"].tolist()
    assert table[["predicted", "probability"]].isna().all(axis=None)


def test_no_shown_column_is_lost_and_none_is_sent_as_a_prediction(pool, tmp_path):
    campaign = begun(pool, tmp_path, initial=150, show=(*ABOUT, OTHER))
    batch = campaign.next(4)
    assert [*batch.tasks.columns] == [
        "id",
        "shown_predicted",
        "shown_probability",
        "shown_shown_priority",
        OTHER,
        "priority",
    ]
    (path, *_) = campaign.write(batch, tmp_path / "batch.json", "label-studio")
    (task, *_) = json.loads(path.read_text())
    assert [each["result"] for each in task["predictions"]] == [[]]
    assert {*task["data"]} >= {*batch.tasks.columns} - {"id", "priority"}
