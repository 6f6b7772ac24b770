"""Standardised features: for the train part of one split, or for those of several, which share the features."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.feature_storage.mapped_file import MappedFile
from alray.pools.feature_storage.writers import OverwrittenRows, RowWriter, new_rows
from alray.pools.moments import ROWS_AT_A_TIME, Numbers, moments, moments_of_sets
from alray.pools.pool import Indices, Modality, Texts

_LARGEST = float(np.finfo(np.float32).max)


def standardise(
    modality: Modality,
    among: npt.NDArray[np.bool_],
    dtype: np.dtype[np.floating],
    ids: Texts,
    *,
    last: bool = False,
) -> Modality:
    """Return a modality whose features are standardised with statistics of those of these objects that have it.

    Bytes stay as they are in memory, and get one offset and scale.

    Args:
        modality: As it is read.
        among: (objects,) those of which the statistics are.
        dtype: The type of the standardised features.
        ids: (objects,) for messages.
        last: The features as they are read are not needed any more: where they lie in a file, and are of the same type,
            the standardised ones take their place.

    Raises:
        PoolError: A standardised feature overflows `dtype`, or there is no room for a file of them.
    """
    return standardise_by(modality, moments_among(modality, among), dtype, ids, last=last)


class Moments(NamedTuple):
    """(dimension,) float64 mean and standard deviation of each feature of a modality."""

    mean: Numbers
    deviation: Numbers


def moments_among(modality: Modality, among: npt.NDArray[np.bool_]) -> Moments:
    """Return the moments over those of these (objects,) that have the modality."""
    rows = np.sort(modality.rows[among & modality.present])
    return Moments(*moments(modality.features, rows))


def standardise_by(
    modality: Modality,
    known: Moments,
    dtype: np.dtype[np.floating],
    ids: Texts,
    *,
    last: bool = False,
) -> Modality:
    """Return the same by moments that are known, for all objects of a pool or a part of them, equal to the bit.

    Raises:
        PoolError: As in `standardise`.
    """
    features = modality.features
    mean, deviation = known
    if features.dtype == np.uint8:
        return _scaled_bytes(modality, mean, deviation)
    # A small deviation is no reason to take a feature for constant: its unit may be small.
    deviation = np.where(deviation == 0, 1.0, deviation)
    writer = _writer(modality, dtype, last=last)
    # A part of a pool may have no object with this modality.
    broken = [np.empty(0, np.int64)]
    with np.errstate(over="ignore"):
        for start in range(0, len(features), ROWS_AT_A_TIME):
            block = features[start : start + ROWS_AT_A_TIME].astype(np.float64)
            written = ((block - mean) / deviation).astype(dtype)
            writer.append(written)
            broken.append(start + np.flatnonzero(~np.isfinite(written).all(axis=1)))
    _refuse_overflow(modality, np.concatenate(broken), dtype, ids)
    standardised, file = writer.finish()
    return Modality(modality.name, standardised, modality.rows, modality.shape, file=file)


def _writer(modality: Modality, dtype: np.dtype[np.floating], *, last: bool) -> RowWriter:
    """Return what takes the standardised features: where the features lie, so do these."""
    features, file = modality.features, modality.file
    if last and isinstance(file, MappedFile) and features.dtype == dtype:
        return OverwrittenRows(features, file)
    return new_rows(
        "memory" if file is None else "mapped", len(features), modality.dimension, dtype
    )


def standardise_by_pool(
    modality: Modality, dtype: np.dtype[np.floating], ids: Texts, *, last: bool = False
) -> Modality:
    """Return a modality in the form that all splits share: standardised with statistics of the whole pool.

    It depends on no split. What a split's train part adds is an offset and a scale, see `scaled_by_parts`.
    """
    everything = np.ones(len(modality.rows), dtype=np.bool_)
    return standardise(modality, everything, dtype, ids, last=last)


def scaled_by_parts(
    modality: Modality, in_train: npt.NDArray[np.bool_], seeds: Sequence[int], ids: Texts
) -> Sequence[Modality]:
    """Return one modality for each of several train parts: the same features, standardised by an offset and a scale.

    Each train part's is the same to the bit whatever the others are. A feature that is constant there becomes 0.

    Args:
        modality: From `standardise_by_pool`.
        in_train: (parts, objects) the objects of each train part, some of which have the modality.
        seeds: Whose train parts they are, for messages.
        ids: (objects,) for messages.

    Raises:
        PoolError: A standardised feature overflows float32.
    """
    features, present = modality.features, modality.present
    members = np.zeros((len(in_train), len(features)), dtype=np.bool_)
    members[:, modality.rows[present]] = in_train[:, present]
    means, deviations = moments_of_sets(features, members)
    if features.dtype == np.uint8:
        return [
            _scaled_bytes(modality, mean, deviation)
            for mean, deviation in zip(means, deviations, strict=True)
        ]
    deviations[deviations == 0] = 1.0
    # Over all rows the deviation is 1 or 0, so none lies further from the mean than this.
    furthest = 4 * np.sqrt(len(features))
    for seed, mean, deviation in zip(seeds, means, deviations, strict=True):
        large = np.flatnonzero(deviation < furthest / _LARGEST)
        if len(large):
            rows = _beyond_float32(features, large, mean, deviation)
            _refuse_overflow(modality, rows, np.dtype(np.float32), ids, f"split of seed {seed}: ")
    return [
        replace(modality, offset=mean.astype(np.float32), scale=(1 / deviation).astype(np.float32))
        for mean, deviation in zip(means, deviations, strict=True)
    ]


def _scaled_bytes(modality: Modality, mean: Numbers, deviation: Numbers) -> Modality:
    # One offset and scale for all pixels: borders that are always black have no deviation.
    offset = float(mean.mean())
    scale = 1 / max(1e-12, float(np.sqrt(np.mean(deviation**2 + (mean - offset) ** 2))))
    return replace(modality, offset=offset, scale=scale)


def _beyond_float32(
    features: npt.NDArray[np.generic], columns: Indices, mean: Numbers, deviation: Numbers
) -> Indices:
    """Return the rows in which a feature of these columns, or its scale, is infinite in float32."""
    mean, deviation = mean[columns], deviation[columns]
    found = []
    for start in range(0, len(features), ROWS_AT_A_TIME):
        block = features[start : start + ROWS_AT_A_TIME, columns].astype(np.float64)
        standardised = np.abs(block - mean) / deviation
        far = np.maximum(standardised, (1 / deviation) * (standardised > 0)) > _LARGEST
        found.append(start + np.flatnonzero(far.any(axis=1)))
    return np.concatenate(found)


def _refuse_overflow(
    modality: Modality,
    rows: Indices,
    dtype: np.dtype[np.floating],
    ids: Texts,
    where: str = "",
) -> None:
    if not len(rows):
        return
    step = (
        "use --set pool.dtype=float32"
        if dtype == np.float16
        else "mend or remove these rows, which differ too much from the train part"
    )
    raise PoolError(
        f"{where}modality {modality.name!r}: standardised features lie outside {dtype}'s range in objects "
        f"{name_some(ids[np.isin(modality.rows, rows)])}; {step}"
    )
