"""From arrays in other files to the interchange format, a chunk at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from alray.errors import PoolError
from alray.pools.arrays import Array, Rows
from alray.pools.import_sources import Choices, Source, open_source
from alray.pools.metadata import name_some
from alray.pools.pool import Texts
from alray.pools.writing import Chunk, Part, writing

CHUNK_BYTES = 1 << 25
"""Features in memory at a time; a chunk becomes a row group."""

Advance = Callable[[int, int], None]
"""Told how many objects of how many are done."""


@dataclass
class Written:
    """What a pool that was written holds.

    Attributes:
        path: The file.
        objects: Objects written.
        classes: Different labels.
        absent: Modality name: objects without it.
        dropped: Objects left out because they have no modality.
    """

    path: Path
    objects: int = 0
    classes: int = 0
    absent: dict[str, int] = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True)
class Target:
    """The file to be.

    Attributes:
        path: Where.
        dtype: float16 or float32 for float features; as in the source where None (float64 becomes float32).
        overwrite: Replace an existing file.
        drop_empty: Leave out objects without any modality instead of refusing them.
        chunk_bytes: As `CHUNK_BYTES`.
    """

    path: Path
    dtype: Literal["float16", "float32"] | None = None
    overwrite: bool = False
    drop_empty: bool = False
    chunk_bytes: int = CHUNK_BYTES


def import_pool(path: Path, target: Target, choices: Choices, advance: Advance) -> Written:
    """Convert arrays to a pool.

    Args:
        path: A `.npy`, `.npz` or idx file, or a folder.
        target: The file to be.
        choices: Which arrays or columns hold what.
        advance: Told about progress.

    Raises:
        PoolError: If the source is not understood, its parts do not fit together or hold unusable values, or the target
            exists.
    """
    source = open_source(path, choices)
    _check(source)
    return write_chunks(_chunks(source, target), len(source.ids), target, advance)


def write_chunks(
    chunks: Iterator[Chunk], objects: int, target: Target, advance: Advance
) -> Written:
    """Write chunks to a pool and count what goes by.

    Args:
        chunks: In order.
        objects: How many objects they hold together.
        target: The file to be.
        advance: Told about progress.

    Raises:
        PoolError: If objects have no modality, or the target exists or cannot be written.
    """
    written = Written(target.path)
    labels: set[Any] = set()
    done = 0
    with writing(target.path, overwrite=target.overwrite) as writer:
        for chunk in chunks:
            kept = _with_something(chunk, target)
            done += len(chunk.ids)
            advance(done, objects)
            written.dropped += len(chunk.ids) - len(kept.ids)
            written.objects += len(kept.ids)
            for name, part in kept.parts.items():
                absent = int((~part.present).sum())
                written.absent[name] = written.absent.get(name, 0) + absent
            labels.update(np.unique(kept.labels).tolist())
            writer.write(kept)
        if not written.objects:
            raise PoolError(f"{target.path}: not written, because no object has any modality")
    written.classes = len(labels)
    return written


def _check(source: Source) -> None:
    """Refuse ids and labels that a pool cannot have, and what no modality can be made of."""
    if not len(source.ids):
        raise PoolError(f"{source.origin}: there are no objects in it")
    names, counts = np.unique(source.ids, return_counts=True)
    if (counts > 1).any():
        raise PoolError(f"{source.origin}: ids are not unique: {name_some(names[counts > 1])}")
    if source.labels.dtype.kind == "U" and (source.labels == "").any():
        unlabelled = source.ids[source.labels == ""]
        raise PoolError(f"{source.origin}: objects without a label: {name_some(unlabelled)}")
    if {"id", "label"} & source.rows.keys():
        raise PoolError(
            f"{source.origin}: a modality cannot be called id or label; rename it with --modality"
        )
    for rows in source.rows.values():
        usable = rows.dtype.kind == "f" or rows.dtype == np.uint8
        if not usable or not rows.shape or 0 in rows.shape:
            raise PoolError(
                f"{rows.origin}: rows of {rows.dtype} with shape {rows.shape}; a modality has floats, or uint8 images, "
                "in every row; convert it with .astype('float32'), or leave it out by naming the others"
            )


def _chunks(source: Source, target: Target) -> Iterator[Chunk]:
    """Yield the objects in order, all modalities side by side."""
    row_bytes = sum(
        rows.dtype.itemsize * int(np.prod(rows.shape)) for rows in source.rows.values()
    )
    size = max(1, target.chunk_bytes // row_bytes)
    streams = {name: _even(rows, size) for name, rows in source.rows.items()}
    for start in range(0, len(source.ids), size):
        here = slice(start, start + size)
        ids = source.ids[here]
        parts = {
            name: _part(source.rows[name].origin, next(stream), ids, target.dtype)
            for name, stream in streams.items()
        }
        yield Chunk(ids, source.labels[here], parts)


def _even(rows: Rows, size: int) -> Iterator[Array]:
    """Yield chunks of exactly `size` rows (the last may be shorter), also where several files were joined."""
    waiting: list[Array] = []
    for chunk in rows.chunks(size):
        waiting.append(chunk)
        count = sum(len(part) for part in waiting)
        if count >= size:
            together = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            yield together[:size]
            waiting = [together[size:]]
    rest = np.concatenate(waiting) if waiting else np.empty(0)
    if len(rest):
        yield rest


def _part(origin: str, values: Array, ids: Texts, dtype: str | None) -> Part:
    """Return one modality of a chunk; a row of zeros only or NaN only is an absent modality.

    Raises:
        PoolError: If a row has some NaN or infinite values, or some that do not fit the target's type.
    """
    if values.dtype == np.uint8:
        return Part(values, np.ones(len(values), np.bool_))
    small = dtype or ("float16" if values.dtype.itemsize == 2 else "float32")
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(values.astype(small, copy=False))
    flat = numbers.reshape(len(numbers), -1)
    present = np.asarray((flat != 0).any(axis=1) & ~np.isnan(flat).all(axis=1))
    broken = present & ~np.isfinite(flat).all(axis=1)
    if broken.any():
        raise PoolError(
            f"{origin}: NaN, infinite or too large values for {small} in objects {name_some(ids[broken])}; "
            "a row that is absent must be all zeros or all NaN"
        )
    return Part(numbers, present)


def _with_something(chunk: Chunk, target: Target) -> Chunk:
    """Return the objects that have a modality.

    Raises:
        PoolError: If some have none and they are not to be dropped.
    """
    some = np.logical_or.reduce([part.present for part in chunk.parts.values()])
    if some.all():
        return chunk
    if not target.drop_empty:
        raise PoolError(
            f"{target.path}: not written, because {int((~some).sum()):,} of {len(some):,} objects have no modality "
            f"(all zeros or NaN): {name_some(chunk.ids[~some])}; leave such objects out with --drop-empty"
        )
    parts = {
        name: Part(part.values[some], part.present[some]) for name, part in chunk.parts.items()
    }
    return Chunk(chunk.ids[some], chunk.labels[some], parts)
