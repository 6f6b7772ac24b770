"""Import MNIST's idx files: images of unsigned bytes, with their labels beside them."""

import gzip
import io
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from alray.errors import PoolError
from alray.pools.files.layouts import IDX_IMAGES
from alray.pools.imports.npy import stream_rows
from alray.pools.imports.parts import joining_notes, split_column
from alray.pools.imports.rows import Rows, concatenate_rows
from alray.pools.imports.source import ImportOptions, ImportSource


def from_idx(path: Path, options: ImportOptions) -> ImportSource:
    """Return the images of a file, or of all such files of a folder.

    Raises:
        PoolError: Labels are missing or too few, or a file is broken.
    """
    found = (
        [path]
        if path.is_file()
        else [file for file in path.iterdir() if IDX_IMAGES.fullmatch(file.name)]
    )
    # Ids begin with the part, so "t10k/7" and "train/7" differ. The train part comes first, as in all layouts.
    images = sorted(found, key=lambda file: (not file.name.startswith("train"), file.name))
    parts, labels, ids, counts = [], [], [], []
    for file in images:
        rows = open_idx(file)
        names = file.with_name(file.name.replace("images", "labels").replace("idx3", "idx1"))
        if not names.exists():
            raise PoolError(f"{file}: its labels are missing; put {names.name} beside it")
        answers = open_idx(names)
        if answers.count != rows.count or answers.shape:
            raise PoolError(
                f"{names}: {answers.count:,} labels, and {file.name} has {rows.count:,} images; download both again"
            )
        match = IDX_IMAGES.fullmatch(file.name)
        part = match["part"] if match and match["part"] else "image"
        parts.append(rows)
        labels.append(answers.whole().astype(np.int64))
        ids.append(np.char.mod(f"{re.sub('%', '%%', part)}/%d", np.arange(rows.count)))
        counts.append(("test" if part == "t10k" else part, rows.count))
    return ImportSource(
        str(path),
        np.concatenate(ids),
        np.ma.masked_array(np.concatenate(labels)),
        {"image": concatenate_rows(parts)},
        split_column(options.split_column, counts),
        joining_notes(options.split_column, counts),
    )


def open_idx(path: Path) -> Rows:
    """Return the rows of an idx file of unsigned bytes, MNIST's format; gzipped if its name ends in `.gz`.

    Raises:
        PoolError: It is no such file.
    """

    def opened() -> AbstractContextManager[io.BufferedIOBase]:
        return gzip.open(path) if path.suffix == ".gz" else path.open("rb")

    return stream_rows(str(path), opened, _idx_header)


def _idx_header(stream: io.BufferedIOBase) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, False because rows come first, and type; the stream continues with the values.

    The format: two zero bytes, the type (8: unsigned byte), the rank, then the sizes as big-endian uint32.
    """
    magic = stream.read(4)
    if len(magic) < 4 or magic[:3] != b"\x00\x00\x08" or magic[3] == 0:
        raise ValueError("it does not start with the header of an idx file of unsigned bytes")
    sizes = np.frombuffer(stream.read(4 * magic[3]), ">u4")
    return tuple(sizes.tolist()), False, np.dtype(np.uint8)
