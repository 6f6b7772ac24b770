"""Import arrays of other formats into a pool, a chunk at a time."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.imports.opening import open_source
from alray.pools.imports.rows import Array
from alray.pools.imports.source import ImportOptions, ImportSource
from alray.pools.pool import Texts
from alray.pools.writing import Chunk, ChunkModality, write_pool

Advance = Callable[[int, int], None]
"""Called after each chunk, with the number of objects that are done and the number of all."""


@dataclass
class WriteSummary:
    """Counts of a written pool.

    Attributes:
        absent: Modality name: objects without it.
        unlabelled: Objects without a label, which were written.
        dropped: Objects without any modality, which were left out.
        notes: What the user should know about names and columns, a line each.
    """

    path: Path
    objects: int = 0
    classes: int = 0
    absent: Counter[str] = field(default_factory=Counter)
    unlabelled: int = 0
    dropped: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """The file to write.

    Attributes:
        dtype: float16 or float32 for float features; that of the source where None (float64 becomes float32).
        drop_empty: Leave out objects without any modality instead of refusing them.
        chunk_bytes: Features in memory at a time; a chunk becomes a row group.
    """

    path: Path
    dtype: Literal["float16", "float32"] | None = None
    overwrite: bool = False
    drop_empty: bool = False
    chunk_bytes: int = 1 << 25


def import_pool(
    path: Path, target: Target, options: ImportOptions, advance: Advance
) -> WriteSummary:
    """Convert a file or folder of a supported layout to a pool.

    Raises:
        PoolError: The source is not supported, its arrays do not fit together or hold unusable values, or the target
            exists.
    """
    source = open_source(path, options)
    _check_source(source)
    written = write_chunks(_chunks(source, target), len(source.ids), target, advance)
    written.notes = source.notes
    return written


def write_chunks(
    chunks: Iterator[Chunk], objects: int, target: Target, advance: Advance
) -> WriteSummary:
    """Write chunks with this number of objects to a pool, and count objects, classes and absent modalities.

    Raises:
        PoolError: Objects have no modality, none has a label, or the target exists or cannot be written.
    """
    written = WriteSummary(target.path)
    labels: set[Any] = set()

    def kept_chunks() -> Iterator[Chunk]:
        done = 0
        for chunk in chunks:
            kept = _with_a_modality(chunk, target)
            done += len(chunk.ids)
            advance(done, objects)
            written.dropped += len(chunk.ids) - len(kept.ids)
            written.objects += len(kept.ids)
            for name, modality in kept.modalities.items():
                written.absent[name] += int((~modality.present).sum())
            labels.update(np.unique(np.ma.compressed(kept.labels)).tolist())
            written.unlabelled += int(np.ma.getmaskarray(kept.labels).sum())
            yield kept
        if not written.objects:
            raise PoolError(
                f"{target.path}: not written, because no object has any modality; check the source"
            )
        if written.unlabelled == written.objects:
            raise PoolError(
                f"{target.path}: not written, because no object that has a modality has a label; label some"
            )

    write_pool(target.path, kept_chunks(), overwrite=target.overwrite)
    written.classes = len(labels)
    return written


def _check_source(source: ImportSource) -> None:
    if not len(source.ids):
        raise PoolError(f"{source.origin}: there are no objects in it; save a row per object")
    names, counts = np.unique(source.ids, return_counts=True)
    if (counts > 1).any():
        repeated = name_some(names[counts > 1])
        raise PoolError(
            f"{source.origin}: ids are not unique: {repeated}; make them unique, or name another array with --id"
        )
    if np.ma.getmaskarray(source.labels).all():
        raise PoolError(
            f"{source.origin}: none of its {len(source.ids):,} objects has a label, and a replay needs labels; "
            "name the array or column that holds them, or label some objects"
        )
    taken = {"id", "label", *source.rows} & source.further.keys()
    if taken:
        raise PoolError(
            f"{source.origin}: {min(taken)!r} is the name of two columns; name the modality otherwise with "
            "--modality, or the parts with --split-column"
        )
    if {"id", "label"} & source.rows.keys():
        raise PoolError(
            f"{source.origin}: a modality cannot be called id or label; rename it with --modality"
        )
    for rows in source.rows.values():
        usable = rows.dtype.kind == "f" or rows.dtype == np.uint8
        if not usable or not rows.shape or 0 in rows.shape:
            step = (
                "an encoder makes such numbers of a text; leave the array out"
                if rows.dtype.kind in "US"
                else "convert it with .astype('float32'), or leave it out"
            )
            raise PoolError(
                f"{rows.origin}: rows of {rows.dtype} with shape {rows.shape}; a modality has floats, or uint8 images, "
                f"in every row; {step}: name the others with --modality"
            )


def _chunks(source: ImportSource, target: Target) -> Iterator[Chunk]:
    """Yield the objects in order, with all modalities in each chunk."""
    row_bytes = sum(
        rows.dtype.itemsize * int(np.prod(rows.shape)) for rows in source.rows.values()
    )
    size = max(1, target.chunk_bytes // row_bytes)
    streams = {name: rows.chunks(size) for name, rows in source.rows.items()}
    further = {name: chunks(size) for name, chunks in source.further.items()}
    for start in range(0, len(source.ids), size):
        ids = source.ids[start : start + size]
        modalities = {
            name: _modality(source.rows[name].origin, next(stream), ids, target.dtype)
            for name, stream in streams.items()
        }
        extras = {name: next(stream) for name, stream in further.items()}
        yield Chunk(ids, source.labels[start : start + size], modalities, extras)


def _modality(origin: str, values: Array, ids: Texts, dtype: str | None) -> ChunkModality:
    """Return one modality of a chunk; a row of zeros only or NaN only is an absent modality.

    Raises:
        PoolError: Some values of a row are NaN, infinite, or too large for the target's type, or all of them are too
            small for it.
    """
    if values.dtype == np.uint8:
        return ChunkModality(values, np.ones(len(values), np.bool_))
    target = dtype or ("float16" if values.dtype.itemsize == 2 else "float32")
    with np.errstate(over="ignore", invalid="ignore"):
        features = np.ascontiguousarray(values.astype(target, copy=False))
    flat = features.reshape(len(features), -1)
    present = np.asarray((flat != 0).any(axis=1) & ~np.isnan(flat).all(axis=1))
    broken = present & ~np.isfinite(flat).all(axis=1)
    if broken.any():
        raise PoolError(
            f"{origin}: NaN, infinite or too large values for {target} in objects {name_some(ids[broken])}; "
            "a row that is absent must be all zeros or all NaN"
        )
    if features.dtype.itemsize < values.dtype.itemsize:
        _refuse_underflow(origin, values.reshape(len(values), -1), flat, ids)
    return ChunkModality(features, present)


def _refuse_underflow(origin: str, values: Array, rounded: Array, ids: Texts) -> None:
    """Refuse values that are too small for a type: a row would become absent, or all rows lose digits.

    Raises:
        PoolError: There are such rows.
    """
    largest = np.fmax.reduce(np.abs(values), axis=1)
    lost = (largest > 0) & (rounded == 0).all(axis=1)
    if 0 < np.fmax.reduce(largest) < np.finfo(rounded.dtype).smallest_normal:
        lost = largest > 0
    if lost.any():
        step = "use --dtype float32" if rounded.dtype == np.float16 else "multiply the array"
        raise PoolError(
            f"{origin}: values of at most {largest[lost].max():.1e} are too small for {rounded.dtype} in objects "
            f"{name_some(ids[lost])}; {step}"
        )


def _with_a_modality(chunk: Chunk, target: Target) -> Chunk:
    """Return the objects that have a modality.

    Raises:
        PoolError: Some have none, and the target does not drop them.
    """
    some = np.logical_or.reduce([modality.present for modality in chunk.modalities.values()])
    if some.all():
        return chunk
    if not target.drop_empty:
        raise PoolError(
            f"{target.path}: not written, because {int((~some).sum()):,} of {len(some):,} objects have no modality "
            f"(all zeros or NaN): {name_some(chunk.ids[~some])}; leave such objects out with --drop-empty"
        )
    modalities = {
        name: ChunkModality(modality.values[some], modality.present[some])
        for name, modality in chunk.modalities.items()
    }
    extras = {
        name: values.filter(pa.array(some)) if isinstance(values, pa.Array) else values[some]
        for name, values in chunk.extras.items()
    }
    return Chunk(chunk.ids[some], chunk.labels[some], modalities, extras)
