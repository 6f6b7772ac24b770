"""Pools whose features lie in a file instead of memory: all that is computed of them is the same to the bit."""

import contextlib
import errno
import os
import pickle  # noqa: TID251 -- Ray sends pools by it
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Usage

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.errors import PoolError
from alray.pools.describe import describe
from alray.pools.feature_storage import mapped_folder
from alray.pools.feature_storage.mapped_file import MappedFile
from alray.pools.files.parquet import open_pool
from alray.pools.preparing import PoolVariant, share
from alray.pools.reading_variants import read_pools
from alray.settings.common import PoolSpec
from alray.settings.sweep import SweepSplitSpec
from tests.helpers.pools_fixtures import parquet, vectors

N = 90
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(size=(N, 4)) * [1, 50, 1e-3, 2] + 3
NUMBERS[:, 2] = 7  # constant
NUMBERS[5] = NUMBERS[6]  # a copy
ABSENT = [None if number % 6 == 1 else row.tolist() for number, row in enumerate(NUMBERS)]
BYTES = RNG.integers(0, 256, (N, 6)).tolist()

FORMS = {
    "fixed-size lists with null rows": {"image": vectors(ABSENT, size=4)},
    "a row group without any": {"image": vectors([None] * 32 + ABSENT[32:], size=4)},
    "lists of float64": {"image": vectors(ABSENT, pa.float64(), None)},
    "lists of float16": {"image": vectors(ABSENT, pa.float16(), None)},
    "bytes": {"image": vectors(BYTES, pa.uint8(), 6)},
    "a column per feature": {"image": None, **{f"f{n}": NUMBERS[:, n] for n in range(4)}},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return the folder of mapped files."""
    found = tmp_path / "mapped"
    found.mkdir()
    monkeypatch.setenv(mapped_folder.VARIABLE, str(found))
    return found


def spec_of(tmp_path, form="fixed-size lists with null rows", image=None, **changes):
    """Return the settings of a pool of two modalities, the image in one of the forms or as given."""
    columns = {
        "id": [f"o{number}" for number in range(N)],
        "label": [f"class {number % 3}" for number in range(N)],
        "text": vectors(RNG.permuted(NUMBERS[:, :3]).tolist(), size=3),
        **(FORMS[form] if image is None else {"image": image}),
    }
    modalities = {"image": "f*" if columns["image"] is None else "image", "text": "text"}
    source = parquet(tmp_path, row_group_size=32, **columns)
    return PoolSpec(source=source, modalities=modalities, **changes)


SPLIT = SweepSplitSpec()


def shared_by(spec, split=SPLIT, dtypes=("float32",)):
    """Return the pool as it is read, and as runs of two seeds see it, in these types."""
    pools = read_pools(spec, [])
    fingerprint = pools.own.fingerprint, pools.own.groups
    variants = [PoolVariant(pools.own, dtype, split) for dtype in dtypes]
    return fingerprint, share(variants, 0, (0, 3)), pools.own


def content(shared):
    """Return all that decides how runs see a pool, as bytes."""
    found = {}
    for key, view in shared.views.items():
        arrays = [view.parts]
        for part in view.modalities:
            arrays += [part.features, part.rows, np.asarray(part.offset), np.asarray(part.scale)]
        found[key] = [(str(array.dtype), array.shape, array.tobytes()) for array in arrays]
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("split", "dtypes"),
    [
        (SweepSplitSpec(), ("float32",)),
        (SweepSplitSpec(), ("float16", "float32")),
        (SweepSplitSpec(per="study"), ("float32", "float16")),
    ],
)
def test_a_mapped_pool_is_the_same_to_the_bit(tmp_path, folder, form, split, dtypes):
    spec = spec_of(tmp_path, form)
    (fingerprint, groups), expected, _ = shared_by(spec, split, dtypes)
    mapped = spec.model_copy(update={"storage": "mapped"})
    (its_fingerprint, its_groups), found, pool = shared_by(mapped, split, dtypes)
    assert its_fingerprint == fingerprint
    assert np.array_equal(its_groups, groups)
    assert content(found) == content(expected)
    # Features take no memory, and what was read is given up: in its place are standardised features.
    features = {id(p.features) for view in found.views.values() for p in view.modalities}
    assert len(found.files()) == len(features)
    assert not {id(array) for array in found.arrays()} & features
    assert found.nbytes + found.bytes_on_disk > expected.nbytes > found.nbytes
    assert not [part for part in pool.modalities if hasattr(part, "features")]
    assert [part.dimension for part in pool.modalities] == [6 if form == "bytes" else 4, 3]


@pytest.mark.parametrize("image", [ABSENT, [None] * N])
def test_a_description_of_a_mapped_pool_is_the_same(tmp_path, folder, image):
    spec = spec_of(tmp_path, image=vectors(image, size=4))
    assert describe(spec.model_copy(update={"storage": "mapped"})) == describe(spec)


def test_a_row_group_is_never_whole_in_memory(tmp_path):
    """A file may have a single row group."""
    numbers = np.random.default_rng(0).normal(size=(1_000, 2_000)).astype(np.float32)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), 2_000)
    pq.write_table(pa.table({"image": lists}), tmp_path / "one.parquet", use_dictionary=False)
    before = pa.total_allocated_bytes()
    batches = open_pool(str(tmp_path / "one.parquet")).batches("image", 50)
    allocated = [pa.total_allocated_bytes() - before for batch in batches if len(batch)]
    assert len(allocated) == 20
    assert max(allocated) < numbers.nbytes / 2


def test_one_copy_lies_on_the_disk_without_a_name_and_goes_with_the_pool(tmp_path, folder):
    def open_there():
        number = 0
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # the one by which the folder is listed
                number += each.readlink().is_relative_to(folder)
        return number

    _, shared, _ = shared_by(spec_of(tmp_path, storage="mapped"))
    assert list(folder.iterdir()) == []
    assert open_there() >= len(shared.files()) == 2
    del shared
    assert open_there() == 0


def test_another_process_gets_no_features_and_maps_the_file(tmp_path, folder):
    _, shared, _ = shared_by(spec_of(tmp_path, storage="mapped"))
    sent = pickle.dumps(shared)
    assert len(sent) < shared.bytes_on_disk + shared.nbytes
    received = pickle.loads(sent)
    assert not hasattr(next(iter(received.views.values())).modalities[0], "features")
    received = received.opened(lambda file: file)
    assert content(received) == content(shared)
    assert received.checksum() == shared.checksum()
    (first, *_), *others = (
        [m.features for m in view.modalities] for view in received.views.values()
    )
    assert all(other[0] is first for other in others)
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_a_file_that_something_has_written_to_is_refused(tmp_path, folder):
    _, shared, _ = shared_by(spec_of(tmp_path, storage="mapped"))
    checksum, (file, *_) = shared.checksum(), shared.files()
    shared.verify(checksum)
    os.utime(file.path, ns=(0, 0))
    with pytest.raises(RuntimeError, match="file of the pool's features has changed"):
        shared.verify(checksum)
    with pytest.raises(FileNotFoundError, match="another file here"):
        file.opened()


def test_a_file_of_another_machine_is_not_taken_for_this_one(tmp_path, folder):
    _, shared, _ = shared_by(spec_of(tmp_path, storage="mapped"))
    first, second = shared.files()
    assert isinstance(first, MappedFile)
    with pytest.raises(FileNotFoundError, match="another file here"):
        replace(first, path=second.path).opened()


def refuse(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda patch, folder: patch.setattr(shutil, "disk_usage", lambda _: Usage(free=2_519)),
            r"2,519 bytes are free on its disk, and the pool's features need 2,520 there",
        ),
        (lambda patch, folder: folder.rmdir(), "No such file or directory; name a folder on a"),
        (lambda patch, folder: patch.setattr(os, "write", refuse), "No space left on dev"),
        (lambda patch, folder: patch.setattr(os, "pwrite", refuse), "No space left on d"),
    ],
)
def test_a_disk_without_room_is_refused_by_its_folder(
    tmp_path, folder, monkeypatch, change, message
):
    change(monkeypatch, folder)
    with pytest.raises(PoolError, match=rf"^{folder}: .*{message}.* by ALRAY_POOL_FOLDER$"):
        shared_by(spec_of(tmp_path, storage="mapped"))


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({mapped_folder.VARIABLE: "/a", "TMPDIR": "/b"}, "/a"),
        ({mapped_folder.VARIABLE: "", "TMPDIR": "/b"}, "/b"),
        ({}, "/var/tmp"),
    ],
)
def test_the_folder_is_that_of_the_environment(monkeypatch, variables, expected):
    for name in (mapped_folder.VARIABLE, "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(mapped_folder.mapped_folder()) == expected


def test_a_folder_in_memory_is_named(caplog, monkeypatch, tmp_path):
    monkeypatch.setattr(mapped_folder, "_file_system", lambda _: "tmpfs")
    mapped_folder.warn_if_in_memory(tmp_path)
    assert f"{tmp_path} lies in memory" in caplog.text
