"""A pool that is not Parquet is answered with the command that converts it, which works as it is printed."""

import re
import shlex
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.errors import PoolError
from alray.pools.files.layouts import LAYOUTS, find_layout, import_command
from alray.pools.importing import Target, import_pool
from alray.pools.imports.source import ImportOptions
from tests.helpers import import_files as write
from tests.helpers.command import alray
from tests.helpers.imports import draw
from tests.helpers.pools_fixtures import read

RECORDS = [{"label": "ab"[row % 2], "image": [1.0, row]} for row in range(4)]
ARRAYS = {"label": np.arange(4) % 2, "image": draw(4, 2)}


def write_study_array(folder: Path) -> Path:
    values = draw(4, 1325)
    values[:, 0] = [1, 2, 1, 2]
    np.save(folder / "a.npy", values)
    return folder / "a.npy"


def write_npz(folder: Path) -> Path:
    np.savez(folder / "a.npz", label=ARRAYS["label"], image=ARRAYS["image"])
    return folder / "a.npz"


def write_folder(folder: Path) -> Path:
    for name, values in ARRAYS.items():
        np.save(folder / f"{name}.npy", values)
    return folder


def write_images(folder: Path) -> Path:
    write.write_idx(folder / "train-labels-idx1-ubyte", np.arange(4) % 2)
    return write.write_idx(folder / "train-images-idx3-ubyte", np.ones((4, 2, 2)))


def write_labelled_clip(folder: Path) -> Path:
    return write.write_clip(folder, {0: 4}, label=["a", "b"] * 2)


MAKERS = {
    "npy": write_study_array,
    "npz": write_npz,
    "safetensors": lambda folder: write.write_safetensors(folder, ARRAYS),
    "torch": lambda folder: write.write_torch_tensors(folder, ARRAYS),
    "hdf5": lambda folder: write.write_hdf5(folder, ARRAYS),
    "arrow": lambda folder: write.write_feather(folder, RECORDS),
    "jsonl": lambda folder: write.write_json_lines(folder, RECORDS, "a.jsonl.gz"),
    "csv": lambda folder: write.write_csv(folder, RECORDS),
    "idx": write_images,
    "folder": write_folder,
    "datasets": lambda folder: write.write_dataset(folder, [write.dataset_shard(1, 0)]),
    "clip": write_labelled_clip,
}


def advised(*words: object) -> list[str]:
    """Return the import command in the refusal of a command."""
    result = alray(*words)
    assert result.exit_code == 2, result.output
    command = re.search(r"convert it with `alray (pool import .*)`", result.stderr)
    assert command is not None, result.stderr
    return shlex.split(command[1])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_advised_command_works(tmp_path, monkeypatch, layout):
    folder = tmp_path / "it's new"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    source = MAKERS[layout](folder)
    assert find_layout(source) == layout
    command = advised("pool", "describe", source.relative_to(tmp_path))
    assert advised("sweep", "--pool", source.relative_to(tmp_path), "--dry-run") == command
    assert alray(*command).exit_code == 0
    assert read(command[-1]).classes
    again = advised("pool", "describe", source.relative_to(tmp_path))
    assert again[-1] == f"{Path(command[-1]).stem}-2.parquet"


FILES = sorted(LAYOUTS.keys() - {"folder", "datasets", "clip"})


@pytest.mark.parametrize("layout", FILES)
def test_damaged_files_are_refused_without_a_traceback(tmp_path, layout):
    """Or imported, where the damage is within the values."""
    source = MAKERS[layout](tmp_path)
    whole = np.frombuffer(source.read_bytes(), np.uint8)
    generator = np.random.default_rng(0)
    target = Target(tmp_path / "out.parquet", overwrite=True)
    refused = 0
    for _ in range(30):
        damaged = whole[: generator.integers(1, len(whole) + 1)].copy()
        damaged[generator.integers(0, min(len(damaged), 1000), 2)] = generator.integers(0, 256)
        source.write_bytes(damaged.tobytes())
        try:
            import_pool(source, target, ImportOptions(), lambda _done, _total: None)
        except PoolError as error:
            refused += str(error).startswith(str(tmp_path))
    assert refused >= 15


def test_an_array_with_labels_beside_it_is_answered_with_its_folder(tmp_path):
    assert import_command(write_folder(tmp_path) / "image.npy") == import_command(tmp_path)


def test_names_that_begin_with_a_dash_are_no_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_npz(tmp_path).rename("-a.npz")
    command = advised("pool", "describe", "--", "-a.npz")
    assert alray(*command).exit_code == 0
    assert Path("-a.parquet").exists()


def test_content_counts_where_a_name_does_not_tell(tmp_path):
    write_npz(tmp_path)
    np.save(tmp_path / "b.npy", draw(2, 2))
    (tmp_path / "b.npy").rename(tmp_path / "no_ending")
    assert find_layout(tmp_path / "no_ending") == "npy"
    (tmp_path / "notes.txt").write_text("no pool")
    assert import_command(tmp_path / "notes.txt") is None
    assert import_command(tmp_path / "missing.npz") is None


def test_parquet_is_a_pool_already(tmp_path):
    pq.write_table(pa.table({"label": [1], "m": [1.5]}), tmp_path / "a.npz")
    assert import_command(tmp_path / "a.npz") is None
    result = alray("pool", "import", tmp_path / "a.npz", tmp_path / "b.parquet")
    assert result.exit_code == 2
    assert "a pool without an import" in result.stderr
    assert "columns are label (int64), m (double)" in result.stderr


def test_the_help_and_the_refusal_of_an_unknown_file_name_all_layouts(tmp_path):
    (tmp_path / "notes.txt").write_text("no pool")
    refused = alray("pool", "import", tmp_path / "notes.txt", "b.parquet").stderr
    shown = alray("pool", "import", "--help").output
    for name, content in LAYOUTS.values():
        assert name in refused
        assert re.search(rf"^  {re.escape(name)} +{re.escape(content[:40])}", shown, re.MULTILINE)
