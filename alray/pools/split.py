"""Prepare a pool for runs: a stratified, group-aware split, and standardised features."""

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from alray.errors import PoolError
from alray.pools.metadata import name_some
from alray.pools.pool import Indices, Modality, Pool, PreparedPool
from alray.seeding import generator
from alray.settings.common import PoolSpec, SplitSpec

TRAIN, VALIDATION, TEST = 0, 1, 2
ROWS_AT_A_TIME = 16_384
"""Rows that are converted to float64 at a time."""

Counts = npt.NDArray[np.float64]


def prepare(pool: Pool, pool_spec: PoolSpec, split: SplitSpec, study_seed: int) -> PreparedPool:
    """Split the pool and standardise each modality with statistics of the train part's present objects.

    The study seed decides the part of each object, `pool_spec.dtype` the type of the standardised features.

    Raises:
        PoolError: A class cannot be in all three parts, or a feature overflows `dtype`.
    """
    part = split_pool(pool, split, study_seed)
    in_train = part == TRAIN
    return PreparedPool(
        modalities=tuple(
            _standardise(modality, in_train, np.dtype(pool_spec.dtype))
            for modality in pool.modalities
        ),
        labels=pool.labels,
        class_count=len(pool.classes),
        train=np.flatnonzero(in_train),
        validation=np.flatnonzero(part == VALIDATION),
        test=np.flatnonzero(part == TEST),
    )


def split_pool(pool: Pool, split: SplitSpec, study_seed: int) -> npt.NDArray[np.int8]:
    """Return (objects,) the part of each object, TRAIN, VALIDATION or TEST, that a study with this seed uses.

    Raises:
        PoolError: A class is missing from a part, or a modality from the train part.
    """
    part = assign_parts(pool, split, generator(study_seed, 0, "split"))
    for modality in pool.modalities:
        if not modality.present[part == TRAIN].any():
            raise PoolError(
                f"modality {modality.name!r}: no object of the train part has it; leave it out with --modality"
            )
    return part


def assign_parts(pool: Pool, split: SplitSpec, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """Return (objects,) TRAIN, VALIDATION or TEST, stratified by class and whole in every group.

    Groups of several objects come first, the largest before the others; each goes to the part in which its classes are
    furthest below their shares. Objects that are alone in their group then fill each class's shares exactly.

    Raises:
        PoolError: A class is missing from a part.
    """
    part = np.full(len(pool), -1, dtype=np.int8)
    shares = np.array([1 - split.validation - split.test, split.validation, split.test])
    sizes = np.bincount(pool.labels, minlength=len(pool.classes))
    target: Counts = shares[:, None] * sizes[None, :]
    target[1:] = np.maximum(1, np.rint(target[1:]))
    target[TRAIN] = sizes - target[1:].sum(axis=0)
    filled = np.zeros_like(target)
    for members in _groups_of_several(pool.groups, rng):
        classes, counts = np.unique(pool.labels[members], return_counts=True)
        missing = (target[:, classes] - filled[:, classes]) / np.maximum(target[:, classes], 1)
        chosen = int(np.argmax(missing @ counts))
        part[members] = chosen
        filled[chosen, classes] += counts
    _assign_singles(part, pool.labels, target - filled, rng)
    _require_every_class(part, pool)
    return part


def _groups_of_several(groups: Indices | None, rng: np.random.Generator) -> Iterator[Indices]:
    """Yield the members of each group of two or more objects: largest first, equal sizes in random order."""
    if groups is None:
        return
    order = np.argsort(groups, kind="stable")
    _, starts, counts = np.unique(groups[order], return_index=True, return_counts=True)
    several = rng.permutation(np.flatnonzero(counts > 1))
    for group in several[np.argsort(-counts[several], kind="stable")]:
        yield order[starts[group] : starts[group] + counts[group]]


def _assign_singles(
    part: npt.NDArray[np.int8], labels: Indices, missing: Counts, rng: np.random.Generator
) -> None:
    """Assign the objects that have no part yet to the parts in which their class is missing; changes `part`."""
    rest = rng.permutation(np.flatnonzero(part < 0))
    order = np.argsort(labels[rest], kind="stable")
    rest = rest[order]
    bounds = np.searchsorted(labels[rest], np.arange(missing.shape[1] + 1))
    for label, (start, stop) in enumerate(itertools.pairwise(bounds)):
        test = min(stop - start, max(0, int(missing[TEST, label])))
        validation = min(stop - start - test, max(0, int(missing[VALIDATION, label])))
        part[rest[start : start + test]] = TEST
        part[rest[start + test : start + test + validation]] = VALIDATION
        part[rest[start + test + validation : stop]] = TRAIN


def _require_every_class(part: npt.NDArray[np.int8], pool: Pool) -> None:
    counts = np.zeros((3, len(pool.classes)), dtype=np.int64)
    np.add.at(counts, (part, pool.labels), 1)
    missing = np.flatnonzero((counts == 0).any(axis=0))
    if len(missing) == 0:
        return
    sizes = counts.sum(axis=0)
    named = name_some([f"{pool.classes[label]!r} ({sizes[label]})" for label in missing])
    grouped = " (its objects share too few groups)" if pool.groups is not None else ""
    enough = int(sizes[missing].max()) + 1
    remedy = f"drop small classes with --min-class-size {enough}"
    if (sizes >= enough).sum() < 2:
        remedy = "add objects: without these classes fewer than two are left"
        if pool.groups is not None:
            remedy = (
                "objects of a group, and equal ones, stay in one part: name a column of smaller groups with "
                "--group-by, or leave it out"
            )
    raise PoolError(
        f"{pool.name}: too small to be in the train, validation and test part: class {named}{grouped}; {remedy}"
    )


def _standardise(
    modality: Modality, in_train: npt.NDArray[np.bool_], dtype: np.dtype[np.floating]
) -> Modality:
    features = modality.features
    train_rows = np.sort(modality.rows[in_train & modality.present])
    mean, deviation = _moments(features, train_rows)
    if features.dtype == np.uint8:
        # One offset and scale for all pixels: borders that are always black have no deviation.
        offset = float(mean.mean())
        scale = 1 / max(1e-12, float(np.sqrt(np.mean(deviation**2 + (mean - offset) ** 2))))
        return Modality(modality.name, features, modality.rows, modality.shape, offset, scale)
    deviation[deviation < 1e-12] = 1.0
    standardised = np.empty(features.shape, dtype=dtype)
    with np.errstate(over="ignore"):
        for start in range(0, len(features), ROWS_AT_A_TIME):
            block = features[start : start + ROWS_AT_A_TIME].astype(np.float64)
            standardised[start : start + ROWS_AT_A_TIME] = (block - mean) / deviation
    if dtype == np.float16 and not np.isfinite(standardised).all():
        raise PoolError(
            f"modality {modality.name!r}: a feature lies outside float16's range; use --set pool.dtype=float32"
        )
    return Modality(modality.name, standardised, modality.rows, modality.shape)


def _moments(
    features: npt.NDArray[np.generic], rows: npt.NDArray[np.int32]
) -> tuple[Counts, Counts]:
    """Return mean and standard deviation per feature over the given rows, in float64, a chunk at a time."""
    total = np.zeros(features.shape[1])
    for block in _chunks(features, rows):
        total += block.sum(axis=0)
    mean = total / len(rows)
    squares = np.zeros(features.shape[1])
    for block in _chunks(features, rows):
        squares += ((block - mean) ** 2).sum(axis=0)
    return mean, np.sqrt(squares / len(rows))


def _chunks(features: npt.NDArray[np.generic], rows: npt.NDArray[np.int32]) -> Iterator[Counts]:
    for start in range(0, len(rows), ROWS_AT_A_TIME):
        yield features[rows[start : start + ROWS_AT_A_TIME]].astype(np.float64)
