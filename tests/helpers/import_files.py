"""Files and folders of other layouts, written as their own libraries write them."""

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from pyarrow import feather
from safetensors.torch import save_file

from tests.helpers.imports import draw

CLASSES = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}


def write_feather(folder: Path, records: Any, name: str = "a.feather") -> Path:
    feather.write_feather(pa.Table.from_pylist(records), folder / name)
    return folder / name


def write_stream(folder: Path, records: Any) -> Path:
    table = pa.Table.from_pylist(records)
    with pa.ipc.new_stream(str(folder / "a.arrow"), table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    return folder / "a.arrow"


def write_json_lines(folder: Path, records: Any, name: str = "a.jsonl") -> Path:
    text = "".join(f"{json.dumps(record)}\n" for record in records)
    content = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    (folder / name).write_bytes(content)
    return folder / name


def write_zipped(folder: Path, records: Any) -> Path:
    return write_json_lines(folder, records, "a.jsonl.gz")


def write_csv(folder: Path, records: Any, name: str = "a.csv", **format_: Any) -> Path:
    names = list(dict.fromkeys(key for record in records for key in record))
    with (folder / name).open("w", newline="", encoding="utf-8-sig") as stream:
        writer = csv.writer(stream, **format_)
        writer.writerow(names)
        for record in records:
            cells = [record.get(key) for key in names]
            writer.writerow([json.dumps(c) if isinstance(c, list) else c for c in cells])
    return folder / name


def write_numpy_lists(folder: Path, records: Any) -> Path:
    """Lists as pandas writes cells that hold arrays."""
    source = write_csv(folder, records, delimiter=";")
    text = re.sub(
        r"\[[^]]*\]", lambda cell: cell[0].replace(",", " \n"), source.read_text("utf-8-sig")
    )
    source.write_text(re.sub(r"(?<=;)(\[[^]]*\])", r'"\1"', text))
    return source


def write_safetensors(folder: Path, arrays: dict[str, Any]) -> Path:
    save_file(
        {name: torch.as_tensor(values) for name, values in arrays.items()},
        folder / "a.safetensors",
    )
    return folder / "a.safetensors"


def write_torch(folder: Path, content: Any) -> Path:
    torch.save(content, folder / "a.pt")
    return folder / "a.pt"


def write_torch_tensors(folder: Path, arrays: dict[str, Any]) -> Path:
    return write_torch(folder, {name: torch.as_tensor(values) for name, values in arrays.items()})


def write_hdf5(folder: Path, arrays: dict[str, Any]) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "a.h5", "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return folder / "a.h5"


def write_dataset(folder: Path, shards: list[dict[str, Any]], **state: Any) -> Path:
    """Write a data set as `save_to_disk` does."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{number:05}-of-{len(shards):05}.arrow" for number in range(len(shards))]
    for name, columns in zip(names, shards, strict=True):
        table = pa.table(columns)
        with pa.ipc.new_stream(str(folder / name), table.schema) as writer:
            writer.write_table(table)
    files = [{"filename": name} for name in names]
    (folder / "state.json").write_text(json.dumps({"_data_files": files, **state}))
    (folder / "dataset_info.json").write_text(json.dumps({"features": CLASSES}))
    return folder


def dataset_shard(*labels: int, **columns: Any) -> dict[str, Any]:
    return {"label": list(labels), "emb": draw(len(labels), 2).tolist(), **columns}


def write_clip(folder: Path, sizes: dict[int, int], **columns: Any) -> Path:
    """Write embeddings and metadata of these numbers of rows, by the number of the shard."""
    for name in ("img_emb", "text_emb", "metadata"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, rows in sizes.items():
        for name in ("img_emb", "text_emb"):
            values = np.full((rows, 2), number + 1, np.float16)
            np.save(folder / name / f"{name}_{number}.npy", values)
        metadata = {"topic": ["a", "b"] * (rows // 2), "caption": [f"c{number}"] * rows, **columns}
        pq.write_table(pa.table(metadata), folder / "metadata" / f"metadata_{number}.parquet")
    return folder


def write_idx(path: Path, array: np.ndarray) -> Path:
    head = bytes([0, 0, 8, array.ndim]) + np.asarray(array.shape, ">u4").tobytes()
    content = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
