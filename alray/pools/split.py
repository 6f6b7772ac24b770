"""Split a pool: stratified by class, groups whole, or as a column of the pool gives it."""

import itertools
import logging
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.pool import TEST, TRAIN, VALIDATION, Indices, Parts, Pool
from alray.seeding import generator
from alray.settings.common import SplitSpec

_logger = logging.getLogger(__name__)

Counts = npt.NDArray[np.float64]


def split_pool(
    pool: Pool, split: SplitSpec, study_seed: int, run_seed: int = 0, *, quiet: bool = False
) -> Parts:
    """Return (objects,) the part of each object, TRAIN, VALIDATION or TEST; with run seed 0 that of a whole study.

    Remarks on a given split are logged unless `quiet`.

    Raises:
        PoolError: A class is missing from a part, or a modality from the train part.
    """
    part = assign_parts(pool, split, generator(study_seed, run_seed, "split"), quiet=quiet)
    for modality in pool.modalities:
        if not modality.present[part == TRAIN].any():
            raise PoolError(
                f"modality {modality.name!r}: no object of the train part has it; leave it out with --modality"
            )
    return part


def assign_parts(
    pool: Pool, split: SplitSpec, rng: np.random.Generator, *, quiet: bool = False
) -> Parts:
    """Return (objects,) TRAIN, VALIDATION or TEST: as a column of the pool gives them, or stratified by class.

    Remarks on a given split are logged unless `quiet`.

    Raises:
        PoolError: A class is missing from a part that needs it, or a given split lacks a part.
    """
    if pool.parts is not None:
        return _complete(pool, pool.parts, split, rng, quiet=quiet)
    shares = np.array([1 - split.validation - split.test, split.validation, split.test])
    sizes = np.bincount(pool.labels, minlength=len(pool.classes))
    target: Counts = shares[:, None] * sizes[None, :]
    target[1:] = np.maximum(1, np.rint(target[1:]))
    target[TRAIN] = sizes - target[1:].sum(axis=0)
    part = stratify(pool.labels, pool.groups, target, rng)
    # Rounding may leave nothing of a class of three or more for the train part; groups may bring it there all the same.
    squeezed = np.flatnonzero((target[TRAIN] < 1) & (sizes >= 3))
    if len(squeezed) and len(_lacking_somewhere(part, pool)):
        target[1 + target[1:, squeezed].argmax(axis=0), squeezed] -= 1
        target[TRAIN, squeezed] += 1
        part = stratify(pool.labels, pool.groups, target, rng)
    _require_every_class(part, pool)
    return part


def train_classes(
    pool: Pool, split: SplitSpec, study_seed: int, run_seeds: Sequence[int]
) -> dict[str, int]:
    """Return each class's objects in the train part: means over these seeds, of which 0 is a whole study's split."""
    parts = [
        assign_parts(pool, split, generator(study_seed, seed, "split"), quiet=True)
        for seed in run_seeds
    ]
    counts = [
        np.bincount(pool.labels[part == TRAIN], minlength=len(pool.classes)) for part in parts
    ]
    mean = np.rint(np.mean(counts, axis=0)).astype(int)
    return dict(zip(pool.classes, mean.tolist(), strict=True))


def stratify(
    labels: Indices,
    groups: Indices | None,
    target: Counts,
    rng: np.random.Generator,
    kept: npt.NDArray[np.bool_] | None = None,
) -> Parts:
    """Return the part of each object; `target` is (parts, classes), the wanted numbers of objects.

    Groups of several objects come first, the largest before the others; each goes to the part in which its classes are
    furthest below their shares. Objects that are alone in their group then fill each class's shares exactly.

    Args:
        labels: (objects,) classes, from 0.
        groups: (objects,) codes, or None where each object stands alone.
        target: (parts, classes) wanted numbers of objects.
        rng: Draws who goes where.
        kept: (objects,) True for the objects of whole groups that stay in part 0, the train part.
    """
    part = np.full(len(labels), -1, dtype=np.int8)
    filled = np.zeros_like(target)
    for members in _groups_of_several(groups, rng):
        classes, counts = np.unique(labels[members], return_counts=True)
        missing = (target[:, classes] - filled[:, classes]) / np.maximum(target[:, classes], 1)
        stays = kept is not None and kept[members[0]]
        chosen = TRAIN if stays else int(np.argmax(missing @ counts))
        part[members] = chosen
        filled[chosen, classes] += counts
    _assign_singles(part, labels, target - filled, rng)
    return part


def _complete(
    pool: Pool, given: Parts, split: SplitSpec, rng: np.random.Generator, *, quiet: bool
) -> Parts:
    """Return a given split, with a validation part out of its train part where it has none."""
    counts = np.bincount(given, minlength=3)
    for part, name in ((TRAIN, "train"), (TEST, "test")):
        if not counts[part]:
            raise PoolError(
                f"{pool.name}: column {split.column!r} puts no object into the {name} part; "
                f"write {name} there for some, or leave out --split-column for a random split"
            )
    parts = given
    if not counts[VALIDATION]:
        parts = _with_validation(pool, given, split.validation, rng)
        note = (
            f"{pool.name}: column {split.column!r} has no validation part: {int((parts == VALIDATION).sum()):,} of "
            f"the {counts[TRAIN]:,} objects of its train part are taken, by split.validation = {split.validation:g}"
        )
        if not quiet:
            _logger.info(note)
    elif split.validation != SplitSpec().validation:
        raise PoolError(
            f"{pool.name}: split.validation = {split.validation:g} has no use, since column {split.column!r} has a "
            "validation part; leave it out"
        )
    _require_train_classes(pool, parts, split)
    if not quiet:
        _warn_of_shared_groups(pool, parts, split)
    return parts


def _with_validation(pool: Pool, given: Parts, share: float, rng: np.random.Generator) -> Parts:
    """Return the split with a share of its train part as validation part, stratified, groups whole."""
    train = np.flatnonzero(given == TRAIN)
    labels = pool.labels[train]
    sizes = np.bincount(labels, minlength=len(pool.classes))
    # A class of one object stays in the train part.
    wanted = np.minimum(np.maximum(1, np.rint(share * sizes)), np.maximum(sizes - 1, 0))
    groups = None if pool.groups is None else pool.groups[train]
    target = np.stack([sizes - wanted, wanted])
    taken = stratify(labels, groups, target, rng)
    kept = np.zeros(len(train), np.bool_)
    while (lost := _last_of_classes(labels, groups, taken)).any():
        kept |= lost
        taken = stratify(labels, groups, target, rng, kept)
    if not (taken == VALIDATION).any():
        raise PoolError(
            f"{pool.name}: no object of the train part was taken for validation: groups stay whole, and the last "
            "object of a class stays in the train part; add some, or write validation in the column for some"
        )
    parts = given.copy()
    parts[train] = taken
    return parts


def _last_of_classes(
    labels: Indices, groups: Indices | None, taken: Parts
) -> npt.NDArray[np.bool_]:
    """Return (objects,) True for the smallest group of each class of which the train part has no object left.

    A group of several classes may be the only one of a rare class.
    """
    lost = np.zeros(len(labels), np.bool_)
    if groups is None:  # then every class keeps its share
        return lost
    for label in np.setdiff1d(labels, labels[taken == TRAIN]):
        codes, counts = np.unique(
            groups[np.isin(groups, groups[labels == label])], return_counts=True
        )
        lost |= groups == codes[counts.argmin()]
    return lost


def _require_train_classes(pool: Pool, parts: Parts, split: SplitSpec) -> None:
    in_train = np.bincount(pool.labels[parts == TRAIN], minlength=len(pool.classes))
    missing = np.flatnonzero(in_train == 0)
    if len(missing):
        named = name_some([repr(pool.classes[label]) for label in missing])
        raise PoolError(
            f"{pool.name}: column {split.column!r} leaves the train part without an object of class {named}; "
            "move some there, or remove the rows of these classes"
        )


def _warn_of_shared_groups(pool: Pool, parts: Parts, split: SplitSpec) -> None:
    if pool.groups is None:
        return
    shared = np.isin(pool.groups, pool.groups[parts != TEST]) & (parts == TEST)
    if shared.any():
        warning = (
            f"{pool.name}: column {split.column!r} puts {int(shared.sum()):,} of {int((parts == TEST).sum()):,} "
            "objects into the test part that have the group or the features of an object outside it: "
            f"{name_some(pool.ids[shared])}; a network that remembers these looks better than it is"
        )
        _logger.warning(warning)


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
        first = start
        for number in range(len(missing) - 1, TRAIN, -1):
            last = min(stop, first + max(0, int(missing[number, label])))
            part[rest[first:last]] = number
            first = last
        part[rest[first:stop]] = TRAIN


def _lacking_somewhere(part: Parts, pool: Pool) -> Indices:
    """Return the classes that are missing from a part."""
    counts = np.zeros((3, len(pool.classes)), dtype=np.int64)
    np.add.at(counts, (part, pool.labels), 1)
    return np.flatnonzero((counts == 0).any(axis=0))


def _require_every_class(part: Parts, pool: Pool) -> None:
    missing = _lacking_somewhere(part, pool)
    if len(missing) == 0:
        return
    sizes = np.bincount(pool.labels, minlength=len(pool.classes))
    named = name_some([f"{pool.classes[label]!r} ({sizes[label]})" for label in missing])
    grouped = " (its objects share too few groups)" if pool.groups is not None else ""
    least = int(sizes[missing].max()) + 1
    advice = f"drop small classes with --min-class-size {least}"
    if (sizes >= least).sum() < 2:
        advice = "add objects: without these classes fewer than two are left"
        if pool.groups is not None:
            advice = (
                "objects of a group, and equal ones, stay in one part: name a column of smaller groups with "
                "--group-by, or leave it out"
            )
    raise PoolError(
        f"{pool.name}: too small to be in the train, validation and test part: class {named}{grouped}; {advice}"
    )
