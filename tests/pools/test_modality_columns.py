"""Which columns are modalities, what they are called, and what is said where there is none."""

import json
import shlex
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from alray.errors import PoolError
from alray.pools.columns.modality_names import clean_name
from alray.pools.describe import describe
from alray.settings.common import PoolSpec
from tests.helpers.pools_fixtures import features, parquet, read, vectors

ROWS = vectors([[1.0, 2.0], [3.0, 4.0], *[[5.0, 6.0]] * 4])


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("img.emb", "img_emb"),
        ("clip/ViT-B 32", "clip_ViT-B_32"),
        ("2nd", "_2nd"),
        ("fused", "fused_2"),
        ("größe", "groe"),
        ("画像", "modality"),
        ("-x-", "x"),
        ("_embedding", "_embedding"),
    ],
)
def test_a_default_modality_gets_a_name_that_a_network_can_have(tmp_path, column, name):
    found = describe(PoolSpec(source=parquet(tmp_path, **{column: ROWS})))
    assert [(part.name, part.column) for part in found.modalities][2:] == [(name, column)]
    cleaned = f"column {column!r} is the modality {name!r}"
    assert [note for note in found.notes if cleaned in note] == list(found.notes)
    assert bool(found.notes) is (name != column)


def test_clean_names_are_those_of_no_other_column(tmp_path):
    source = parquet(tmp_path, **{"a b": ROWS, "a.b": ROWS, "a_b": ROWS})
    assert [part.name for part in read(source).modalities] == [
        "image",
        "text",
        "a_b_2",
        "a_b_3",
        "a_b",
    ]


def test_clean_names_are_never_taken_ones():
    taken: list[str] = []
    for column in ("", "...", "__", "1", "a" * 300, "\x00", "é", "modality"):
        taken.append(clean_name(column, taken))
    assert len(set(taken)) == len(taken)


def advice_of(folder, **columns):
    source = parquet(folder, image=None, text=None, **columns)
    with pytest.raises(PoolError, match="no column is a list of floats") as caught:
        read(source)
    return str(caught.value).splitlines()[1:]


def test_each_column_is_listed_with_what_would_make_it_a_modality(tmp_path):
    record = pa.array(
        [{"clip": [1.0], "size": 1}] * 6,
        pa.struct([("clip", pa.list_(pa.float32())), ("size", pa.int8())]),
    )
    lines = advice_of(
        tmp_path,
        title=["a short text"] * 6,
        **{f"img_{number}": [1.0] * 6 for number in (10, 9, 0)},
        tokens=vectors([[1, 2]] * 6, pa.int64()),
        price=[1.5] * 6,
        day=pa.array([1] * 6, pa.date32()),
        both=record,
        cut=["[0.1 0.2 ... 0.3]"] * 6,
    )
    for line, words in zip(
        lines,
        [
            "img_0 to img_10 (3 columns of numbers): if each is a feature, --modality 'img=img_*'",
            "title (string): text; a modality is made of it by an encoder",
            "[2]): lists of numbers; if they are features, --modality tokens=tokens",
            "price (double): one number per object",
            "day (date32[day]): not a list of numbers",
            "with lists of numbers: --modality both_clip=both.clip",
            "cut (string): printed numbers that NumPy cut with '...'",
        ],
        strict=True,
    ):
        assert words in line


def test_the_options_of_the_advice_work(tmp_path):
    columns = {f"img {n}": [float(n + k) for k in range(6)] for n in range(3)}
    tokens = vectors([[k, 2] for k in range(6)], pa.int64())
    lines = advice_of(tmp_path, tokens=tokens, **columns)
    named = [shlex.split(line[line.index("--modality") :])[1] for line in lines]
    pool = read(str(tmp_path / "pool.parquet"), modalities=dict(text.split("=") for text in named))
    assert features(pool, "img")[1].tolist() == [1, 2, 3]
    assert features(pool, "tokens")[3].tolist() == [3, 2]


NUMBERS = np.asarray([[0.5, 1.0], [2.0, -4e-05], *[[1.0, 2.0]] * 4], np.float32)


def test_the_lines_of_python_of_the_advice_make_pools(tmp_path):
    """For JSON, printed arrays and bytes."""
    forms = {
        "json's": [json.dumps(row) for row in NUMBERS.tolist()],
        "printed": [str(row) for row in NUMBERS],
        "bytes": [row.tobytes() for row in NUMBERS],
    }
    program = "import os"
    for name, cells in forms.items():
        (tmp_path / name).mkdir()
        (line,) = advice_of(tmp_path / name, emb=cells)
        command, option, code = shlex.split(line[line.index("python -c") :])
        assert (command, option) == ("python", "-c")
        program += f"; os.chdir({str(tmp_path / name)!r}); {code}"
    subprocess.run([sys.executable, "-c", program], check=True)
    for name in forms:
        pool = read(str(tmp_path / name / "pool-lists.parquet"))
        assert features(pool, "emb").tolist() == NUMBERS.tolist()
