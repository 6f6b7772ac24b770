"""What a sweep's manifest holds besides the study's origin."""

from typing import Any

from alray.pools.split import train_classes
from alray.studies.manifest import TRAIN_CLASSES, TRAIN_OBJECTS
from alray.studies.sweep.plan import Plan, train_size


def manifest_entries(plan: Plan) -> dict[str, Any]:
    """Return the labels outside the budget, and what cannot be had without reading the pool again.

    That is each class's objects in the train part, where the pool is too large to be read for a page, and the size of
    that part, where the next command is to have rounds.
    """
    study, entries = plan.study, dict[str, Any](plan.labels_outside.entry)
    if study.pool.storage == "mapped":
        seeds = study.seeds if study.split.per == "seed" else (0,)
        entries[TRAIN_CLASSES] = train_classes(plan.pool, study.split, study.seed, seeds)
    if study.rounds == 0:
        entries[TRAIN_OBJECTS] = min(train_size(plan.shared, run) for run in plan.runs)
    return entries
