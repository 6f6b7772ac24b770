"""Read a pool once for a sweep whose arms see it in several ways."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from alray.errors import PoolError
from alray.pools.columns.features import FeatureColumn
from alray.pools.columns.metadata import name_some, read_metadata
from alray.pools.files.parquet import open_pool
from alray.pools.pool import Pool
from alray.pools.reading import PoolContent, pool_of, read_usable
from alray.pools.variants import Pools, what_differs
from alray.settings.base import unknown_name
from alray.settings.common import PoolSpec


def read_pools(
    spec: PoolSpec, variants: Sequence[PoolSpec], split_column: str | None = None
) -> Pools:
    """Read a pool once, and return it as each of several settings has it.

    Args:
        spec: The study's own settings; its modalities are all that there are.
        variants: They may differ from it in `modalities` (some of its own), `group_by`, `copies` and `dtype`.
        split_column: Gives the split, if it is named.

    Raises:
        PoolError: As for `read_pool`, or a variant cannot be used; names its settings.
    """
    content = read_usable(spec, split_column)
    pools: dict[str, Pool] = {}
    for each in variants:
        key = what_differs(each)
        if key not in pools and key != what_differs(spec):
            pools[key] = pool_of(_seen_by(content, spec, each), each)
    return Pools(pool_of(content, spec), pools)


def _seen_by(content: PoolContent, own: PoolSpec, variant: PoolSpec) -> PoolContent:
    """Return the content with the modalities and groups of a variant."""
    if variant.group_by != own.group_by:
        try:
            metadata = read_metadata(open_pool(own.source), variant)
        except PoolError as error:
            raise PoolError(f"vary: pool.group_by: {error}") from None
        same = metadata.keep(np.isin(metadata.ids, content.metadata.ids))
        content = replace(content, metadata=replace(content.metadata, groups=same.groups))
    if variant.modalities == own.modalities:
        return content
    there = [column.modality.name for column in content.columns]
    for name in variant.modalities:
        if name not in there:
            raise PoolError(
                f"{content.path}: vary: pool.modalities: {unknown_name('modality', name, there)}"
            )
    columns = [column for column in content.columns if column.modality.name in variant.modalities]
    _require_one_for_each_object(content, columns)
    return replace(content, columns=tuple(columns))


def _require_one_for_each_object(content: PoolContent, columns: Sequence[FeatureColumn]) -> None:
    bare = ~np.logical_or.reduce([column.modality.present for column in columns])
    if bare.any():
        names = "+".join(column.modality.name for column in columns)
        raise PoolError(
            f"{content.path}: vary: pool.modalities: {int(bare.sum()):,} objects have nothing in {names}: "
            f"{name_some(content.metadata.ids[bare])}; all arms need the same objects: leave {names} out, or remove "
            "these rows"
        )
