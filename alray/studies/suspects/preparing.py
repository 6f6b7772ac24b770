"""Read a pool whose labels are to be judged, and check all that can be checked before anything is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from alray.errors import PoolError, SpecError
from alray.networks.tensors import PoolTensors
from alray.networks.threads import threads
from alray.pools.builtin import with_own_settings
from alray.pools.folds import folds_of, judged_objects
from alray.pools.pool import Modality, Parts, Pool
from alray.pools.reading import read_pool
from alray.pools.reading_truths import read_truths
from alray.pools.standardise import standardise_by_pool
from alray.seeding import generator, torch_seed
from alray.settings.estimators import class_of
from alray.settings.suspects import SuspectsSpec
from alray.studies.effects import Configuration, refuse_without_effect
from alray.studies.suspects.confident import require_cleanlab
from alray.studies.suspects.fits import without_fold
from alray.studies.suspects.truth import Names, truths_of
from alray.training.learner import check_training
from alray.training.stopping import check_stopping, held_out_count
from alray.training.trial import check_batches, tried_network


@dataclass(frozen=True, eq=False)
class Task:
    """A pool that is ready to be judged.

    Attributes:
        spec: Settings, those that the pool has of its own filled in.
        pool: As it is read, with the modalities below.
        modalities: Standardised by all objects, which takes no label.
        folds: (objects,) the fold of each object, from 0.
        judged: (objects,) False where the object's fold has all objects of its class.
        truths: (objects,) right labels, None where not known; where the settings name their column.
    """

    spec: SuspectsSpec
    pool: Pool
    modalities: tuple[Modality, ...]
    folds: Parts
    judged: npt.NDArray[np.bool_]
    truths: Names | None = None


def prepare(spec: SuspectsSpec) -> Task:
    """Read, check and cut a pool.

    Raises:
        AlrayError: A library is missing, a setting does not fit, or the pool cannot be used.
    """
    require_cleanlab()
    refuse_without_effect([Configuration("", "", spec.model, spec.training)])
    spec = spec.model_copy(update={"pool": with_own_settings(spec.pool)})
    if class_of(spec.model.name) is not None:  # it learns from all labels: nothing stops its fit
        training = spec.training.model_copy(update={"stopping": "fixed_epochs"})
        spec = spec.model_copy(update={"training": training})
    known = None if spec.truth is None else read_truths(spec.pool, spec.truth)
    pool = read_pool(spec.pool)
    folds = folds_of(pool.labels, pool.groups, spec.folds, generator(spec.seed, 0, "folds"))
    judged = judged_objects(pool.labels, folds)
    _check_folds(spec, pool, folds)
    _check_counts(spec, pool, judged)
    truths = None
    if spec.truth is not None and known is not None:
        truths = truths_of(pool, known, spec.truth, judged)
    dtype = np.dtype(spec.pool.dtype)
    modalities = tuple(
        standardise_by_pool(each, dtype, pool.ids, last=True) for each in pool.modalities
    )
    pool = replace(pool, modalities=modalities)  # as they are read they are not needed again
    _check_network(spec, pool, modalities, folds)
    return Task(spec, pool, modalities, folds, judged, truths)


def _check_folds(spec: SuspectsSpec, pool: Pool, folds: Parts) -> None:
    sizes = np.bincount(folds, minlength=spec.folds)
    filled = int((sizes > 0).sum())
    if filled < spec.folds:
        things = "objects" if pool.groups is None else "groups of objects"
        step = f"use --folds {filled}" if filled > 1 else "add objects, or leave --group-by out"
        raise SpecError(
            f"{pool.name}: folds = {spec.folds}, and its {things} fill {filled} of them; {step}"
        )
    for modality in pool.modalities:
        for fold in range(spec.folds):
            if not modality.present[folds != fold].any():
                raise PoolError(
                    f"modality {modality.name!r}: all objects that have it are in one of {spec.folds} folds, so "
                    "nothing teaches the network what it means; leave it out with --modality"
                )


def _check_counts(spec: SuspectsSpec, pool: Pool, judged: npt.NDArray[np.bool_]) -> None:
    count = int(judged.sum())
    if not count:
        raise PoolError(
            f"{pool.name}: no label can be judged: all objects of each class are in one fold; add objects, or use more "
            "--folds"
        )
    if spec.plant > count // 2:
        raise SpecError(
            f"plant = {spec.plant:,} of the {count:,} labels that are judged: with more than half of them wrong the "
            f"others teach nothing; use --plant {max(1, count // 20)}"
        )


def _check_network(
    spec: SuspectsSpec, pool: Pool, modalities: Sequence[Modality], folds: Parts
) -> None:
    known = [int((folds != fold).sum()) for fold in range(spec.folds)]
    check_stopping(spec.training, min(known))
    learnt = [number - held_out_count(spec.training, number) for number in known]
    view = PoolTensors(without_fold(modalities, pool.labels, len(pool.classes), folds, 0))
    with threads(1):
        seed = torch_seed(spec.seed, 0, "weights")
        network = tried_network(spec.model, spec.training, view, seed, min(learnt))
        check_batches(network, spec.model.name, spec.training, view, seed, learnt)
    check_training(network, spec.training)
