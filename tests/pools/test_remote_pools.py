"""Pools in object stores, by addresses as --results takes them."""

import io
import re
from pathlib import Path

import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from alray import api
from alray.errors import AlrayError, PoolError
from alray.labelling.choosing import choose_with
from tests.helpers import choosing
from tests.helpers.command import alray
from tests.helpers.object_store import BUCKET, S3Server, running_server, server
from tests.helpers.pools_fixtures import columns, parquet, read, write_table
from tests.helpers.studies import settings, write_pool

__all__ = ["running_server", "server"]


@pytest.fixture(scope="module")
def filled(running_server: S3Server, tmp_path_factory) -> S3Server:
    """The server with a pool as one file, as shards, and as folders that give the labels."""
    whole = pa.table(columns())
    without = whole.drop_columns(["label"])
    files = {"one.parquet": whole, "many/_SUCCESS": whole.slice(0, 1)}
    for row in range(6):
        files[f"many/part-{row}.parquet"] = whole.slice(row, 1)
        files[f"hive/label={whole['label'][row]}/{row}.parquet"] = without.slice(row, 1)
    path = tmp_path_factory.mktemp("filled") / "table.parquet"
    for name, table in files.items():
        write_table(table, path)
        upload(running_server, path, name)
    return running_server


def upload(server: S3Server, path: Path, name: str) -> None:
    with server.system().open_output_stream(f"{BUCKET}/pools/{name}") as file:
        file.write(path.read_bytes())


@pytest.mark.parametrize(
    "path", ["one.parquet", "many", "many/", "many/*.parquet", "ma*/part-[0-5].*"]
)
def test_a_pool_in_a_bucket_is_the_pool_on_the_disk(tmp_path, filled, server, path):
    pool = read(f"s3://{BUCKET}/pools/{path}")
    assert pool.fingerprint == read(parquet(tmp_path)).fingerprint


def test_objects_are_chosen_from_a_bucket_as_from_the_disk(tmp_path, running_server, server):
    network = choosing.trained_network()
    for number in range(3):
        part = choosing.table().slice(250 * number, 250)
        upload(
            running_server,
            choosing.write(tmp_path / f"{number}.parquet", 2, part),
            f"some/{number}",
        )
    there = choosing.chosen(f"s3://{BUCKET}/pools/some", network)
    assert choosing.same(there, choosing.chosen(tmp_path, network))
    assert set(there.files) == {f"s3://{BUCKET}/pools/some/{number}" for number in range(3)}
    work = choosing.work_on(f"s3://{BUCKET}/pools/some", network)
    upload(running_server, tmp_path / "0.parquet", "some/2")
    with pytest.raises(PoolError, match=r"some/2: has changed since the choice began"):
        choose_with(work)


def test_folders_in_a_bucket_become_columns(filled, server):
    pool = read(f"s3://{BUCKET}/pools/hive")
    assert pool.ids.tolist() == ["a", "c", "e", "b", "d", "f"]
    assert pool.classes == ("cat", "dog")


def test_each_file_is_listed_once_and_its_footer_is_read_once(filled, server):
    server.log.clear()
    read(f"s3://{BUCKET}/pools/many")
    assert (
        len(
            [
                query
                for _, _, query in server.log
                if "list-type" in query and "delimiter" not in query
            ]
        )
        <= 2
    )
    # A footer, and four columns of one row group each, after their sizes.
    gets = [path for method, path, _ in server.log if method == "GET" and "part-" in path]
    assert len(gets) <= 6 * (1 + 4 * 2)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{BUCKET}/none.parquet", "no such file"),
        (f"{BUCKET}/none/*.parquet", "no file matches this pattern"),
        ("no-such-bucket/one.parquet", "no such"),
    ],
)
def test_what_is_not_there_is_named(filled, server, path, words):
    with pytest.raises(PoolError, match=rf"s3://{path.replace('*', '.*')}.*{words}"):
        read(f"s3://{path}")


def test_keys_in_an_address_open_the_pool_and_are_shown_nowhere(
    tmp_path, filled, server, monkeypatch
):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    local = write_pool(tmp_path / "local.parquet")
    upload(filled, local, "study.parquet")
    query = f"endpoint_override={server.address}&scheme=http&region=us-east-1"
    address = f"s3://testing:hush%2Fhush@{BUCKET}/pools/study.parquet?{query}"
    api.sweep({**settings(local, rounds=1), "pool": {"source": address}}, results=tmp_path / "s3")
    written = b"".join(
        path.read_bytes() for path in (tmp_path / "s3").rglob("*") if path.is_file()
    )
    described = alray("pool", "describe", address)
    assert described.exit_code == 0, described.output
    missing = alray("pool", "describe", address.replace("study.parquet", "none.parquet"))
    assert missing.exit_code == 2
    unknown = alray("sweep", "--pool", address.replace("region", "regoin"), "--dry-run")
    assert unknown.exit_code == 2
    shown = described.output + missing.output + unknown.output
    assert "hush" not in shown
    assert b"hush" not in written


def test_a_pool_through_a_package_of_the_fsspec_family(tmp_path, monkeypatch):
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    source = parquet(tmp_path)
    for name in ("one.parquet", "many/a.parquet"):
        with MemoryFileSystem().open(f"/posts/{name}", "wb") as file:
            file.write((tmp_path / "pool.parquet").read_bytes())
    for address in (
        "memory://posts/one.parquet",
        "memory://posts/many",
        "memory://posts/*.parquet",
    ):
        assert read(address).fingerprint == read(source).fingerprint
    assert read(f"file://{source}").fingerprint == read(source).fingerprint


class Refused(Exception):  # noqa: N818 -- packages name theirs so too
    """An error of a store's package, which is no OSError."""


READS = {"the footer": 0, "the first column": 1, "the last column": 4}


@pytest.mark.parametrize("allowed", READS.values(), ids=READS)
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Refused("401 Unauthorized, user hush"), "access is denied: check the credentials"),
        (PermissionError("Forbidden"), "access is denied: check the credentials"),
        (TimeoutError("timed out for hush"), r"timed out for \*\*\*$"),
        (Refused("the moon\nis full for hush"), r"the moon is full for \*\*\*$"),
    ],
    ids=["known", "known OSError", "network", "unknown"],
)
def test_errors_of_a_store_are_explained_while_a_pool_is_read(
    tmp_path, monkeypatch, allowed, error, words
):
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    parquet(tmp_path)
    address = "memory://me:hush@posts/one.parquet"
    with MemoryFileSystem().open(address, "wb") as file:
        file.write((tmp_path / "pool.parquet").read_bytes())
    reads = []

    def read_some(file, size=-1):
        reads.append(size)
        if len(reads) > allowed:
            raise error
        return io.BytesIO.read(file, size)

    monkeypatch.setattr(MemoryFile, "read", read_some, raising=False)
    described = alray("pool", "describe", address)
    assert described.exit_code == 2
    message = rf"memory://posts/one\.parquet cannot be read: .*{words}"
    assert re.search(message, described.stderr, re.MULTILINE)
    assert "hush" not in described.output


def test_an_unknown_kind_of_store_is_refused():
    with pytest.raises(AlrayError, match="there is no kind of store 'nope'"):
        read("nope://bucket/pool.parquet")
