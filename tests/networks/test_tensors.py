import numpy as np
import pytest
import torch

from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality, PreparedPool
from tests.helpers.builders import everyone, image_pool, make_pool, with_scaling


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint8])
@pytest.mark.parametrize("into_buffer", [False, True])
def test_gathered_rows_are_copies_for_every_type(dtype, into_buffer):
    features = np.arange(12).reshape(4, 3).astype(dtype)
    modality = Modality("a", features, np.arange(4, dtype=np.int32), (3,), offset=1.0, scale=2.0)
    pool = PreparedPool((modality,), np.zeros(4, np.int64), 1, *[np.arange(1)] * 3)
    buffer = torch.empty(2, 3) if into_buffer else None
    gathered = PoolTensors(pool).modalities[0].gather(np.array([2, 0]), out=buffer)
    assert gathered.dtype == torch.float32
    assert gathered.tolist() == [[10, 12, 14], [-2, 0, 2]]
    assert np.array_equal(features, np.arange(12).reshape(4, 3).astype(dtype))
    if buffer is not None:
        assert gathered.data_ptr() == buffer.data_ptr()


def test_a_batch_holds_the_present_objects_and_where_they_are():
    pool = make_pool(absent=0.4)
    indices = np.array([5, 3, 90, 17, 44, 8])
    batch = PoolTensors(pool).batch(indices)
    assert batch.size == 6
    for modality in pool.modalities:
        rows = batch.rows[modality.name]
        present = np.flatnonzero(modality.rows[indices] >= 0)
        expected = modality.features[modality.rows[indices][present]]
        assert np.array_equal(batch.features[modality.name].numpy(), expected)
        assert rows is not None
        assert np.array_equal(rows.numpy(), present)


def test_no_positions_are_kept_where_every_object_is_present():
    pool = make_pool(absent=0.0)
    assert PoolTensors(pool).batch(everyone(pool)).rows == {"image": None, "text": None}


def test_images_get_their_shape():
    batch = PoolTensors(image_pool(shape=(2, 8, 9))).batch(np.array([1, 0, 4]))
    assert batch.features["pixels"].shape == (3, 2, 8, 9)


def test_labels_and_objects_are_copies_in_the_order_asked_for_of_a_read_only_pool():
    pool = make_pool()
    tensors = PoolTensors(pool)
    assert not pool.test.flags.writeable
    before = pool.checksum()
    for indices in (np.array([4, 1, 4]), pool.test, everyone(pool)):
        labels, batch = tensors.labels(indices), tensors.batch(indices)
        assert labels.tolist() == pool.labels[indices].tolist()
        assert batch.size == len(indices)
        for copied in (labels, *batch.features.values()):
            copied.fill_(77)
    assert pool.checksum() == before


def test_patterns_have_a_bit_per_modality():
    pool = make_pool(absent=0.4)
    tensors, objects = PoolTensors(pool), everyone(pool)[::-1]
    image, text = (modality.present[objects] for modality in pool.modalities)
    patterns = tensors.patterns(objects)
    assert np.array_equal(patterns, image + 2 * text)
    by_pattern = list(tensors.by_pattern(objects))
    assert [names for names, _ in by_pattern] == [["image"], ["text"], ["image", "text"]]
    for code, (_, positions) in enumerate(by_pattern, start=1):
        assert np.array_equal(positions, np.flatnonzero(patterns == code))


@pytest.mark.parametrize("number", range(8))
def test_the_checksum_notices_one_changed_value_in_any_array(number):
    pool = make_pool()
    arrays = pool.arrays()
    assert len(arrays) == 2 * 2 + 4
    before = pool.checksum()
    array = arrays[number]
    array.setflags(write=True)
    kept = array.flat[0]
    array.flat[0] = kept + 1
    assert pool.checksum() != before
    array.flat[0] = kept
    assert pool.checksum() == before


def test_bytes_are_those_of_all_arrays():
    pool = make_pool(objects=10, dimensions={"a": 3}, absent=0.0)
    assert pool.nbytes == 10 * 3 * 4 + 10 * 4 + 10 * 8 + 10 * 8


def test_a_batch_has_an_offset_and_a_scale_for_each_feature():
    pool = make_pool()
    plain, scaled = (PoolTensors(each).batch(pool.train) for each in (pool, with_scaling(pool)))
    for modality in with_scaling(pool).modalities:
        expected = (plain.features[modality.name].numpy() - modality.offset) * modality.scale
        np.testing.assert_allclose(
            scaled.features[modality.name].numpy(), expected, rtol=1e-5, atol=1e-5
        )
