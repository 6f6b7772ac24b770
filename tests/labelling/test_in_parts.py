"""A campaign whose pool stays in its files: the batches that it has in memory, but for what is drawn at random."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.errors import SpecError
from alray.labelling.campaign import Campaign
from alray.pools.moments import ROWS_AT_A_TIME, Sums, moments
from alray.settings.common import ExecutionSpec
from alray.studies.campaign.store import CampaignStore
from tests.helpers.campaigns import answers, begun, hidden_pool
from tests.helpers.pools_fixtures import write_table

INLINE = ExecutionSpec(executor="inline")


@pytest.fixture(scope="module")
def pools(tmp_path_factory):
    """Return a pool in one row group, and the same in seven."""
    folder = tmp_path_factory.mktemp("pools")
    whole = hidden_pool(folder / "whole.parquet", objects=150, words=["some words"] * 150)
    cut = folder / "cut.parquet"
    write_table(pq.read_table(whole), cut, row_group_size=22)
    return whole, cut


def rounds_of(campaign):
    return CampaignStore(campaign.path).rounds().drop(columns="choose_s")


def campaigns(pools, tmp_path, **settings):
    """Return a campaign in memory, and one in parts."""
    whole, cut = pools
    one = begun(whole, tmp_path / "memory", show=("words",), **settings)
    return one, begun(cut, tmp_path / "parts", show=("words",), in_parts=True, **settings)


@pytest.mark.parametrize(
    "strategy", ["margin", "bald:members=3", "badge", "coreset", "learning_loss"]
)
def test_batches_in_parts_are_those_in_memory(pools, tmp_path, strategy):
    memory, parts = campaigns(pools, tmp_path, strategy=strategy)
    for _ in range(2):
        batches = [memory.next(12), parts.next(12, execution=INLINE)]
        assert batches[0].tasks.equals(batches[1].tasks)
        for campaign, batch in zip((memory, parts), batches, strict=True):
            campaign.add(answers(pools[0], list(batch.tasks["id"])))
    stores = [CampaignStore(each.path) for each in (memory, parts)]
    assert rounds_of(memory).equals(rounds_of(parts))
    batches = [each.batches().drop(columns="asked") for each in stores]
    assert batches[0].equals(batches[1])
    assert stores[0].predictions(2).equals(stores[1].predictions(2))
    assert stores[0].read_network(2) == stores[1].read_network(2)


def test_a_beginning_without_labels_is_the_same_too(pools, tmp_path):
    settings = {"initial": 60, "initial_selection": "typiclust"}
    memory, parts = campaigns(pools, tmp_path, **settings)
    assert memory.next(10).tasks.equals(parts.next(10, execution=INLINE).tasks)


def test_labels_of_one_class_may_lie_behind_all_that_is_compared(pools, tmp_path):
    """Before two classes are known nothing is fitted, and what has a label is not loaded."""
    for pool in pools:
        table = pq.read_table(pool)
        labels = pa.array([None] * 149 + ["class-0"], pa.string())
        table = table.set_column(table.schema.names.index("label"), "label", labels)
        write_table(table, tmp_path / pool.name, row_group_size=22)
    settings = {"initial": 60, "initial_selection": "centroid", "classes": ("class-0", "class-1")}
    here = tmp_path / pools[0].name, tmp_path / pools[1].name
    memory, parts = campaigns(here, tmp_path, **settings)
    assert memory.next(10).tasks.equals(parts.next(10, execution=INLINE).tasks)


def test_many_candidates_to_begin_with_are_compared_as_a_sample(pools, tmp_path, monkeypatch):
    monkeypatch.setattr("alray.studies.campaign.choosing_in_parts.SHORTLIST", 30)
    settings = {"initial": 60, "initial_selection": "centroid"}
    _, parts = campaigns(pools, tmp_path, **settings)
    batch = parts.next(10, execution=INLINE)
    assert len(set(batch.tasks["id"])) == 10


def test_what_cannot_choose_from_parts_is_refused_at_the_start(pools, tmp_path):
    for settings, reason in (
        ({"strategy": "margin:stochastic=softrank"}, "not known while a pool is read in parts"),
        (
            {"model": {"name": "sklearn:sklearn.linear_model.LogisticRegression"}},
            "fitted in memory",
        ),
    ):
        with pytest.raises(SpecError, match=reason):
            begun(pools[0], tmp_path, in_parts=True, **settings)
    memory = begun(pools[0], tmp_path)
    with pytest.raises(SpecError, match="execution has no use"):
        memory.next(5, execution=INLINE)
    assert Campaign(memory.path).settings.in_parts is False


def test_sums_of_rows_that_come_a_few_at_a_time_are_those_of_all():
    rows = np.random.default_rng(0).normal(size=(ROWS_AT_A_TIME + 700, 3)).astype(np.float32)
    mean, deviation = moments(rows, np.arange(len(rows)))
    total = Sums(3)
    squares = Sums(3, mean)
    for start in range(0, len(rows), 999):
        total.add(rows[start : start + 999])
        squares.add(rows[start : start + 999])
    assert np.array_equal(total.total() / total.rows, mean)
    assert np.array_equal(np.sqrt(squares.total() / squares.rows), deviation)
