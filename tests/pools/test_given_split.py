"""A split that a column of the pool gives."""

import dataclasses
import logging
import shlex
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from alray import api
from alray.errors import PoolError, SpecError
from alray.pools.pool import TEST, TRAIN, VALIDATION
from alray.pools.reading import read_pool
from alray.pools.split import assign_parts
from alray.seeding import generator
from alray.settings.base import validate
from alray.settings.common import PoolSpec, SplitSpec
from tests.helpers import studies
from tests.helpers.builders import raw_pool
from tests.helpers.command import alray
from tests.helpers.imports import table_of
from tests.helpers.pools_fixtures import parquet, vectors, write_table

BY_COLUMN = SplitSpec(column="fold")
WORDS = ["train", "test", "train", "test", "validation", "train"]


def given(tmp_path, words, **changed):
    settings = {"source": parquet(tmp_path, fold=words, **changed)}
    return read_pool(PoolSpec(**settings), "fold")


def parts_of(labels, parts, groups=None, split=BY_COLUMN):
    pool = dataclasses.replace(raw_pool(labels, groups), parts=np.asarray(parts, np.int8))
    return assign_parts(pool, split, generator(0, 0, "split"))


@pytest.mark.parametrize(
    "words",
    [
        WORDS,
        ["Train", "TEST", " train", "test ", "val", "TRAIN"],
        ["train", "test", "train", "test", "dev", "train"],
        [b"train", b"test", b"train", b"test", b"valid", b"train"],
    ],
)
def test_the_column_decides_whatever_the_seed(tmp_path, words):
    pool = given(tmp_path, words)
    for seed in (0, 1):
        part = assign_parts(pool, BY_COLUMN, generator(seed, 0, "split"))
        assert part.tolist() == [TRAIN, TEST, TRAIN, TEST, VALIDATION, TRAIN]


def test_the_fingerprint_has_the_given_parts(tmp_path):
    source = parquet(tmp_path, fold=WORDS)
    plain = read_pool(PoolSpec(source=source))
    assert plain.parts is None
    other = ["test", "train", *WORDS[2:]]
    prints = {
        plain.fingerprint,
        given(tmp_path, WORDS).fingerprint,
        given(tmp_path, other).fingerprint,
    }
    assert len(prints) == 3


def test_objects_that_are_left_out_need_no_part(tmp_path):
    labels = ["cat", "dog", "cat", "dog", None, "emu"]
    source = parquet(tmp_path, label=labels, fold=[*WORDS[:4], "unsupervised", None])
    pool: Any = read_pool(PoolSpec(source=source, min_class_size=2), "fold")
    assert pool.parts.tolist() == [TRAIN, TEST, TRAIN, TEST]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["train", "holdout", "test", "fold2", "", "test"],
            r"holds 'holdout', 'fold2', '' for 3 objects: b, d, e;",
        ),
        (
            ["train", None, "test", "test", "train", "test"],
            r"holds '' for 1 objects: b; write train, validation",
        ),
        (
            [True, False] * 3,
            r"column 'fold' is bool, and a column of the split holds the words train",
        ),
        ([0, 1] * 3, r"column 'fold' is int64"),
        (None, r"no column 'fold'; .*name another one with --split-column COLUMN"),
    ],
)
def test_a_column_with_other_values_is_refused(tmp_path, words, message):
    with pytest.raises(PoolError, match=rf"pool\.parquet: .*{message}"):
        given(tmp_path, words)


def test_validation_is_taken_from_the_train_part_by_class(caplog):
    caplog.set_level(logging.INFO, "alray")
    labels, parts = (
        [0] * 60 + [1] * 40,
        ([TRAIN] * 50 + [TEST] * 10) + ([TRAIN] * 20 + [TEST] * 20),
    )
    split = SplitSpec(column="fold", validation=0.2)
    part = parts_of(labels, parts, split=split)
    assert (part == TEST).tolist() == (np.asarray(parts) == TEST).tolist()
    assert np.bincount(np.asarray(labels)[part == VALIDATION]).tolist() == [10, 4]
    assert part.tolist() == parts_of(labels, parts, split=split).tolist()
    (line,) = caplog.messages[:1]
    assert (
        "column 'fold' has no validation part: 14 of the 70 objects of its train part are taken"
        in line
    )


def test_validation_from_the_train_part_keeps_groups_whole_and_every_class_in_train():
    labels = [0] * 40 + [1] * 40 + [2]
    parts = ([TRAIN] * 30 + [TEST] * 10) * 2 + [TRAIN]
    groups = np.arange(81) // 4
    part = parts_of(labels, parts, groups, SplitSpec(column="fold", validation=0.3))
    for group in range(21):
        kept = np.flatnonzero((groups == group) & (np.asarray(parts) == TRAIN))
        assert len(set(part[kept])) <= 1
    assert part[80] == TRAIN
    assert 12 <= (part == VALIDATION).sum() <= 24
    assert (part == TEST).tolist() == (np.asarray(parts) == TEST).tolist()


def test_a_group_with_all_objects_of_a_rare_class_stays_in_the_train_part():
    """Others of its common class are taken for validation instead."""
    labels, parts = [0] * 20 + [1] * 2 + [0, 1], [TRAIN] * 22 + [TEST] * 2
    groups = [0] * 10 + [*range(1, 10), 10, 10, 10, 11, 12]
    part = parts_of(labels, parts, groups)
    assert part[19:].tolist() == [TRAIN, TRAIN, TRAIN, TEST, TEST]
    assert set(part[:10].tolist()) == {TRAIN}
    assert (part[10:19] == VALIDATION).sum() == 2


@pytest.mark.parametrize("seed", range(40))
def test_whatever_the_groups_no_class_loses_its_last_object_of_the_train_part(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(12, 40))
    labels = np.unique(rng.integers(0, 6, size), return_inverse=True)[1]
    groups = rng.integers(0, 9, size)
    part = parts_of([*labels, 0], [TRAIN] * size + [TEST], [*groups, 10])[:-1]
    assert set(labels[part == TRAIN]) == set(labels)
    assert (part == VALIDATION).any()
    assert all(len(set(part[groups == group])) == 1 for group in groups)


@pytest.mark.parametrize(
    ("labels", "parts", "message"),
    [
        ([0, 1] * 3, [TRAIN] * 6, "column 'fold' puts no object into the test part"),
        ([0, 1] * 3, [TEST] * 6, "column 'fold' puts no object into the train part"),
        (
            [0, 1, 2] * 2,
            [TRAIN, TRAIN, TEST] * 2,
            "leaves the train part without an object of class 'class 2'",
        ),
        (
            [0, 1, 1],
            [TRAIN, TRAIN, TEST],
            "no object of the train part was taken for validation",
        ),
    ],
)
def test_a_split_that_lacks_something_is_refused(labels, parts, message):
    with pytest.raises(PoolError, match=message):
        parts_of(labels, parts)


def test_a_share_of_validation_beside_a_validation_part_is_refused():
    split = SplitSpec(column="fold", validation=0.3)
    with pytest.raises(PoolError, match=r"split\.validation = 0\.3 has no use"):
        parts_of([0, 1] * 3, [TRAIN, TRAIN, VALIDATION, TEST, TRAIN, TEST], split=split)


def test_a_share_of_test_beside_a_column_is_refused_but_not_the_default_of_resolved_settings():
    with pytest.raises(SpecError, match=r"test = 0\.4 has no use, since column 'fold' gives"):
        validate(SplitSpec, {"column": "fold", "test": 0.4}, "the command line")
    assert SplitSpec.model_validate(BY_COLUMN.model_dump()) == BY_COLUMN


def test_groups_and_copies_on_both_sides_are_counted(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    image = vectors([[1.0, 2.0], [1.0, 2.0], [5.0, 6.0], [7.0, 8.0], [9.0, 1.0], [2.0, 2.0]])
    pool = given(tmp_path, WORDS, image=image, text=None)
    assign_parts(pool, BY_COLUMN, generator(0, 0, "split"))
    (line,) = caplog.messages
    assert "puts 1 of 2 objects into the test part that have the group or the features of" in line
    assert line.endswith("outside it: b; a network that remembers these looks better than it is")


def test_a_sweep_reports_on_the_given_test_part_and_goes_on_with_its_own_settings(tmp_path):
    fold = ["test" if row % 4 == 0 else "train" for row in range(200)]
    source = studies.write_pool(tmp_path / "plain.parquet", fold=fold)
    settings = studies.settings(source, split={"column": "fold"}, rounds=1)
    plan = api.plan_sweep(settings)
    assert plan.prepared.test.tolist() == list(range(0, 200, 4))
    found = api.sweep(settings, results=tmp_path / "results")
    assert set(found.runs["status"]) == {"finished"}
    again = api.sweep(str(found.path / "study.yaml"), results=tmp_path / "results")
    studies.assert_same_records(found, again)


SPLITS = {
    "in two parts": (
        ["test", "train", "train", "train"],
        "150 train, 0 validation and 50 test",
        15,
    ),
    "in three parts": (
        ["test", "train", "val", "train"],
        "100 train, 50 validation and 50 test",
        0,
    ),
}


@pytest.mark.parametrize(("words", "counts", "taken"), SPLITS.values(), ids=SPLITS)
def test_describe_counts_the_parts_and_repeats_the_option(tmp_path, words, counts, taken):
    source = studies.write_pool(tmp_path / "pool.parquet", **{"my fold": words * 50})
    described = alray("pool", "describe", source, "--split-column", "my fold")
    assert described.exit_code == 0, described.output
    note = f"; a study takes {taken} of train for validation" if taken else ""
    assert f"split {counts} by my fold{note} modality" in " ".join(described.stdout.split())
    command = shlex.split(described.stdout.rpartition("next: alray ")[2])
    assert command[3:5] == ["--split-column", "my fold"]
    plan = alray(*command, "--dry-run")
    assert plan.exit_code == 0, plan.output
    assert "split  " not in alray("pool", "describe", source).stdout


def test_describe_does_not_say_that_a_given_split_keeps_copies_together(tmp_path):
    source = studies.write_pool(tmp_path / "pool.parquet", fold=["test", "train"] * 100)
    table = table_of(source)
    first = pa.array([0, 0, *range(2, 200)])
    for name in ("image", "text"):
        place = table.column_names.index(name)
        table = table.set_column(place, table.field(name), table[name].take(first))
    write_table(table, source)
    for options in ((), ("--split-column", "fold")):
        text = " ".join(alray("pool", "describe", source, *options).output.split())
        assert "2 objects equal another one" in text
        assert ("a sweep keeps copies on one side" in text) == (options == ())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"] * 4, "column 'fold' puts no object into the test part"),
        (["train", "holdout", "test", "test"], "column 'fold' holds 'holdout' for 50 objects"),
        (None, "no column 'fold'; "),
    ],
)
def test_describe_refuses_a_split_that_a_sweep_would_refuse(tmp_path, words, message):
    columns = {} if words is None else {"fold": words * 50}
    source = studies.write_pool(tmp_path / "pool.parquet", **columns)
    options = ("--split-column", "fold")
    described = alray("pool", "describe", source, *options)
    planned = alray("sweep", "--pool", source, *options, "--dry-run")
    for result in (described, planned):
        assert result.exit_code == 2
        assert message in result.stderr
