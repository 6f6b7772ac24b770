"""A campaign in its folder: what is asked, what comes back, and what stays whatever happens."""

import shutil
from functools import partial

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.errors import AlrayError, PoolError, SpecError, StoreError
from alray.labelling.campaign import Campaign
from alray.studies.campaign.store import COLUMNS, CampaignStore
from tests.helpers.campaigns import (
    answers,
    assert_same_ledger,
    begun,
    hidden_pool,
    on_record,
    play,
    truth_of,
)
from tests.helpers.dying_store import DyingStore, Killed
from tests.helpers.faulty_networks import faulty
from tests.helpers.paths import local
from tests.helpers.records import documented, schema, typed


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return hidden_pool(tmp_path_factory.mktemp("campaign") / "posts.parquet")


@pytest.fixture(scope="module")
def played(pool, tmp_path_factory):
    """Return a campaign of two answered batches, which no test changes."""
    campaign = begun(pool, tmp_path_factory.mktemp("played"))
    play(campaign, pool, 2)
    return campaign


@pytest.fixture
def copy(played, tmp_path):
    """Return a copy of it."""
    shutil.copytree(played.path, tmp_path / "posts")
    return Campaign(tmp_path / "posts")


def test_each_batch_has_its_share_of_the_audit_part_and_nothing_twice(played, pool):
    batches = on_record(played)["batches"]
    assert batches.groupby("batch").size().tolist() == [20, 20]
    assert batches.groupby("batch")["purpose"].agg(lambda p: (p == "audit").sum()).tolist() == [
        2,
        2,
    ]
    assert batches["id"].is_unique
    assert not set(batches["id"]) & {f"object-{row}" for row in range(24)}, "these have a label"
    chosen = batches[batches["purpose"] == "strategy"]
    assert chosen["score"].notna().all()
    assert batches.loc[batches["purpose"] == "audit", "score"].isna().all()


def test_the_audit_part_is_never_learnt_from(played):
    rounds, batches = on_record(played)["rounds"], on_record(played)["batches"]
    strategy = (batches[batches["batch"] == 1]["purpose"] == "strategy").sum()
    assert rounds["labels"].tolist() == [24, 24 + strategy]


def test_the_same_ledger_gives_the_same_batch_whatever_happened_before(
    pool, played, copy, tmp_path
):
    """Another campaign that was asked for the same, with the batch repeated and the process begun anew between."""
    other = begun(pool, tmp_path / "other")
    for number in (1, 2):
        batch = other.next(20)
        assert batch.is_new
        again = Campaign(other.path).next(20)
        assert (again.is_new, again.number) == (False, number)
        pd.testing.assert_frame_equal(again.tasks, batch.tasks)
        other.add(answers(pool, batch.tasks["id"]))
    for campaign in (other, copy):
        campaign.next(10)
    assert_same_ledger(other, copy)
    networks = [local(each.path) / "networks" / "0003.safetensors" for each in (other, copy)]
    assert networks[0].read_bytes() == networks[1].read_bytes()


def test_another_seed_audits_and_chooses_otherwise(pool, played, tmp_path):
    other = begun(pool, tmp_path, seed=1)
    play(other, pool, 1)
    here, there = (on_record(each)["batches"].query("batch == 1") for each in (played, other))
    assert set(here["id"]) != set(there["id"])


def killed_at(last, act, monkeypatch):
    """Do something that is killed before the step onto the disk after so many."""
    with monkeypatch.context() as patch:
        DyingStore(patch, last)
        with pytest.raises(Killed):
            act()


@pytest.mark.parametrize("step", ["next", "add"])
def test_killed_before_any_step_onto_the_disk(pool, played, tmp_path, monkeypatch, step):
    """Nothing is lost and nothing doubled: the same command again leaves what one that lived would have left."""
    shutil.copytree(played.path, tmp_path / "whole")
    if step == "add":
        Campaign(tmp_path / "whole").next(10)
        shutil.copytree(tmp_path / "whole", tmp_path / "before")
    else:
        shutil.copytree(played.path, tmp_path / "before")

    def take(path):
        campaign = Campaign(path)
        if step == "next":
            campaign.next(10)
        else:
            ids = on_record(campaign)["batches"].query("batch == 3")["id"]
            campaign.add(answers(pool, ids))

    with monkeypatch.context() as patch:
        counting = DyingStore(patch, -1)
        take(tmp_path / "whole")
    assert counting.steps == {"next": 4, "add": 1}[step]
    for last in range(counting.steps):
        path = tmp_path / str(last)
        shutil.copytree(tmp_path / "before", path)
        killed_at(last, partial(take, path), monkeypatch)
        assert Campaign(path).status().numbers["asked"] == (40 if step == "next" else 50)
        take(path)
        assert_same_ledger(Campaign(tmp_path / "whole"), Campaign(path))


def test_a_start_that_is_killed_leaves_nothing_that_stands_in_the_way(pool, tmp_path, monkeypatch):
    for last in range(3):
        killed_at(last, partial(begun, pool, tmp_path), monkeypatch)
    assert begun(pool, tmp_path).status().numbers["labels"] == 24
    with pytest.raises(
        StoreError, match=r"holds a campaign of labelling; go on with `alray label next`"
    ):
        begun(pool, tmp_path)


def test_two_writers_at_once_are_refused(copy, pool):
    with CampaignStore(copy.path), pytest.raises(StoreError, match="is being written"):
        copy.add(answers(pool, ["object-30"]))


def test_one_export_twice_adds_nothing(copy, pool):
    ids = on_record(copy)["batches"]["id"][:5]
    before = copy.status().numbers
    added = copy.add(answers(pool, ids))
    assert (added.used, added.repeated, added.rows) == (0, 5, [])
    pd.testing.assert_series_equal(pd.Series(copy.status().numbers), pd.Series(before))


def test_a_correction_replaces_and_the_former_stays_on_record(copy):
    (each,) = on_record(copy)["batches"]["id"][:1]
    added = copy.add(pd.DataFrame({"task": [each], "worker": "ann", "label": "class-0"}))
    copy.add(pd.DataFrame({"task": [each], "worker": "ann", "label": "class-1"}))
    added = copy.add(pd.DataFrame({"task": [each], "worker": "ann", "label": "class-2"}))
    assert (added.used, added.corrections) == (1, 1)
    labels = copy.export().set_index("id")
    assert labels.loc[each, "label"] == "class-2"
    assert labels.loc[each, "answers"] == 1
    assert len(on_record(copy)["answers"].query("task == @each")) >= 3


def test_a_later_time_counts_though_it_was_added_before(copy, pool):
    each = on_record(copy)["batches"]["id"][0]
    times = {"late": "2030-01-02T00:00:00Z", "early": "2030-01-01T00:00:00Z"}
    for when, label in (("late", "class-1"), ("early", "class-2")):
        row = {"task": [each], "worker": "bob", "label": label, "time": times[when]}
        copy.add(pd.DataFrame(row))
    valid = copy.export().set_index("id").loc[each]
    assert valid["workers"] == "ann,bob"
    truth = truth_of(pool)[each]
    assert valid["confidence"] == (1.0 if truth == "class-1" else 0.5)


def test_the_first_and_the_last_day_of_the_calendar_are_times_too(copy):
    """The year 1 is .NET's empty date."""
    first, last = on_record(copy)["batches"]["id"][:2]
    times = {first: "0001-01-01T00:00:00Z", last: "9999-12-31T00:00:00Z"}
    table = pd.DataFrame(
        {"task": list(times), "worker": "bob", "label": "class-1", "time": times.values()}
    )
    assert copy.add(table).used == 2
    assert copy.add(table).rows == []
    assert copy.status().numbers["answers"] == 42
    # Those of ann have no time but that at which they were added.
    exported = copy.export().set_index("id")["time"]
    assert exported[last] == pd.Timestamp(times[last])
    assert exported[first] > pd.Timestamp(times[first])


def test_one_object_with_two_answers_of_nobody_in_particular_does_not_stop_the_status(
    pool, tmp_path
):
    campaign = begun(pool, tmp_path, answers=2)
    (each,) = campaign.next(1).tasks["id"]
    campaign.add(
        pd.DataFrame(
            {"task": [each] * 2, "label": ["class-0", "class-1"], "answer_id": ["k1", "k2"]}
        )
    )
    assert campaign.status().numbers["alpha"] == 0


def test_skips_and_rejected_answers_are_counted_and_asked_again_only_where_wanted(copy, pool):
    batch = copy.next(10, new=True)
    first, second, *rest = batch.tasks["id"]
    table = answers(pool, [first, second, *rest])
    table["status"] = ["skipped", "rejected", *["answered"] * len(rest)]
    added = copy.add(table)
    assert (added.used, added.skipped, added.rejected) == (8, 1, 1)
    numbers = copy.status().numbers
    assert (numbers["skipped"], numbers["rejected"], numbers["waiting"]) == (1, 1, 1)
    following = copy.next(10)
    assert not {first, second} & set(following.tasks["id"])
    again = copy.next(15, again=True)
    assert {first, second} <= set(again.tasks["id"][:14])
    rows = on_record(copy)["batches"].query("batch == 5")
    assert rows.loc[rows["again"], "id"].tolist()[:2] == [first, second]


def test_answers_that_nobody_asked_for_are_kept_aside_until_they_are_taken(copy, pool):
    batches = on_record(copy)["batches"]
    asked = set(batches["id"])
    parts = [f"object-{row}" for row in range(24, 150) if f"object-{row}" not in asked]
    table = answers(pool, [*batches["id"][:1], *parts[:6]], worker="eve")
    table = pd.concat(
        [table, pd.DataFrame({"task": ["no-such"], "worker": "eve", "label": "class-1"})]
    )
    added = copy.add(table)
    assert (added.used, added.unasked, added.unknown) == (1, parts[:6], ["no-such"])
    assert copy.status().numbers["kept_aside"] == 7
    assert set(copy.export()["id"]).isdisjoint(parts)
    taken = copy.add(table, take_unasked=True)
    assert (taken.used, taken.repeated) == (6, 2)
    status = copy.status()
    assert status.numbers["kept_aside"] == 1, "about no-such"
    (said,) = [each for each in status.sentences if "aside" in each]
    assert said == (
        "1 answer about objects that no batch had when it was added is kept aside, and not used."
    )
    assert set(parts[:6]) <= set(copy.export().query("source == 'unasked'")["id"])
    assert copy.add(table, take_unasked=True).rows == []
    assert not set(parts[:6]) & set(copy.next(30).tasks.query("priority > 0")["id"]) - _audited(
        copy
    )


def _audited(campaign):
    return set(on_record(campaign)["batches"].query("purpose == 'audit'")["id"])


def test_another_projects_export_is_refused(copy):
    before = on_record(copy)["answers"]
    table = pd.DataFrame({"task": ["x-1", "x-2"], "worker": "ann", "label": "class-1"})
    with pytest.raises(SpecError, match=r"none of its 2 answers is about an object.*x-1, x-2"):
        copy.add(table)
    with pytest.raises(SpecError, match=r"objects that no batch had.*--take-unasked"):
        copy.add(table.assign(task=[f"object-{row}" for row in _unasked(copy)[:2]]))
    pd.testing.assert_frame_equal(on_record(copy)["answers"], before)


def _unasked(campaign):
    asked = set(on_record(campaign)["batches"]["id"])
    return [row for row in range(24, 150) if f"object-{row}" not in asked]


def test_an_unknown_class_is_refused_with_the_nearest_or_accepted(copy, pool):
    batch = copy.next(4)
    table = answers(pool, batch.tasks["id"])
    table.loc[0, "label"] = "class-11"
    with pytest.raises(
        SpecError,
        match=r"a class that is not known: 'class-11' \(1 answer\) \(did you mean 'class-1'\?\)\. Nothing was added",
    ):
        copy.add(table)
    assert copy.add(table, allow_new_classes=True).new_classes == ["class-11"]
    following = copy.next(4)
    assert following.classes == ("class-0", "class-1", "class-11", "class-2")
    assert on_record(copy)["rounds"]["classes"].tolist() == [3, 3, 3, 4]


def test_the_pool_may_grow_and_lose_objects(copy, pool, tmp_path, played):
    """New objects are welcome, vanished ones are named, and neither a changed label nor a new one is taken silently."""
    table = pq.read_table(pool)
    labels = table["label"].to_pylist()
    labels[0], labels[100] = "class-2", "class-2"
    changed = table.set_column(1, "label", pa.array(labels, pa.string()))
    changed = changed.filter(pa.array([row != 1 for row in range(150)]))
    more = table.slice(30, 5).set_column(0, "id", pa.array([f"new-{row}" for row in range(5)]))
    pq.write_table(pa.concat_tables([changed, more]), tmp_path / "grown.parquet")
    study = copy.path / "study.yaml"
    study.write_text(study.read_text().replace(str(pool), str(tmp_path / "grown.parquet")))
    notes = "\n".join(copy.next(95).notes)
    assert "5 objects have joined the pool, 0 of them labelled" in notes
    assert "1 objects have left the pool: object-1" in notes
    assert "stay as they were: object-0 ('class-0', now 'class-2')" in notes
    assert "object-100; add labels with `alray label add`" in notes
    assert "1 labelled objects are in the pool no longer" in notes
    assert {"new-0", "new-4"} <= set(on_record(copy)["batches"]["id"])
    labels = copy.export().set_index("id")["label"]
    assert (labels["object-0"], labels["object-1"]) == ("class-0", "class-1")
    with pytest.raises(SpecError, match=r"no object is left to ask about.*--again"):
        copy.next(5, new=True)


def test_without_any_label_it_begins_at_random(tmp_path):
    pool = hidden_pool(tmp_path / "cold.parquet", labelled=0)
    with pytest.raises(PoolError, match=r"none is known.*--classes A,B,C"):
        begun(pool, tmp_path)
    campaign = begun(pool, tmp_path, classes="class-0,class-1,class-2", initial=None)
    assert campaign.settings.initial == 15
    batch = campaign.next(18)
    assert "chosen by random selection" in batch.notes[0]
    assert set(on_record(campaign)["batches"]["purpose"]) == {"initial", "audit"}
    campaign.add(answers(pool, batch.tasks["id"]))
    assert not campaign.next(5).notes
    assert set(on_record(campaign)["batches"].query("batch == 2")["purpose"]) <= {
        "strategy",
        "audit",
    }


def test_several_answers_become_probabilities_and_show_who_is_good(tmp_path, pool):
    campaign = begun(pool, tmp_path, answers=3, cost=0.1, currency="EUR")
    ids = campaign.next(40).tasks["id"]
    campaign.add(answers(pool, ids, worker="ann"))
    assert campaign.status().numbers["waiting"] == 40, "each object is to have three answers"
    campaign.add(answers(pool, ids, worker="bob", rate=0.1, seed=1))
    campaign.add(answers(pool, ids, worker="cy", rate=0.6, seed=2))
    status = campaign.status()
    assert (status.numbers["waiting"], status.numbers["answers"]) == (0, 120)
    assert status.numbers["cost"] == pytest.approx(12)
    skills = status.assessors.set_index("worker")["skill"]
    assert skills["ann"] > 0.9
    assert skills["cy"] < 0.7
    assert 0 < status.numbers["alpha"] < 1
    labels = campaign.export().query("answers == 3")
    assert labels["confidence"].min() < 1
    campaign.next(5)  # learns by probabilities


def test_what_cannot_work_is_refused_before_anything_begins(pool, tmp_path):
    many = [f"class {number}" for number in range(1000)]
    for settings, message in (
        ({"strategy": "ideal_loss"}, "needs the labels that are to be bought"),
        ({"strategy": "bait", "classes": many, "model": {"width": 40}}, "use bait:width=11"),
        ({"strategy": "questions:al"}, "not yes/no questions"),
        ({"strategy": "bald", "model": {"dropout": 0}}, "dropout"),
        ({"training": {"mode": "finetune"}}, "training.mode: finetune has no use"),
        ({"training": {"stopping": "held_out"}}, "needs a validation part"),
        ({"pool": {"id": "label"}}, "null or empty"),
        ({"pool": {"label": "topic"}}, "no column 'topic'"),
        ({"show": "nothing"}, "no column 'nothing'"),
    ):
        with pytest.raises(AlrayError, match=message):
            begun(pool, tmp_path, **settings)
    assert not list(tmp_path.iterdir())


def test_batches_of_one_object_are_refused_where_the_first_fit_has_them(pool, tmp_path):
    """24 objects have a label, of which two are held out: 22 to learn from."""
    fixed = {"passive_epochs": 1, "batch_rule": "fixed"}
    begun(pool, tmp_path, model=faulty("norm"), training={**fixed, "batch_size": 23})
    with pytest.raises(SpecError, match=r"more than 1 value.*have one object"):
        begun(
            pool,
            tmp_path,
            model=faulty("norm"),
            training={**fixed, "batch_size": 21},
            name="other",
        )


def test_a_pool_needs_ids_and_something_to_label(pool, tmp_path):
    table = pq.read_table(pool)
    pq.write_table(table.drop_columns(["id"]), tmp_path / "no_ids.parquet")
    with pytest.raises(PoolError, match=r"row numbers are not.*--id COLUMN"):
        begun(tmp_path / "no_ids.parquet", tmp_path)
    pq.write_table(table.slice(0, 24), tmp_path / "full.parquet")
    with pytest.raises(PoolError, match="all 24 objects have a label"):
        begun(tmp_path / "full.parquet", tmp_path)


def test_groups_are_audited_together(tmp_path):
    authors = [f"author-{row % 30}" for row in range(150)]
    pool = hidden_pool(tmp_path / "grouped.parquet", author=authors)
    campaign = begun(pool, tmp_path, pool={"group_by": "author"}, audit=0.3, initial=5)
    campaign.next(120)
    batch = on_record(campaign)["batches"]
    purposes = batch.groupby("group")["purpose"].agg(set)
    assert {"audit"} in purposes.tolist()
    assert not any(each > {"audit"} for each in purposes), "one group, one part"
    learnt = {f"author-{row}" for row in range(24)}
    assert not learnt & set(batch.loc[batch["purpose"] == "audit", "group"])


def test_the_columns_of_its_tables_are_those_documented(played):
    tables = documented()
    for folder, columns in COLUMNS.items():
        assert tables[f"{folder} of a campaign"] == typed(columns)
        for file in (played.path / folder).glob("*.parquet"):
            assert list(schema(file).items()) == [(name, kind) for name, kind, _ in typed(columns)]
