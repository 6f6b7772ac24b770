"""What to do next with a study that is on record, or with curves made elsewhere."""

from functools import partial

import pandas as pd

from alray.analysis.sweep.next_steps.advising import next_steps
from alray.analysis.sweep.next_steps.steps import GoingOn, Step
from alray.pools.builtin import BUILTIN_POOLS
from alray.reporting.again import again
from alray.reporting.sources import Source
from alray.studies.manifest import WORKERS


def steps_of(source: Source, summary: pd.DataFrame) -> list[Step]:
    """Return what to do next with a study, given its summary.

    Args:
        source: The study; its rounds along what the summary is along.
        summary: A row per arm.
    """
    return next_steps(summary, source.rounds, source.runs, source.reference, going_on_of(source))


def going_on_of(source: Source) -> GoingOn | None:
    """Return how a study can go on; None of curves that were made elsewhere."""
    settings, execution = source.settings, source.settings.get("execution", {})
    if not settings:
        return None
    workers = source.manifest.get(WORKERS) or execution.get("parallel")
    if execution.get("executor") == "inline":
        workers = 1
    classes = source.train_classes
    return GoingOn(
        again=partial(again, str(source.manifest.get("command", ""))),
        strategies=tuple(settings["strategies"]),
        seeds=tuple(settings["seeds"]),
        initial=int(settings["initial"]),
        query=int(settings["query"]),
        rounds=int(settings["rounds"]),
        evaluate_every=int(settings.get("evaluate_every", 1)),
        train=sum(classes.values()) if classes else None,
        workers=workers,
        ended=source.ended,
        of_alray=str(settings["pool"]["source"]) in BUILTIN_POOLS,
    )
