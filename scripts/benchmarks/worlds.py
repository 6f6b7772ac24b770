"""Pools of noise in memory, and runs on them: nothing is read from a file."""

from collections.abc import Mapping

import numpy as np

from alray.pools.pool import Modality, Pool, PreparedPool
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.plan import Plan, make_plan

STUDY_DIMENSIONS = {"image": 1024, "text": 300}
"""Features of the data that the default network was made for."""

CLASSES = 50
VALIDATION, TEST = 0.1, 0.2


def make_pool(objects: int, dimensions: Mapping[str, int] | None = None) -> PreparedPool:
    """Return noise, made in place: standard normal float32 features and labels by chance."""
    rng = np.random.default_rng(0)
    modalities = tuple(
        Modality(
            name,
            rng.standard_normal((objects, size), dtype=np.float32),
            np.arange(objects, dtype=np.int32),
            (size,),
        )
        for name, size in (dimensions or STUDY_DIMENSIONS).items()
    )
    return _with_parts(modalities, rng.integers(0, CLASSES, objects))


def first_of(pool: PreparedPool, objects: int) -> PreparedPool:
    """Return a pool of the first objects; its features are views."""
    modalities = tuple(
        Modality(one.name, one.features[:objects], one.rows[:objects], one.shape)
        for one in pool.modalities
    )
    return _with_parts(modalities, pool.labels[:objects])


def _with_parts(modalities: tuple[Modality, ...], labels: np.ndarray) -> PreparedPool:
    order = np.random.default_rng(1).permutation(len(labels))
    validation, test = round(VALIDATION * len(order)), round(TEST * len(order))
    parts = np.split(order, [validation, validation + test])
    validated, tested, train = (np.sort(part) for part in parts)
    return PreparedPool(modalities, labels, CLASSES, train, validated, tested)


def plan_for(prepared: PreparedPool, study: SweepSpec) -> Plan:
    """Return the plan of a study on a prepared pool that came from no file."""
    classes = tuple(map(str, range(prepared.class_count)))
    ids = np.arange(len(prepared)).astype(np.str_)
    pool = Pool("noise", ids, prepared.labels, classes, prepared.modalities, None, "noise")
    return make_plan(study, pool, prepared)
