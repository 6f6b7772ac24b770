import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alray.errors import PoolError
from alray.pools.writing import Chunk, ChunkModality, writing
from tests.helpers.pools_fixtures import features, parquet, read, write_chunk, write_pool


def everywhere(values):
    return ChunkModality(values, np.ones(len(values), np.bool_))


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


@given(drawn=modalities(), names=st.sampled_from([("a", "b"), ("ä [x]", "ü\n"), (2, 10)]))
@settings(max_examples=60, deadline=None)
def test_written_modalities_are_read_again(tmp_path_factory, drawn, names):
    count = len(drawn["image"].present)
    labels = np.asarray([names[i % 2] for i in range(count)])
    path = tmp_path_factory.mktemp("round") / "pool.parquet"
    pool = read(write_chunk(path, labels, drawn))
    assert pool.classes == tuple(str(name) for name in names)
    assert [pool.classes[code] for code in pool.labels] == [str(label) for label in labels]
    for got in pool.modalities:
        wanted = drawn[got.name]
        assert got.features.dtype == wanted.values.dtype
        assert got.present.tolist() == wanted.present.tolist()
        assert got.features.tobytes() == wanted.values[wanted.present].tobytes()


@given(drawn=modalities())
@settings(max_examples=20, deadline=None)
def test_a_pool_that_is_written_is_the_same_pool(tmp_path_factory, drawn):
    folder = tmp_path_factory.mktemp("round")
    labels = np.arange(len(drawn["image"].present)) % 12
    first = read(write_chunk(folder / "a.parquet", labels, drawn))
    write_pool(first, folder / "b.parquet")
    assert read(str(folder / "b.parquet")).fingerprint == first.fingerprint


def test_groups_are_written(tmp_path):
    pool = read(parquet(tmp_path, words=list("xxyyzz")), group_by="words")
    write_pool(pool, tmp_path / "b.parquet")
    again = read(str(tmp_path / "b.parquet"), group_by="group")
    assert again.groups.tolist() == [0, 0, 1, 1, 2, 2]
    assert again.fingerprint == pool.fingerprint


def test_text_classes_that_look_like_numbers_keep_their_order(tmp_path):
    pool = read(parquet(tmp_path, label=["10", "9", "10", "9", "10", "9"]))
    write_pool(pool, tmp_path / "b.parquet")
    assert read(str(tmp_path / "b.parquet")).classes == pool.classes == ("10", "9")


def test_each_chunk_is_a_row_group(tmp_path):
    pool = read(parquet(tmp_path))
    write_pool(pool, tmp_path / "b.parquet", chunk_bytes=40)
    assert pq.ParquetFile(tmp_path / "b.parquet").num_row_groups == 3
    assert read(str(tmp_path / "b.parquet")).fingerprint == pool.fingerprint


def test_image_arrays_keep_their_shape(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 5), np.uint8)
    source = write_chunk(tmp_path / "p.parquet", np.arange(6) % 2, {"image": everywhere(images)})
    part = read(source).modalities[0]
    assert part.shape == (4, 5)
    assert part.features.reshape(6, 4, 5).tolist() == images.tolist()
    write_pool(read(source), tmp_path / "q.parquet")
    assert read(str(tmp_path / "q.parquet")).modalities[0].shape == (4, 5)


def test_the_file_is_compressed_and_typed_as_documented(tmp_path):
    path = tmp_path / "p.parquet"
    write_chunk(path, np.asarray(["x", "y"]), {"image": everywhere(np.ones((2, 3), np.float16))})
    schema = pq.read_schema(path)
    assert schema.names == ["id", "label", "image"]
    assert str(schema.field("image").type) == "fixed_size_list<element: halffloat>[3]"
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_absent_objects_are_null(tmp_path):
    part = ChunkModality(np.ones((3, 2), np.float32), np.asarray([True, False, True]))
    path = tmp_path / "p.parquet"
    write_chunk(path, np.asarray([0, 1, 1]), {"image": part})
    assert pq.read_table(path)["image"].to_pylist() == [[1, 1], None, [1, 1]]
    assert features(read(parquet(tmp_path)), "text").shape == (6, 2)


def chunk(values):
    return Chunk(np.asarray(["a", "b"]), np.asarray([0, 1]), {"image": everywhere(values)})


def test_an_existing_file_is_not_replaced(tmp_path):
    path = tmp_path / "p.parquet"
    path.write_text("mine")
    with pytest.raises(PoolError, match=r"p\.parquet: exists already; .*--overwrite"):
        write_pool(read("openclipart"), path)
    assert path.read_text() == "mine"


def test_an_existing_file_is_replaced_when_asked(tmp_path):
    path = tmp_path / "p.parquet"
    path.write_text("mine")
    write_pool(read(parquet(tmp_path)), path, overwrite=True)
    assert len(read(str(path))) == 6


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(PoolError, match="does not exist"), writing(tmp_path / "no" / "p.parquet"):
        pass


def failing(path, *, overwrite):
    with writing(path, overwrite=overwrite) as writer:
        writer.write(chunk(np.ones((2, 3), np.float32)))
        raise KeyboardInterrupt


def test_nothing_is_left_when_writing_is_interrupted(tmp_path):
    path = tmp_path / "p.parquet"
    path.write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        failing(path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["p.parquet"]
    assert path.read_text() == "mine"


def test_an_unwritable_target_is_explained(tmp_path):
    (tmp_path / "p.parquet").mkdir()
    with pytest.raises(PoolError, match=r"p\.parquet: cannot be written"):
        write_pool(read("openclipart"), tmp_path / "p.parquet", overwrite=True)
