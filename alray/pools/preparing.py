"""From a pool as it is read to the pool as runs see it: split, and with standardised features."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alray.errors import PoolError
from alray.pools.pool import TEST, TRAIN, VALIDATION, Modality, Parts, Pool, PreparedPool
from alray.pools.shared import SharedPool, View, ViewKey
from alray.pools.split import split_pool
from alray.pools.standardise import scaled_by_parts, standardise, standardise_by_pool
from alray.settings.common import PoolSpec, SplitSpec
from alray.settings.sweep import SweepSplitSpec


def prepare(pool: Pool, pool_spec: PoolSpec, split: SplitSpec, study_seed: int) -> PreparedPool:
    """Split the pool once and standardise each modality with statistics of the train part's present objects.

    The study seed decides the part of each object, `pool_spec.dtype` the type of the standardised features.

    Raises:
        PoolError: A class cannot be in all three parts, or a standardised feature overflows `dtype`.
    """
    part = split_pool(pool, split, study_seed)
    return PreparedPool(
        modalities=_standardised(pool, part, np.dtype(pool_spec.dtype)),
        labels=pool.labels,
        class_count=len(pool.classes),
        train=np.flatnonzero(part == TRAIN),
        validation=np.flatnonzero(part == VALIDATION),
        test=np.flatnonzero(part == TEST),
    )


@dataclass(frozen=True)
class PoolVariant:
    """A pool with a split, as arms of a sweep use them; a sweep has several where it varies their settings.

    Attributes:
        pool: As it is read.
        dtype: Type of the standardised features.
        split: How it is split.
    """

    pool: Pool
    dtype: str
    split: SweepSplitSpec


def share(
    variants: Sequence[PoolVariant], study_seed: int, run_seeds: Sequence[int]
) -> SharedPool:
    """Return the pool of a sweep with the splits of all run seeds, or with the one that they have in common.

    A seed's split and features are the same to the bit whatever the other seeds are. Splits that are drawn per seed
    share their features, once for each dtype; a split of the whole study has features of its own. Features as they are
    read that lie in files are given up: the standardised ones may have taken their place.

    Args:
        variants: At least one; all have the same objects.
        study_seed: Decides the splits, together with the run seeds.
        run_seeds: At least one.

    Raises:
        PoolError: As in `prepare`, for a seed that it names, or each seed has to split a pool that gives all parts.
    """
    standardised = _Standardised(variants)
    views: dict[ViewKey, View] = {}
    for each in variants:
        key = ViewKey(
            each.pool.fingerprint, each.dtype, each.split.validation, each.split.test, None
        )
        if each.split.per == "study":
            part = split_pool(each.pool, each.split, study_seed)
            features = [standardised.of(m, each, part) for m in each.pool.modalities]
            views[key] = View(tuple(features), part)
        else:
            parts = split_by_seed(each.pool, each.split, study_seed, run_seeds)
            modalities = [
                scaled_by_parts(
                    standardised.shared(m, each),
                    np.stack(parts) == TRAIN,
                    run_seeds,
                    each.pool.ids,
                )
                for m in each.pool.modalities
            ]
            for seed, part, *of_seed in zip(run_seeds, parts, *modalities, strict=True):
                views[key._replace(seed=seed)] = View(tuple(of_seed), part)
    for modality in (m for each in variants for m in each.pool.modalities):
        modality.release()
    pool = variants[0].pool
    return SharedPool(pool.labels, len(pool.classes), views)


def split_by_seed(
    pool: Pool, split: SweepSplitSpec, study_seed: int, run_seeds: Sequence[int]
) -> list[Parts]:
    """Return the part of each object, (objects,), for each run seed.

    Raises:
        PoolError: The pool gives all parts itself, or cannot be split for a seed, which is named.
    """
    if pool.parts is not None and (pool.parts == VALIDATION).any():
        raise PoolError(
            f"{pool.name}: column {split.column!r} gives all three parts, so seeds cannot have splits of their own; "
            "leave out split.per = seed, or --split-column"
        )
    found: list[Parts] = []
    refused: dict[int, PoolError] = {}
    for number, seed in enumerate(run_seeds):
        try:
            found.append(split_pool(pool, split, study_seed, seed, quiet=number > 0))
        except PoolError as error:
            refused[seed] = error
    if refused:
        seed, reason = next(iter(refused.items()))
        # What every seed meets is no matter of the seed.
        raise reason if not found else PoolError(f"split of seed {seed}: {reason}")
    return found


class _Standardised:
    """The standardised modalities of a sweep; those that splits of several seeds share are made once."""

    def __init__(self, variants: Sequence[PoolVariant]) -> None:
        self._made: dict[tuple[int, str], Modality] = {}
        uses = {
            (id(m.features), each.dtype, number if each.split.per == "study" else None)
            for number, each in enumerate(variants)
            for m in each.pool.modalities
        }
        self._left = Counter(features for features, _, _ in uses)

    def shared(self, modality: Modality, variant: PoolVariant) -> Modality:
        """Return a modality of a variant's pool, standardised by the whole pool."""
        key = id(modality.features), variant.dtype
        if key not in self._made:
            dtype, last = np.dtype(variant.dtype), self._use(modality)
            self._made[key] = standardise_by_pool(modality, dtype, variant.pool.ids, last=last)
        return self._made[key]

    def of(self, modality: Modality, variant: PoolVariant, part: Parts) -> Modality:
        """Return the same, standardised by the train part of a variant's split."""
        dtype, last = np.dtype(variant.dtype), self._use(modality)
        return standardise(modality, part == TRAIN, dtype, variant.pool.ids, last=last)

    def _use(self, modality: Modality) -> bool:
        """Return whether a modality's features, as they are read, are not needed again after this."""
        self._left[id(modality.features)] -= 1
        return self._left[id(modality.features)] == 0


def _standardised(pool: Pool, part: Parts, dtype: np.dtype[np.floating]) -> tuple[Modality, ...]:
    return tuple(
        standardise(modality, part == TRAIN, dtype, pool.ids) for modality in pool.modalities
    )
