import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alray.errors import PoolError
from alray.pools.files import fixed_size_lists
from alray.pools.files.parquet import open_pool
from alray.pools.writing import Chunk, ChunkModality, write_pool
from tests.helpers.pools_fixtures import everywhere, read, write_objects

CHUNK = Chunk(
    np.asarray(["a", "b"]),
    np.asarray(["x", "y"]),
    {"image": everywhere(np.ones((2, 3), np.float16))},
)


@st.composite
def modalities(draw):
    """Two modalities of a few objects, of any float type; each object has at least one of them."""
    count = draw(st.integers(4, 30))
    image_present = draw(hnp.arrays(np.bool_, count))
    image_present[0] = True
    text_present = draw(hnp.arrays(np.bool_, count)) | ~image_present
    text_present[0] = True
    drawn = {}
    for name, present in (("image", image_present), ("text", text_present)):
        dtype, bits = draw(st.sampled_from([(np.float16, 16), (np.float32, 32)]))
        numbers = st.floats(-1000, 1000, width=bits)
        values = draw(hnp.arrays(dtype, (count, draw(st.integers(1, 5))), elements=numbers))
        drawn[name] = ChunkModality(values, present)
    return drawn


@given(
    drawn=modalities(),
    names=st.sampled_from([("a", "b"), ("ä [x]", "ü\n"), (2, 10), ("10", "9")]),
    size=st.integers(2, 10),
)
@settings(max_examples=25)
def test_written_modalities_are_read_again(tmp_path_factory, drawn, names, size):
    """The size of chunks changes nothing."""
    count = len(drawn["image"].present)
    labels = np.asarray([names[i % 2] for i in range(count)])
    folder = tmp_path_factory.mktemp("round")
    pool = read(write_objects(folder / "whole.parquet", labels, drawn))
    assert pool.classes == tuple(str(name) for name in names)
    assert [pool.classes[code] for code in pool.labels] == [str(label) for label in labels]
    for got in pool.modalities:
        wanted = drawn[got.name]
        assert got.features.dtype == wanted.values.dtype
        assert got.present.tolist() == wanted.present.tolist()
        assert got.features.tobytes() == wanted.values[wanted.present].tobytes()
    cut = read(write_objects(folder / "cut.parquet", labels, drawn, size=size))
    assert cut.fingerprint == pool.fingerprint


def test_each_chunk_is_a_row_group_with_its_further_columns(tmp_path):
    modality = everywhere(np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32))
    source = write_objects(
        tmp_path / "p.parquet",
        np.arange(6) % 2,
        {"image": modality},
        size=2,
        group=np.asarray([4, 4, 1, 1, 7, 7]),
    )
    assert pq.ParquetFile(source).num_row_groups == 3
    assert read(source, group_by="group").groups.tolist() == [0, 0, 1, 1, 2, 2]


def test_image_arrays_keep_their_shape(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5), np.uint8)
    source = write_objects(tmp_path / "p.parquet", np.arange(6) % 2, {"image": everywhere(images)})
    part = read(source).modalities[0]
    assert (part.shape, part.features.dtype) == ((4, 5), np.uint8)
    assert part.features.reshape(6, 4, 5).tolist() == images.tolist()


def test_the_file_is_compressed_and_typed_as_documented(tmp_path):
    path = tmp_path / "p.parquet"
    write_pool(path, [CHUNK])
    schema = pq.read_schema(path)
    assert schema.names == ["id", "label", "image"]
    assert str(schema.field("image").type) == "fixed_size_list<element: halffloat>[3]"
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_absent_objects_are_null(tmp_path):
    part = ChunkModality(np.ones((3, 2), np.float32), np.asarray([True, False, True]))
    source = write_objects(tmp_path / "p.parquet", np.asarray([0, 1, 1]), {"image": part})
    assert open_pool(source).column("image").to_pylist() == [[1, 1], None, [1, 1]]


@pytest.fixture
def existing(tmp_path):
    path = tmp_path / "p.parquet"
    path.write_text("mine")
    return path


def test_what_older_versions_of_pyarrow_write_is_the_same_pool(tmp_path, monkeypatch):
    """They cannot write null rows of fixed-size lists, and write lists of variable length with the same schema."""
    values = np.random.default_rng(0).integers(0, 255, (6, 2, 3), np.uint8)
    halves = values.reshape(6, 6).astype(np.float16)
    present = np.asarray([True, False, True, True, False, True])
    chunk = Chunk(
        np.arange(6).astype(np.str_),
        np.arange(6) % 2,
        {"image": ChunkModality(values, present), "text": everywhere(halves)},
    )
    write_pool(tmp_path / "new.parquet", [chunk])
    monkeypatch.setattr(fixed_size_lists, "_NULL_ROWS_SINCE", (10_000,))
    write_pool(tmp_path / "old.parquet", [chunk])
    prints = {read(str(tmp_path / f"{name}.parquet")).fingerprint for name in ("new", "old")}
    monkeypatch.undo()
    assert prints == {read(str(tmp_path / "old.parquet")).fingerprint}
    new, old = (pq.read_schema(tmp_path / f"{name}.parquet") for name in ("new", "old"))
    assert new.equals(old, check_metadata=True)


def test_an_existing_file_is_replaced_only_when_asked(existing):
    with pytest.raises(PoolError, match=r"p\.parquet: exists already; .*--overwrite"):
        write_pool(existing, [CHUNK])
    assert existing.read_text() == "mine"
    write_pool(existing, [CHUNK], overwrite=True)
    assert len(read(str(existing))) == 2


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(PoolError, match="does not exist"):
        write_pool(tmp_path / "no" / "p.parquet", [CHUNK])


def interrupted():
    yield CHUNK
    raise KeyboardInterrupt


def test_nothing_is_left_when_writing_is_interrupted(existing):
    with pytest.raises(KeyboardInterrupt):
        write_pool(existing, interrupted(), overwrite=True)
    assert [file.name for file in existing.parent.iterdir()] == ["p.parquet"]
    assert existing.read_text() == "mine"


def test_an_unwritable_target_is_explained(tmp_path):
    (tmp_path / "p.parquet").mkdir()
    with pytest.raises(PoolError, match=r"p\.parquet: cannot be written"):
        write_pool(tmp_path / "p.parquet", [CHUNK], overwrite=True)
