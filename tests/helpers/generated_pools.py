"""Pools as users have them, made at random: types, sizes, names, nulls, encodings, layouts; most are odd somewhere."""

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Rng = np.random.Generator

WORDS = (
    "cats",
    "dogs",
    "birds",
    "Straße",
    "日本",
    "a b",
    "it's",
    "[red]",
    "0",
    "x\u200by",
    "é",
    "e\u0301",
    "None",
    "-",
    "%d",
)
SMALL = ("a", "b", "c")
NAMES = (
    "image",
    "text",
    "my emb",
    "a/b",
    "1st",
    "fused",
    "图像",
    "x.y",
    "label_probs",
    "emb#1",
    "-v",
    "id2",
    "ü",
    "",
)
FILES = (
    "posts",
    "my pool (1)",
    "-x",
    "_x",
    "100%",
    "a:b",
    "a#b",
    "日本",
    "x" * 150,
    "a'b",
    "a\nb",
    "..x",
    "*",
    "[a]",
)


@dataclass
class Generated:
    """A pool's file or folder, the options that name its columns, and what its labels are.

    Attributes:
        labels: (objects,) text of each object's label as its author means it, None where it has none.
    """

    path: Path
    options: list[str] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)


def pick(rng: Rng, values: Any) -> Any:
    """Return one of a sequence."""
    return values[int(rng.integers(len(values)))]


def generated_pool(rng: Rng, folder: Path) -> Generated:
    """Write a pool; two of three have one oddity at most."""
    odd = _oddities(rng)
    objects = (
        int(pick(rng, (60, 120, 200))) if "size" not in odd else int(pick(rng, (1, 2, 7, 20)))
    )
    codes = rng.integers(3, size=objects)
    column, texts = _labels(rng, codes, odd="label" in odd)
    columns: dict[str, Any] = {}
    options: list[str] = []
    ids = _ids(rng, objects, odd="id" in odd)
    if ids is not None:
        columns["id"] = ids
    label_name = (
        pick(rng, ("topic", "my label", "y", "Überschrift")) if rng.random() < 0.3 else "label"
    )
    columns[label_name] = column
    if label_name != "label":
        options += ["--label", label_name]
    for number in range(int(rng.integers(1, 3))):
        name = pick(rng, NAMES) if "name" in odd else ("image", "text")[number]
        if name not in columns:
            columns[name] = _features(rng, codes, odd="features" in odd)
    if "modality" in odd:
        options += [
            "--modality",
            pick(
                rng,
                (
                    "image=image",
                    "a=image",
                    "x",
                    "fused=image",
                    "image=nothing",
                    "é=image",
                    "i=label",
                ),
            ),
        ]
    table = pa.table(list(columns.values()), names=list(columns))
    if "repeated" in odd:
        name = pick(rng, list(columns))
        table = table.append_column(name, table.column(name))
    return Generated(_write(rng, table, folder, odd="layout" in odd), options, texts)


def _oddities(rng: Rng) -> set[str]:
    kinds = ("size", "label", "id", "name", "features", "modality", "repeated", "layout")
    number = int(pick(rng, (0, 1, 1, 1, 2, 3)))
    return set(rng.choice(kinds, size=number, replace=False).tolist())


def _write(rng: Rng, table: pa.Table, folder: Path, *, odd: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = max(1, table.num_rows // int(pick(rng, (1, 3))))
    if not odd:
        path = folder / "pool.parquet"
        pq.write_table(table, path, row_group_size=rows)
        return path
    if rng.random() < 0.5:
        path = (
            folder
            / f"{pick(rng, FILES)}{pick(rng, ('.parquet', '.parquet', '.pq', '', '.PARQUET'))}"
        )
        pq.write_table(table, path, row_group_size=rows)
        return path
    path = folder / f"folder {pick(rng, FILES[:4])}"
    path.mkdir()
    half = table.num_rows // 2
    for number, part in enumerate((table.slice(0, half), table.slice(half))):
        pq.write_table(part, path / f"part-{number:05}.snappy.parquet")
    if rng.random() < 0.5:
        (path / "_SUCCESS").touch()
    return path


def _labels(rng: Rng, codes: Any, *, odd: bool) -> tuple[pa.Array, list[str | None]]:
    names = [SMALL[code] for code in codes]
    if not odd:
        return pa.array(names), list(names)
    makers: tuple[Callable[[], tuple[pa.Array, list[str | None]]], ...] = (
        lambda: _mapped(codes, rng.choice(WORDS, 3, replace=False).tolist(), pa.string()),
        lambda: _mapped(codes, ["a", "b", None], pa.large_string()),
        lambda: _mapped(codes, ["a", "", "b"], pa.string(), ["a", None, "b"]),
        lambda: _mapped(codes, [2**63 - 1, 2**63 - 2, -(2**63)], pa.int64()),
        lambda: _mapped(codes, [2**64 - 1, 2**64 - 2, 2**63], pa.uint64()),
        lambda: _mapped(codes, [2**53, 2**53 + 1, None], pa.int64()),
        lambda: _mapped(codes, [-1, 0, 7], pa.int8()),
        lambda: _mapped(codes, [0.0, 1.0, 12.0], pa.float64(), ["0", "1", "12"]),
        lambda: _mapped(codes, [0.0, 1.5, 2.0], pa.float32(), ["0", "1.5", "2"]),
        lambda: _mapped(
            codes, [2.0**53, 2.0**60, 1e300], pa.float64(), [str(2**53), str(2**60), "1e+300"]
        ),
        lambda: _mapped(codes, [0.0, float("nan"), 2.0], pa.float64(), ["0", None, "2"]),
        lambda: _mapped(codes, [b"a", "ß".encode(), b"c"], pa.binary(), ["a", "ß", "c"]),
        lambda: _mapped(codes, [b"a", "ß".encode("latin-1"), b"c"], pa.binary(), ["a", "?", "c"]),
        lambda: _mapped(codes, [True, False, True], pa.bool_(), ["True", "False", "True"]),
        lambda: _mapped(
            codes,
            [dt.date(2020, 1, day) for day in (1, 2, 3)],
            pa.date32(),
            ["2020-01-01", "2020-01-02", "2020-01-03"],
        ),
        lambda: _mapped(
            codes,
            [decimal.Decimal("1.10"), decimal.Decimal("2.20"), None],
            pa.decimal128(5, 2),
            ["1.10", "2.20", None],
        ),
        lambda: _mapped(codes, [["a"], ["b"], []], pa.list_(pa.string()), ["?"] * 3),
        lambda: _mapped(codes, [None, None, None], pa.string()),
        lambda: _mapped(codes, ["a", "a", "a"], pa.string()),
        lambda: (pa.array(names).dictionary_encode(), list(names)),
        lambda: (
            pa.array([f"unique {i}" for i in range(len(codes))]),
            [f"unique {i}" for i in range(len(codes))],
        ),
    )
    return makers[int(rng.integers(len(makers)))]()


def _mapped(
    codes: Any, values: list[Any], kind: pa.DataType, texts: list[str | None] | None = None
) -> tuple[pa.Array, list[str | None]]:
    meant = texts or [None if value is None else str(value) for value in values]
    return pa.array([values[code] for code in codes], kind), [meant[code] for code in codes]


def _ids(rng: Rng, objects: int, *, odd: bool) -> pa.Array | None:
    plain = [f"post-{number}" for number in range(objects)]
    makers: tuple[Callable[[], pa.Array | None], ...] = (
        lambda: None,
        lambda: pa.array([f"x{number // 2}" for number in range(objects)]),
        lambda: pa.array([None, *plain[1:]], pa.string()),
        lambda: pa.array(
            [uuid.UUID(int=number).bytes for number in range(objects)], pa.binary(16)
        ),
        lambda: pa.array([text.encode() for text in plain], pa.binary()),
        lambda: pa.array(["y" * int(pick(rng, (900, 3000))), *plain[1:]]),
        lambda: pa.array(np.arange(objects, dtype=np.uint64) + np.uint64(2**63)),
        lambda: pa.array([float(number) for number in range(objects)]),
        lambda: pa.array([f"\x1b[31m{text}\u202e" for text in plain]),
    )
    return makers[int(rng.integers(len(makers)))]() if odd else pa.array(plain)


def _features(rng: Rng, codes: Any, *, odd: bool) -> pa.Array:
    values = rng.normal(size=(len(codes), 12)) + 2 * np.eye(3, 12)[codes]
    if not odd:
        return pa.array(values.tolist(), pa.list_(pa.float32(), 12))
    rows: list[Any] = values.tolist()
    makers: tuple[Callable[[], pa.Array], ...] = (
        lambda: pa.array(rows, pa.list_(pa.float64())),
        lambda: pa.array(rows, pa.large_list(pa.float32())),
        lambda: pa.array((values * 1e-30).tolist(), pa.list_(pa.float64())),
        lambda: pa.array((values * 1e30).tolist(), pa.list_(pa.float32(), 12)),
        lambda: pa.array(
            values.astype(np.float16).tolist()
            and [list(row) for row in values.astype(np.float16)],
            pa.list_(pa.float16(), 12),
        ),
        lambda: pa.array([[row] for row in rows], pa.list_(pa.list_(pa.float32()))),
        lambda: pa.array(
            [np.reshape(row, (3, 4)).tolist() for row in rows],
            pa.list_(pa.list_(pa.float32(), 4), 3),
        ),
        lambda: pa.array(
            np.clip(values * 20 + 100, 0, 255).astype(np.uint8).tolist(), pa.list_(pa.uint8(), 12)
        ),
        lambda: pa.array((values * 20).astype(np.int8).tolist(), pa.list_(pa.int8())),
        lambda: pa.array(
            [[{"value": value} for value in row] for row in rows],
            pa.list_(pa.struct([("value", pa.float64())])),
        ),
        lambda: pa.array(np.eye(3)[codes].tolist(), pa.list_(pa.float32())),
        lambda: pa.array([[float(code)] for code in codes], pa.list_(pa.float32())),
        lambda: pa.array(
            [None if i % 3 else row for i, row in enumerate(rows)], pa.list_(pa.float32(), 12)
        ),
        lambda: pa.array([None for _ in rows], pa.list_(pa.float32(), 12)),
        lambda: pa.array(
            [row[: 12 - i % 2] for i, row in enumerate(rows)], pa.list_(pa.float32())
        ),
        lambda: pa.array(
            [[None, *row[1:]] if i == 3 else row for i, row in enumerate(rows)],
            pa.list_(pa.float32()),
        ),
        lambda: pa.array(
            [[float("nan"), *row[1:]] if i == 3 else row for i, row in enumerate(rows)],
            pa.list_(pa.float32()),
        ),
        lambda: pa.array([[] for _ in rows], pa.list_(pa.float32())),
        lambda: pa.array([[1.0] * 12 for _ in rows], pa.list_(pa.float32(), 12)),
        lambda: pa.array([str(row) for row in rows]),
        lambda: pa.array(values[:, 0]),
        lambda: pa.array([np.float32(row).tobytes() for row in rows], pa.binary()),
        lambda: pa.array(
            [[decimal.Decimal(str(round(value, 3))) for value in row] for row in rows],
            pa.list_(pa.decimal128(9, 3)),
        ),
    )
    return makers[int(rng.integers(len(makers)))]()
