"""Tensors by name in safetensors, PyTorch's files and HDF5, imported as pools."""

import re

import numpy as np
import pytest
import torch

from alray.pools.imports.source import ImportOptions
from tests.helpers.import_files import (
    write_hdf5,
    write_safetensors,
    write_torch,
    write_torch_tensors,
)
from tests.helpers.imports import draw, imported, refusal, run, table_of
from tests.helpers.pools_fixtures import features

LABELS = [1, 0, 1, 0]


@pytest.mark.parametrize("write", [write_safetensors, write_torch_tensors, write_hdf5])
def test_each_layout_gives_the_same_pool(tmp_path, write):
    """Scalars are ignored; parts are joined; names with a slash are cleaned and shown."""
    image = draw(4, 3)
    image[1] = np.nan
    arrays = {
        "step": np.asarray(7),
        "b/text": draw(4, 2).astype(np.float16),
        "a_train": image[:3],
        "a_test": image[3:],
        "y_test": np.asarray(LABELS[3:]),
        "y_train": np.asarray(LABELS[:3]),
        "id": np.asarray([5, 6, 7, 8]),
    }
    written = run(write(tmp_path, arrays), ImportOptions(split_column="part"), chunk_bytes=32)
    assert "'b/text' is modality 'b_text': a name has letters, digits, _ and -" in written.notes
    table = table_of(written.path).to_pydict()
    assert table["id"] == ["5", "6", "7", "8"]
    assert table["label"] == LABELS
    assert table["part"] == ["train"] * 3 + ["test"]
    assert table["b_text"] == draw(4, 2).astype(np.float16).tolist()
    assert table["a"] == [row if row[0] == row[0] else None for row in image.tolist()]


@pytest.mark.parametrize("write", [write_safetensors, write_torch_tensors])
def test_bfloat16_is_kept_as_float32(tmp_path, write):
    image = torch.as_tensor(draw(4, 3)).bfloat16()
    pool = imported(write(tmp_path, {"image": image, "label": torch.as_tensor(LABELS)}))
    assert features(pool, "image").tolist() == image.double().tolist()


def test_lists_in_a_torch_file(tmp_path):
    content = {
        "labels": [2**63 + 1, 5, 2**64 - 1, 5],
        "ids": list("pqrs"),
        "m": [torch.ones(2), torch.zeros(2), torch.ones(2), torch.ones(2)],
        "epoch": 3,
    }
    table = table_of(run(write_torch(tmp_path, content), drop_empty=True).path).to_pydict()
    assert table == {"id": list("prs"), "label": [2**63 + 1, 2**64 - 1, 5], "m": [[1, 1]] * 3}


def test_lists_of_tensors_keep_their_type(tmp_path):
    """A black image of bytes is no absent one, and labels beyond float32's whole numbers stay apart."""
    images = [torch.full((2, 2), shade, dtype=torch.uint8) for shade in (0, 3, 200)]
    halves = [torch.full((2,), 1.5, dtype=torch.bfloat16)] * 3
    labels = [torch.tensor(2**24 + 1), torch.tensor(2**24), torch.tensor(2**24)]
    pool = imported(write_torch(tmp_path, {"image": images, "m": halves, "label": labels}))
    assert pool.classes == ("16777216", "16777217")
    assert features(pool, "image").tolist() == [[shade] * 4 for shade in (0, 3, 200)]
    assert [part.features.dtype for part in pool.modalities] == [np.uint8, np.float32]


class Own:
    """What only unpickling could load."""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Own(), r"a\.pt: needs .*Own, so it holds more .*safetensors\.torch\.save_file"),
        ({"m": np.ones(3), "y": [1, 2, 3]}, r"a\.pt: needs numpy.*_reconstruct, so it holds more"),
        (torch.ones(3), r"a\.pt: holds a Tensor; save a dictionary"),
        (
            {"m": torch.ones(3, 2).to_sparse(), "y": [1, 2, 3]},
            r"a\.pt:m: neither a dense tensor nor a list",
        ),
        ({"m": {"x": 1}, "y": [1, 2, 3]}, r"a\.pt:m: neither"),
        (
            {"m": [torch.ones(2).to_sparse()] * 2, "y": [1, 2]},
            r"a\.pt:m: a list of Tensor; .*dense",
        ),
        ({"m": torch.ones(3, 2), "y": ["a", 1, None]}, r"a\.pt:y: a list of NoneType, int, str"),
        (
            {"m": [torch.ones(1), torch.ones(2)], "y": [1, 2]},
            r"a\.pt:m: tensors of different shapes",
        ),
        ({"m": torch.ones(3, 2)}, r"a\.pt: no array of labels"),
    ],
)
def test_torch_files_are_refused(tmp_path, content, words):
    assert re.search(words, refusal(write_torch(tmp_path, content)))


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors", "a.h5"])
def test_files_that_are_none_are_refused(tmp_path, name):
    if name == "a.h5":
        pytest.importorskip("h5py")
    (tmp_path / name).write_bytes(b"no tensors")
    assert re.search(rf"{name}: (damaged|cannot be read)", refusal(tmp_path / name))


def test_texts_in_hdf5(tmp_path):
    """Whether their length is fixed or not."""
    arrays = {"label": ["ä", "b", "ä", "b"], "id": np.asarray(list("pqrs"), "S1"), "m": draw(4, 2)}
    pool = imported(write_hdf5(tmp_path, arrays))
    assert (pool.classes, pool.ids.tolist()) == (("b", "ä"), list("pqrs"))


def test_hdf5_without_its_library_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    (tmp_path / "a.h5").write_bytes(b"")
    assert "pip install 'alray[hdf5]'" in refusal(tmp_path / "a.h5")
