"""Read the objects of a part of a pool that may be chosen, some thousands at a time: no more is ever in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from alray.errors import PoolError
from alray.pools.columns.features import memory_type
from alray.pools.columns.labels import NO_LABEL, read_labels
from alray.pools.columns.metadata import DEFAULT_ID, name_some, read_ids, row_numbers
from alray.pools.columns.modality_columns import modality_columns
from alray.pools.columns.number_lists import NumberLists, as_numpy
from alray.pools.columns.vector_sources import OPTION, VectorSource, vector_source
from alray.pools.files.parquet import PoolFile, open_pool
from alray.pools.files.parts import ROWS_OF_PART, Part, PoolParts, cut
from alray.pools.files.unreadable import unreadable
from alray.pools.objects import some_objects
from alray.pools.pool import Indices, Modality, Texts
from alray.pools.slices import Counts, Slice, gathered
from alray.settings.common import PoolSpec

SLICE_BYTES = 1 << 25
"""Features, as float32, of the objects that are in memory at a time."""

SLICE_STEP, MOST_IN_SLICE = 1024, 65_536
"""Objects in memory at a time are a multiple of the one, and no more than the other."""

Excluded = Callable[[Texts], npt.NDArray[np.bool_]]
"""Takes (n,) ids; returns (n,) True where an object may not be chosen."""


@dataclass(frozen=True, eq=False)
class CandidatePool:
    """A pool in parts, and how its candidates are read: objects that are not excluded, without a label or all.

    Attributes:
        files: The files and their parts.
        spec: The columns of ids and labels.
        columns: Modality: its column.
        shapes: Modality: the shape of one object's features.
        excluded: Which ids may not be chosen; None for no such ids.
        labelled_too: Whether an object with a label is a candidate like others.
    """

    files: PoolParts
    spec: PoolSpec
    columns: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]
    excluded: Excluded | None = None
    labelled_too: bool = False

    @cached_property
    def slice_rows(self) -> int:
        """Rows that are read at a time."""
        numbers = sum(int(np.prod(shape)) for shape in self.shapes.values())
        steps = SLICE_BYTES // (4 * numbers * SLICE_STEP)
        return min(max(1, steps) * SLICE_STEP, MOST_IN_SLICE)

    def slices(self, part: Part, counts: Counts) -> Iterator[Slice]:
        """Yield the candidates of a part, in the order of their rows; row groups without any are not read.

        Raises:
            PoolError: The part is not as it was, or holds what cannot be used; names file, column and ids.
        """
        file = self.files.open(part)
        try:
            yield from gathered(self._slices(file, part, counts), self.slice_rows // 2)
        except (pa.ArrowException, OSError) as error:
            raise PoolError(unreadable(file.path, error)) from None

    def _slices(self, file: PoolFile, part: Part, counts: Counts) -> Iterator[Slice]:
        ids = self._ids(file, part)
        labelled = self._labelled(file, ids)
        allowed = ~labelled
        if self.excluded is not None:
            allowed &= ~self.excluded(ids)
        number = int(labelled.sum())
        counts.add(Counts(len(ids), number, len(ids) - number - int(allowed.sum())))
        (shard,) = file.shards
        start = 0
        for group in part.groups:
            end = start + shard.rows_of(group)
            if allowed[start:end].any():
                of_group = PoolFile(file.path, (replace(shard, groups=(group,)),), file.schema)
                first = part.start + start
                yield from self._of_group(of_group, ids[start:end], allowed[start:end], first)
            start = end

    def _of_group(
        self, file: PoolFile, ids: Texts, allowed: npt.NDArray[np.bool_], first: int
    ) -> Iterator[Slice]:
        """Yield the candidates of a row group, whose first row has this number."""
        sources = {
            name: vector_source(file, each, self.spec) for name, each in self.columns.items()
        }
        streams = [source.batches(self.slice_rows) for source in sources.values()]
        start = 0
        for batch in zip(*streams, strict=True):
            end = start + len(batch[0].present)
            if any(len(lists.present) != end - start for lists in batch):
                raise RuntimeError(f"{file.path}: columns were read in batches of different sizes")
            kept = np.flatnonzero(allowed[start:end])
            if len(kept):
                here = ids[start:end][kept]
                modalities = tuple(
                    self._modality(name, source, lists, kept, ids[start:end])
                    for (name, source), lists in zip(sources.items(), batch, strict=True)
                )
                self._refuse_bare(file, modalities, here)
                yield Slice(here, first + start + kept, modalities)
            start = end

    def _ids(self, file: PoolFile, part: Part) -> Texts:
        column = file.name_of(self.spec.id)
        if column not in file.schema.names:
            return row_numbers(part.start, part.rows)
        return read_ids(file, column)

    def _labelled(self, file: PoolFile, ids: Texts) -> npt.NDArray[np.bool_]:
        column = file.name_of(self.spec.label)
        if self.labelled_too or column not in file.schema.names:
            return np.zeros(len(ids), np.bool_)
        return np.asarray(read_labels(file, column, ids).codes != NO_LABEL)

    def _modality(
        self, name: str, source: VectorSource, lists: NumberLists, kept: Indices, ids: Texts
    ) -> Modality:
        """Return a modality of the kept ones of some rows, which have these ids."""
        shape, column, path = self.shapes[name], self.columns[name], source.file.path
        dimension, present = int(np.prod(shape)), lists.present
        fits = (lists.sizes.prod(axis=1) == dimension) & (lists.sizes >= 0).all(axis=1)
        others = np.flatnonzero(present & ~fits)
        if len(others):
            raise PoolError(
                f"{path}: column {column!r} has lists of {lists.sizes[others[0]].tolist()} values in {len(others):,} "
                f"objects: {name_some(ids[others])}, and the network was trained on {dimension} of {name!r}; mend or "
                f"remove these rows, or name another column with {OPTION}"
            )
        rows = np.where(present, np.cumsum(present) - 1, -1).astype(np.int32)
        values = as_numpy(lists.values).reshape(-1, dimension)
        found = some_objects(Modality(name, values, rows, shape), kept)
        with np.errstate(over="ignore", invalid="ignore"):
            stored = found.features.astype(memory_type(source), copy=False)
        checked = found.features if stored.dtype == np.uint8 else stored
        broken = np.flatnonzero(~np.isfinite(checked).all(axis=1))
        if len(broken):
            named = ids[kept][np.isin(found.rows, broken)]
            raise PoolError(
                f"{path}: column {column!r} has NaN, null, infinite or too large values in {len(named):,} objects: "
                f"{name_some(named)}; mend or remove these rows, or exclude these ids"
            )
        return Modality(name, stored, found.rows, shape)

    @staticmethod
    def _refuse_bare(file: PoolFile, modalities: Sequence[Modality], ids: Texts) -> None:
        bare = ids[~np.logical_or.reduce([modality.present for modality in modalities])]
        if len(bare):
            names = ", ".join(modality.name for modality in modalities)
            raise PoolError(
                f"{file.path}: {len(bare):,} objects have no modality (all null in {names}): {name_some(bare)}; "
                "remove these rows, or exclude these ids"
            )


def candidate_pool(
    spec: PoolSpec,
    shapes: Mapping[str, tuple[int, ...]],
    excluded: Excluded | None = None,
    rows_of_part: int = ROWS_OF_PART,
) -> CandidatePool:
    """Find a pool's files and columns, and cut it into parts; no data is read.

    Args:
        spec: Where the pool is, and its columns.
        shapes: The modalities that are read, with the shape of one object's features.
        excluded: Which ids may not be chosen.
        rows_of_part: Most rows of a part of several row groups.

    Raises:
        PoolError: A file or column is missing, or the files do not agree.
    """
    file = open_pool(spec.source)
    offered = modality_columns(file, spec)
    missing = [name for name in shapes if name not in offered]
    if missing:
        raise PoolError(
            f"{file.path}: the network was trained on the modality {missing[0]!r}, and this pool has "
            f"{', '.join(offered)}; name its column with --modality {missing[0]}=COLUMN"
        )
    columns = {name: offered[name] for name in shapes}
    _require_sizes(file, spec, columns, shapes)
    id_column, label_column = file.name_of(spec.id), file.name_of(spec.label)
    named = []
    if spec.id != DEFAULT_ID or id_column in file.schema.names:
        named.append(id_column)
    if spec.label != PoolSpec().label or label_column in file.schema.names:
        named.append(label_column)
    return CandidatePool(cut(file, named, rows_of_part), spec, columns, shapes, excluded)


def _require_sizes(
    file: PoolFile,
    spec: PoolSpec,
    columns: Mapping[str, str],
    shapes: Mapping[str, tuple[int, ...]],
) -> None:
    """Refuse columns whose type says that they hold other numbers of features than the network takes."""
    for name, column in columns.items():
        found = vector_source(file, column, spec).shape
        if found is not None and np.prod(found) != np.prod(shapes[name]):
            raise PoolError(
                f"{file.path}: column {column!r} has {int(np.prod(found)):,} features, and the network was trained on "
                f"{int(np.prod(shapes[name])):,} of {name!r}; name the column of these with {OPTION}"
            )
