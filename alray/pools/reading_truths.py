"""Read the right labels of a pool's objects, as far as a column has them."""

import numpy as np
import pyarrow as pa

from alray.errors import PoolError, SpecError
from alray.pools.columns.labels import NO_LABEL, read_labels
from alray.pools.columns.metadata import id_column_of, ids_in
from alray.pools.columns.vector_sources import vector_source
from alray.pools.files.parquet import PoolFile, open_pool
from alray.pools.files.unreadable import unreadable
from alray.settings.common import PoolSpec

OPTION = "--truth COLUMN"


def read_truths(spec: PoolSpec, column: str) -> dict[str, str]:
    """Return id: right label, of the objects that the column has one of; read and written as labels are.

    Raises:
        PoolError: There is no such column, it holds no labels, or it is null in all rows.
        SpecError: It is used otherwise, as that of labels, ids or groups, or as a feature.
    """
    file = open_pool(spec.source)
    try:
        return _read(file, spec, column)
    except (pa.ArrowException, OSError) as error:
        raise PoolError(unreadable(file.path, error)) from None


def _read(file: PoolFile, spec: PoolSpec, column: str) -> dict[str, str]:
    named = file.name_of(column)
    file.field(named, OPTION)
    _refuse_other_use(file, spec, named)
    ids = ids_in(file, id_column_of(file, spec))
    truths = read_labels(file, named, ids, OPTION)
    known = np.flatnonzero(truths.codes != NO_LABEL)
    if not len(known):
        raise PoolError(
            f"{file.path}: column {column!r} is null or empty in all {len(ids):,} rows; fill it in for objects whose "
            "right label someone knows, or leave --truth out"
        )
    names = [truths.classes[code] for code in truths.codes[known]]
    return dict(zip(ids[known].tolist(), names, strict=True))


def _refuse_other_use(file: PoolFile, spec: PoolSpec, column: str) -> None:
    """Refuse a column by which labels would be compared with themselves, or predicted from the truth."""
    uses = {
        "the labels that are judged": spec.label,
        "the ids": spec.id,
        "the groups of objects": spec.group_by,
    }
    for use, name in uses.items():
        if name is not None and file.name_of(name) == column:
            raise SpecError(
                f"truth = {column!r} is the column of {use}; name another one of right labels with {OPTION}"
            )
    for modality, text in spec.modalities.items():
        if text == column or column in vector_source(file, text, spec).columns:
            raise SpecError(
                f"truth = {column!r} is also a feature of the modality {modality!r} ({text}), which would then be "
                "predicted from; name the features without it with --modality"
            )
