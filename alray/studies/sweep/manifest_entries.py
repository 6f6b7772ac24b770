"""What a sweep's manifest holds besides the study's origin."""

from typing import Any

from alray.pools.split import train_classes
from alray.studies.manifest import TRAIN_CLASSES
from alray.studies.sweep.plan import Plan


def manifest_entries(plan: Plan) -> dict[str, Any]:
    """Return the labels outside the budget, and the train classes of a pool that is too large to be read for a page."""
    study, entries = plan.study, dict[str, Any](plan.labels_outside.entry)
    if study.pool.storage == "mapped":
        seeds = study.seeds if study.split.per == "seed" else (0,)
        entries[TRAIN_CLASSES] = train_classes(plan.pool, study.split, study.seed, seeds)
    return entries
