"""A pool of many Parquet files: a folder, a pattern, and folders that give columns."""

import logging

import pyarrow as pa
import pytest

from alray.errors import PoolError
from alray.pools.builtin import pool_name
from alray.pools.files import fixed_size_lists
from alray.pools.files.sources import find_pool
from tests.helpers.command import alray
from tests.helpers.many_files import refusal, shards, write
from tests.helpers.pools_fixtures import (
    IDS,
    LABELS,
    columns,
    features,
    parquet,
    read,
)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["1.parquet", "2.parquet", "3.parquet"], ""),
        (["1.PARQUET", "2.pq", "3.parq"], ""),
        (
            [
                "part-00000.snappy.parquet",
                "part-00001.snappy.parquet",
                "part-00002.snappy.parquet",
            ],
            "",
        ),
        (["000000_0", "000001_0", "000002_0"], ""),
        (["1.parquet", "2.parquet", "3.parquet"], "*.parquet"),
        (["a/1.parquet", "a/2.parquet", "b/1.parquet"], "**/*.parquet"),
        (["a/1.parquet", "b/1.parquet", "c/1.parquet"], "?"),
        (["a/x/1", "b/x/1", "c/x/1"], "?/x"),
        (
            ["1.parquet/part-0.parquet", "2.parquet/part-0.parquet", "3.parquet/part-0.parquet"],
            "*.parquet",
        ),
    ],
)
def test_many_files_are_the_pool_that_one_file_is(tmp_path, names, pattern):
    (tmp_path / "one").mkdir()
    one = parquet(tmp_path / "one")
    many = tmp_path / "many"
    shards(many, names)
    folder = (many / names[0]).parent
    for hidden in ("_SUCCESS", ".part-0.crc", "_temporary/0.parquet", "README.md", "_metadata"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_bytes(b"no Parquet")
    pool = read(f"{many}/{pattern}".rstrip("/"))
    assert pool.fingerprint == read(one).fingerprint
    assert pool.name == "many"


def test_the_order_is_that_of_the_names_and_rows_are_numbered_through(tmp_path, caplog):
    caplog.set_level(logging.INFO, "alray")
    pool = read(shards(tmp_path / "posts", id=None, name=IDS))
    assert pool.ids.tolist() == ["0", "1", "2", "3", "4", "5"]
    # The middle pair of the six objects lies in a.parquet, which comes first.
    assert features(pool, "text")[:, 0].tolist()[:2] == [1.5, 3.5]
    assert "posts: 3 files are one pool, in the order of their names" in caplog.messages[0]


def test_folders_named_after_values_become_columns(tmp_path):
    table = pa.table(columns(label=None))
    for row, (label, year) in enumerate(zip(LABELS, ["7", "07"] * 3, strict=True)):
        folder = tmp_path / "posts" / f"label={label}%20x" / f"_year={year}"
        write(folder / f"{row}.parquet", table, slice(row, row + 1))
    pool = read(str(tmp_path / "posts"), group_by="_year")
    assert pool.classes == ("cat x", "dog x")
    assert pool.ids.tolist() == ["a", "c", "e", "b", "d", "f"]
    assert [pool.classes[code] for code in pool.labels] == ["cat x"] * 3 + ["dog x"] * 3
    assert pool.groups.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["10", "9"], ("9", "10")),
        (["10", "09"], ("09", "10")),
        (["9223372036854775808", "1"], ("1", "9223372036854775808")),
        (["²", "1"], ("1", "²")),
    ],
)
def test_values_of_folders_are_numbers_only_if_all_are_written_so(tmp_path, values, classes):
    for value, rows in zip(values, (slice(0, 3), slice(3, 6)), strict=True):
        write(tmp_path / f"topic={value}" / "0.parquet", rows=rows)
    assert read(str(tmp_path), label="topic").classes == classes


def test_rows_in_the_folder_of_no_value_have_no_label(tmp_path):
    for value, row in {"x": 0, "y": 2, "__HIVE_DEFAULT_PARTITION__": 4}.items():
        write(tmp_path / f"topic={value}" / "0.parquet", rows=slice(row, row + 2))
    pool = read(str(tmp_path), label="topic")
    assert (pool.classes, len(pool)) == (("x", "y"), 4)


def test_a_column_of_the_files_comes_before_that_of_their_folders(tmp_path):
    for value, rows in (("no", slice(0, 3)), ("none", slice(3, 6))):
        write(tmp_path / f"label={value}" / "0.parquet", rows=rows)
    assert read(str(tmp_path)).classes == ("cat", "dog")


def test_files_without_rows_are_no_part_of_the_pool(tmp_path):
    folder = shards(tmp_path)
    write(tmp_path / "0.parquet", pa.table({"id": pa.array([], pa.null())}))
    assert len(read(folder)) == 6
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty" / "0.parquet", pa.table({"id": pa.array([], pa.null())}))
    assert "no rows" in refusal(tmp_path / "empty")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "the folder is empty; name a Parquet file"),
        (["_SUCCESS", ".hidden.parquet"], "the folder is empty"),
        (
            ["labels.txt", "image.npy"],
            "a folder, but not of Parquet files of objects; convert it with `alray pool import",
        ),
        (["train/0.parquet", "test/0.parquet"], "with Parquet files in other folders, such as"),
        (["0.parquet", "old/0.parquet"], "or all by a pattern: "),
        (
            ["0.parquet", "_delta_log/0.json"],
            "a Delta table, whose folder keeps the files of removed rows",
        ),
        (["topic=x/0.parquet", "1.parquet"], r"give the columns topic, and those of"),
    ],
)
def test_a_folder_that_is_no_pool_is_refused_with_the_next_step(tmp_path, files, words):
    folder = tmp_path / "my posts"
    folder.mkdir()
    for name in files:
        write(folder / name)
    message = refusal(folder)
    assert message.startswith(str(folder))
    assert words in message
    if "`" in message:
        assert f"import '{folder}' 'my posts.parquet'`" in message


def test_links_to_files_are_followed_and_a_link_to_the_folder_itself_is_not(tmp_path):
    shards(tmp_path / "blobs")
    folder = tmp_path / "posts"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.parquet").symlink_to(tmp_path / "blobs" / f"{name}.parquet")
    (folder / "itself").symlink_to(folder)
    assert len(read(str(folder))) == 6
    assert len(read(f"{folder}/*")) == 6


@pytest.mark.parametrize("source", ["a" * 5000, "x/" + "a" * 5000 + "/*.parquet", "a\0b.parquet"])
def test_what_is_no_path_is_refused(source):
    with pytest.raises(PoolError, match=r"cannot be read \(|no file matches"):
        read(source)


def test_one_file_of_many_that_is_none_is_named(tmp_path):
    folder = shards(tmp_path)
    (tmp_path / "b.parquet").write_bytes(b"id,label")
    assert refusal(folder).startswith(f"{tmp_path / 'b.parquet'}: not a readable Parquet file")


def test_lists_of_fixed_size_in_many_files_are_read_by_every_pyarrow(tmp_path, monkeypatch):
    folder = shards(tmp_path)
    wanted = read(folder).fingerprint
    monkeypatch.setattr(fixed_size_lists, "_NULL_ROWS_SINCE", (10_000,))
    assert read(folder).fingerprint == wanted


def test_a_name_with_brackets_is_a_file_where_there_is_one(tmp_path):
    source = write(tmp_path / "pool[1].parquet")
    assert len(find_pool(source).shards) == 1
    assert pool_name(source) == "pool[1]"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("openclipart", "openclipart"),
        ("data/posts.parquet", "posts"),
        ("data/posts/", "posts"),
        ("data/posts/part-*.parquet", "posts"),
        ("data/posts/*/x/0.parquet", "posts"),
        ("s3://key:secret@bucket/posts.parquet?region=x", "posts"),
        ("s3://bucket", "bucket"),
        ("*.parquet", "my posts"),
        (".", "my posts"),
    ],
)
def test_names_of_pools(tmp_path, monkeypatch, source, name):
    folder = tmp_path / "my posts"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert pool_name(source) == name


def test_a_folder_as_typed(tmp_path):
    shards(tmp_path / "my posts")
    result = alray("pool", "describe", tmp_path / "my posts")
    assert result.exit_code == 0, result.output
    assert "my posts" in result.output
    assert f"alray sweep --pool '{tmp_path / 'my posts'}'" in result.output
