"""The short name of a pool, by where it comes from."""

import pytest

from alray.pools.builtin import pool_name


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("icons", "icons"),
        ("posts.v1.parquet", "posts.v1"),
        ("shards.v2", "shards.v2"),
        ("shards.v2/", "shards.v2"),
        ("shards.v2/*.parquet", "shards.v2"),
        ("shards.v2/../shards.v2/part-?.parquet", "shards.v2"),
        ("a[1].parquet", "a[1]"),
        (".", "here"),
        ("..", "above"),
        ("*.parquet", "here"),
        ("s3://bucket/posts.parquet", "posts"),
        ("s3://bucket/posts/*.parquet", "posts"),
    ],
)
def test_a_pool_has_the_name_of_its_file_or_folder(source, name, tmp_path, monkeypatch):
    here = tmp_path / "above" / "here"
    (here / "shards.v2").mkdir(parents=True)
    (here / "a[1].parquet").touch()
    monkeypatch.chdir(here)
    assert pool_name(source) == name
