"""Sources of imports as users have them, made at random: formats, label types, encodings, names."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from pyarrow import feather
from safetensors.numpy import save_file

from tests.helpers.generated_pools import FILES, NAMES, WORDS, Generated, Rng, pick

Labels = tuple[Any, list[str | None]]


def generated_import(rng: Rng, folder: Path) -> Generated:
    """Write a source for `alray pool import`; its labels are in the order of the objects."""
    folder.mkdir(parents=True)
    codes = rng.integers(3, size=int(pick(rng, (1, 40, 90))))
    features = (rng.normal(size=(len(codes), 6)) + np.eye(3, 6)[codes]).astype(np.float32)
    writers = (_npy, _npz, _folder, _csv, _jsonl, _feather, _safetensors, _torch)
    return writers[int(rng.integers(len(writers)))](rng, folder, codes, features)


def _name(rng: Rng, ending: str) -> str:
    return (pick(rng, FILES) if rng.random() < 0.2 else "source") + ending


def _array_labels(rng: Rng, codes: Any) -> Labels:
    words = rng.choice(WORDS, 3, replace=False).tolist()
    big = np.array([2**64 - 1, 2**64 - 2, 2**63], np.uint64)
    makers: tuple[Callable[[], Labels], ...] = (
        lambda: (codes.astype(np.int64), [str(code) for code in codes]),
        lambda: (codes.astype(np.uint8), [str(code) for code in codes]),
        lambda: (codes[:, None].astype(np.int32), [str(code) for code in codes]),
        lambda: (big[codes], [str(big[code]) for code in codes]),
        lambda: (codes.astype(np.float64), [str(code) for code in codes]),
        lambda: (codes + 0.5, ["?"] * len(codes)),
        lambda: (
            np.where(codes == 0, np.nan, codes),
            [str(code) if code else None for code in codes],
        ),
        lambda: (np.array([2.0**63, 2.0**64, 1.0])[codes], ["?"] * len(codes)),
        lambda: (np.array(words)[codes], [words[code] for code in codes]),
        lambda: (
            np.array([b"a", "ß".encode(), b"c"])[codes],
            [("a", "ß", "c")[code] for code in codes],
        ),
        lambda: (np.array([b"a", "ß".encode("latin-1"), b"c"])[codes], ["?"] * len(codes)),
        lambda: (
            np.array(["2020-01-01", "2021-01-01", "2022-01-01"], "datetime64[D]")[codes],
            ["?"] * len(codes),
        ),
        lambda: (
            np.array([(1, 2), (3, 4), (5, 6)], [("a", "i4"), ("b", "i4")])[codes],
            ["?"] * len(codes),
        ),
        lambda: (codes == 0, ["?"] * len(codes)),
        lambda: (codes + 1j, ["?"] * len(codes)),
        lambda: (codes[:-1], ["?"] * len(codes)),
        lambda: (np.eye(3)[codes], ["?"] * len(codes)),
    )
    return makers[int(rng.integers(len(makers)))]()


def _ids(rng: Rng, count: int) -> Any:
    makers: tuple[Callable[[], Any], ...] = (
        lambda: np.arange(count),
        lambda: np.array([f"id-{i}" for i in range(count)]),
        lambda: np.array([f"id-{i}".encode() for i in range(count)]),
        lambda: np.arange(count)[:, None],
        lambda: np.zeros(count, int),
        lambda: np.arange(count) + np.uint64(2**63),
        lambda: np.arange(count, dtype=float),
    )
    return makers[int(rng.integers(len(makers)))]()


def _features(rng: Rng, features: Any) -> Any:
    kind = int(rng.integers(10))
    if kind == 0:
        return features.astype(np.float64) * 1e30
    if kind == 1:
        return features * np.float32(1e-30)
    if kind == 2:
        return (features * 10).astype(np.int64)
    if kind == 3:
        return np.where(np.arange(len(features))[:, None] % 4 == 0, 0, features)
    if kind == 4:
        return np.where(features > 2, np.inf, features)
    return features


def _npy(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    path = folder / _name(rng, ".npy")
    block = np.concatenate([codes[:, None], features], axis=1).astype(
        pick(rng, (np.float32, np.float64))
    )
    np.save(path, block)
    options = pick(
        rng,
        (
            ["--columns", "x=1:7"],
            ["--columns", "x=1:99"],
            [],
            ["--columns", "x=1:7", "--label-column", "3"],
        ),
    )
    known = options == ["--columns", "x=1:7"]
    texts: list[str | None] = [str(code) if known else "?" for code in codes]
    return Generated(path, options, texts)


def _arrays(rng: Rng, codes: Any, features: Any) -> tuple[dict[str, Any], list[str | None]]:
    labels, texts = _array_labels(rng, codes)
    name = pick(rng, NAMES[:-1]) if rng.random() < 0.4 else "image"
    arrays = {pick(rng, ("label", "y", "labels")): labels, name: _features(rng, features)}
    if rng.random() < 0.4:
        arrays["ids"] = _ids(rng, len(codes))
    return arrays, texts


def _npz(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    arrays, texts = _arrays(rng, codes, features)
    path = folder / _name(rng, ".npz")
    np.savez(path, **arrays)
    return Generated(path, [], texts)


def _folder(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    arrays, texts = _arrays(rng, codes, features)
    as_text = rng.random() < 0.5
    for name, array in arrays.items():
        safe = name.replace("/", "-")
        if as_text and name in {"label", "y", "labels"}:
            words = rng.choice(WORDS, 3, replace=False).tolist()
            lines = [words[code] for code in codes]
            end = pick(rng, ("\n", "\r\n"))
            encoding = pick(rng, ("utf-8", "utf-8-sig", "utf-16", "latin-1"))
            content = end.join(lines) + pick(rng, ("", end))
            (folder / f"{safe}.txt").write_bytes(content.encode(encoding, errors="replace"))
            texts = list(lines) if encoding.startswith("utf-8") else ["?"] * len(codes)
        else:
            np.save(folder / f"{safe}.npy", array)
    return Generated(folder, [], texts)


def _rows(rng: Rng, codes: Any, features: Any) -> tuple[list[dict[str, Any]], list[str | None]]:
    words: list[Any] = list(
        pick(
            rng,
            (
                rng.choice(WORDS, 3, replace=False).tolist(),
                [1, 2, 3],
                ["a", None, "b"],
                [2**63, 2, 3],
            ),
        )
    )
    rows = [
        {"id": f"id-{i}", "label": words[code], "image": [float(value) for value in row]}
        for i, (code, row) in enumerate(zip(codes, features, strict=True))
    ]
    return rows, [None if words[code] is None else str(words[code]) for code in codes]


def _csv(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    rows, texts = _rows(rng, codes, features)
    path = folder / _name(rng, ".csv")
    out = io.StringIO()
    separate = rng.random() < 0.5
    names = [f"img_{i}" for i in range(features.shape[1])]
    writer = csv.writer(out)
    writer.writerow(["id", "label", *(names if separate else ["image"])])
    for row in rows:
        label = "" if row["label"] is None else row["label"]
        writer.writerow(
            [row["id"], label, *(row["image"] if separate else [json.dumps(row["image"])])]
        )
    path.write_bytes(out.getvalue().encode(pick(rng, ("utf-8", "utf-8", "utf-8-sig"))))
    return Generated(
        path, ["--modality", "image=img_*"] if separate and rng.random() < 0.8 else [], texts
    )


def _jsonl(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    rows, texts = _rows(rng, codes, features)
    path = folder / _name(rng, ".jsonl")
    lines = [json.dumps(row, ensure_ascii=bool(rng.random() < 0.5)) for row in rows]
    if rng.random() < 0.2:
        lines[-1] = lines[-1][:-5]
        texts = ["?"] * len(codes)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return Generated(path, [], texts)


def _feather(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    rows, texts = _rows(rng, codes, features)
    path = folder / _name(rng, pick(rng, (".feather", ".arrow")))
    labels = [row["label"] for row in rows]
    kind = pa.uint64() if 2**63 in labels else None
    table = pa.table(
        {
            "id": [row["id"] for row in rows],
            "label": pa.array(labels, kind),
            "image": pa.array(features.tolist(), pa.list_(pa.float32())),
        }
    )
    feather.write_feather(table, str(path), compression="uncompressed")
    return Generated(path, [], texts)


def _safetensors(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    path = folder / _name(rng, ".safetensors")
    save_file(
        {"label": codes.astype(np.int64), "image": np.ascontiguousarray(features)}, str(path)
    )
    return Generated(path, [], [str(code) for code in codes])


def _torch(rng: Rng, folder: Path, codes: Any, features: Any) -> Generated:
    path = folder / _name(rng, pick(rng, (".pt", ".pth")))
    content: Any = {"label": torch.tensor(codes), "image": torch.tensor(features)}
    texts: list[str | None] = [str(code) for code in codes]
    if rng.random() < 0.2:
        content, texts = torch.nn.Linear(2, 2), ["?"] * len(codes)
    torch.save(content, path)  # the format that the import has to read
    return Generated(path, [], texts)
