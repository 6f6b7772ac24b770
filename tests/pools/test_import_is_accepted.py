"""Whatever is imported is a pool that `describe` accepts, with the labels of the source."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format as npy_format
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alray.errors import PoolError
from alray.pools.columns.modality_names import can_name_modality, clean_name
from alray.pools.describe import describe
from alray.pools.imports.source import ImportOptions
from alray.settings.common import PoolSpec
from tests.helpers.imports import draw, imported, refusal, run

OBJECTS = 24
TAKEN = {"id", "label", "image", "fused"}
NAMES = st.one_of(
    st.sampled_from(
        [
            "a/b",
            "2d",
            "fused",
            "ü",
            "日本",
            "a b",
            "-x",
            "_",
            "a.b",
            "é/è",
            "img\n",
            "keys",
            "split",
        ]
    ),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=6
    ),
)
LABELS = st.sampled_from(
    [
        ["a", "b"], ["ä", "z\n"], ["1", "01"], ["a", " b "], [b"x", b"\xc3\xa9"], [True, False], [0, -7], [1.0, 2.0],
        [2**63, 2**64 - 1], [2.0**53, 3.0], ["x" * 500, "y"], [".", "nan"], ["None", "null"],
    ]
)  # fmt: skip


def save(path: Path, arrays: dict[str, Any]) -> Path:
    """Write an `.npz` file with any names, also those that numpy.savez takes as its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w") as stream:
                npy_format.write_array(stream, np.asarray(values))
    return path


def as_text(label: Any) -> str:
    if isinstance(label, bytes):
        return label.decode()
    return str(int(label)) if isinstance(label, bool | float) else str(label)


@given(
    names=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    labels=LABELS,
    dtype=st.sampled_from([">f4", "f2", "f8", "u1", "g"]),
    order=st.permutations(["label", "id", "features"]),
    ids=st.sampled_from([np.arange(OBJECTS), [[f"ü{row}".encode()] for row in range(OBJECTS)]]),
)
@settings(max_examples=30, deadline=None)
def test_imported_arrays_are_accepted(tmp_path_factory, names, labels, dtype, order, ids):
    folder = tmp_path_factory.mktemp("import")
    numbers = np.abs(draw(OBJECTS, 3)) + 1
    if dtype != "u1":
        numbers[3] = np.nan
    features = {name: numbers.astype(dtype) for name in names} | {
        "image": np.abs(draw(OBJECTS, 2)) + 1
    }
    truth = [labels[row % 2] for row in range(OBJECTS)]
    groups = {"label": {"label": truth}, "id": {"id": ids}, "features": features}
    arrays = {name: values for group in order for name, values in groups[group].items()}
    wanted = sum(len(group) for group in groups.values())
    if len(arrays) < wanted or {name.lower() for name in features} & {
        "id",
        "ids",
        "label",
        "labels",
        "y",
    }:
        return  # a modality with the name of labels or ids
    written = run(save(folder / "a.npz", arrays))
    spec = PoolSpec(source=str(written.path))
    assert describe(spec).problems == ()
    pool = imported(folder / "a.npz", overwrite=True)
    assert [pool.classes[code] for code in pool.labels] == [as_text(label) for label in truth]
    assert len(pool.modalities) == len(features)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("img/emb", "img_emb"),
        ("2d", "_2d"),
        ("fused", "fused_2"),
        ("id", "id_2"),
        ("image", "image_2"),
        ("Größe, cm", "Groe_cm"),
        ("é-è", "e-e"),
        ("日本", "modality"),
        ("", "modality"),
        ("text", "text"),
    ],
)
def test_names_are_cleaned(name, clean):
    assert clean_name(name, TAKEN) == clean
    assert can_name_modality(clean)


def test_cleaned_names_do_not_meet(tmp_path):
    arrays = {"a/b": draw(4, 2), "a b": draw(4, 2), "a_b": draw(4, 2), "y": np.arange(4) % 2}
    written = run(save(tmp_path / "a.npz", arrays))
    assert written.notes == tuple(
        f"{name!r} is modality {clean!r}: a name has letters, digits, _ and -"
        for name, clean in [("a/b", "a_b_2"), ("a b", "a_b_3")]
    )


@pytest.mark.parametrize("name", ["a/b", "2d", "fused", "ü"])
def test_names_that_the_user_gives_are_not_changed(tmp_path, name):
    source = save(tmp_path / "a.npz", {"m": draw(4, 2), "y": np.arange(4) % 2})
    message = refusal(source, ImportOptions(modalities={name: "m"}))
    assert f"{name!r} cannot name a modality" in message
    assert "give another name with --modality NAME=m" in message
    np.save(tmp_path / "b.npy", np.arange(8.0).reshape(4, 2))
    with pytest.raises(PoolError, match="cannot name a modality"):
        run(tmp_path / "b.npy", ImportOptions(columns={name: (1, 2)}))
