"""`~` in the paths of `alray pool`, which a shell does not expand in quotes or after `=`."""

import numpy as np
import pytest

from tests.helpers.command import alray
from tests.helpers.pools_fixtures import parquet


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder, present = tmp_path / "home", tmp_path / "present"
    folder.mkdir()
    present.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(present)
    return folder


def test_the_paths_of_an_import_are_in_the_home_folder(home):
    np.savez(home / "a.npz", label=["a", "b"] * 4, image=np.ones((8, 2)))
    done = alray("pool", "import", "~/a.npz", "~/o.parquet")
    assert done.exit_code == 0, done.output
    assert (home / "o.parquet").exists()
    assert not any((home.parent / "present").iterdir())
    missing = alray("pool", "import", "~/b.npz", "~/p.parquet")
    assert missing.exit_code == 2
    assert str(home / "b.npz") in missing.stderr


def test_a_pool_is_made_in_the_home_folder(home):
    sizes = ("--objects", 300, "--classes", 3, "--families", 2)
    done = alray("pool", "make", "synthetic", "~/o.parquet", *sizes)
    assert done.exit_code == 0, done.output
    assert f"next: alray pool describe {home / 'o.parquet'}" in done.stdout
    assert not any((home.parent / "present").iterdir())


def test_a_pool_in_the_home_folder_is_described(home):
    parquet(home)
    assert "objects     6 " in alray("pool", "describe", "~/pool.parquet").stdout
