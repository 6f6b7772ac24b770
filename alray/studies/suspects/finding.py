"""Find the labels of a pool that are likely wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alray.networks.tensors import PoolTensors
from alray.pools.folds import judged_objects
from alray.pools.pool import Indices
from alray.seeding import generator
from alray.settings.suspects import SuspectsSpec
from alray.studies.arguments import study_settings
from alray.studies.suspects.confident import Judgement, judge
from alray.studies.suspects.fits import Advance, Probabilities, out_of_sample, without_fold
from alray.studies.suspects.planting import planted_labels
from alray.studies.suspects.preparing import Task, prepare
from alray.studies.suspects.truth import Checked, checked, with_truth

SUSPECT_COLUMNS: Mapping[str, str] = {
    "rank": "1 is the most suspect: suspects first, each part by self_confidence",
    "id": "the object",
    "label": "its label, as the pool gives it",
    "suggested": "the likeliest other class, by a network that has not learned this label",
    "self_confidence": "the probability that this network gives to the label",
    "suggested_confidence": "the one that it gives to the suggested class",
    "margin": "(self_confidence - suggested_confidence + 1) / 2: below .5 the network says otherwise",
    "suspect": "whether confident learning counts the label as likely wrong",
}
"""Columns of the table of suspects, in order, each with what it holds."""


@dataclass(frozen=True)
class Planted:
    """What became of labels that were made wrong on purpose.

    Attributes:
        labels: How many there were.
        errors: structured or uniform.
        suspects: Suspects among all labels while they were wrong.
        found: Of the planted ones, how many were suspect.
        first: How many were among as many first ranks as there were planted labels.
    """

    labels: int
    errors: str
    suspects: int
    found: int
    first: int


@dataclass(frozen=True, eq=False)
class Suspects:
    """The labels of a pool, judged.

    Attributes:
        table: A row per judged label, see `SUSPECT_COLUMNS`; with a truth also `TRUTH_COLUMNS`.
        not_judged: Labels that nothing could judge: all objects of their class are in one fold.
        planted: Where labels were planted.
        checked: Where a column of right labels is given.
    """

    table: pd.DataFrame
    not_judged: int
    planted: Planted | None
    checked: Checked | None = None

    @property
    def count(self) -> int:
        """How many labels are suspect."""
        return int(self.table["suspect"].sum())


def suspects(
    study: SuspectsSpec | Mapping[str, Any] | str | Path | None = None,
    *,
    advance: Advance | None = None,
    **settings: Any,
) -> Suspects:
    """Find the labels of a pool that are likely wrong: `alray.suspects(pool="posts.parquet")`.

    Each label is judged by a network that was fitted on the labels of other folds, by confident learning (cleanlab).
    The same settings give the same table.

    Args:
        study: Settings, plain values for them, the path of a YAML file, or that of a pool (.parquet).
        advance: Called after each epoch, with the number of epochs that are done and of all.
        settings: Settings by name, over those of `study`: `pool`, `folds`, `truth`, `plant`, `model`, `training`,
            `seed`.

    Raises:
        AlrayError: Something in the settings or the pool prevents it, or cleanlab is not installed.
    """
    return judged(prepare(study_settings(SuspectsSpec, study, settings)), advance or _nobody)


def judged(task: Task, advance: Advance) -> Suspects:
    """Fit the networks, twice where labels are planted, and judge all labels."""
    spec, passes = task.spec, 1 + (task.spec.plant > 0)
    labels = task.pool.labels
    at = np.flatnonzero(task.judged)
    found, probabilities = _judgement(task, labels, at, _part_of(advance, 0, passes))
    planted = tried(task, _part_of(advance, 1, passes)) if spec.plant else None
    table = _table(task, at, found, probabilities)
    judged_by_truth = None
    if spec.truth is not None and task.truths is not None:
        judged_by_truth = checked(task.pool, spec.truth, at, task.truths[at], found.suspect)
    return Suspects(table, len(labels) - len(at), planted, judged_by_truth)


def _judgement(
    task: Task, labels: Indices, at: Indices, advance: Advance
) -> tuple[Judgement, Probabilities]:
    """Return the judgement of these objects' labels, and the probabilities of their classes."""
    classes = len(task.pool.classes)
    predicted = out_of_sample(task.spec, task.modalities, labels, classes, task.folds, advance)
    return judge(labels[at], predicted[at]), predicted[at]


def tried(task: Task, advance: Advance) -> Planted:
    """Make some labels wrong, judge all again, and return how many of these are found."""
    spec, pool = task.spec, task.pool
    view = PoolTensors(
        without_fold(task.modalities, pool.labels, len(pool.classes), task.folds, 0)
    )
    rng = generator(spec.seed, 0, "planted_labels")
    labels, changed = planted_labels(spec, view, np.flatnonzero(task.judged), rng)
    # A class that has lost objects may be in one fold now.
    at = np.flatnonzero(judged_objects(labels, task.folds))
    found, _ = _judgement(task, labels, at, advance)
    wrong = np.isin(at, changed)
    first = _order(found)[: len(changed)]
    return Planted(
        labels=len(changed),
        errors=spec.plant_errors,
        suspects=int(found.suspect.sum()),
        found=int((found.suspect & wrong).sum()),
        first=int(wrong[first].sum()),
    )


def _order(found: Judgement) -> Indices:
    """Return the positions of labels, the most suspect first; ties as in the pool."""
    return np.lexsort((found.self_confidence, ~found.suspect))


def _table(
    task: Task, at: Indices, found: Judgement, probabilities: Probabilities
) -> pd.DataFrame:
    labels = task.pool.labels[at]
    others = probabilities.copy()
    others[np.arange(len(at)), labels] = -1.0
    suggested = others.argmax(1)
    order = _order(found)
    names = np.array(task.pool.classes, dtype=object)
    columns = {
        "rank": np.arange(1, len(at) + 1),
        "id": task.pool.ids[at][order],
        "label": names[labels][order],
        "suggested": names[suggested][order],
        "self_confidence": found.self_confidence[order],
        "suggested_confidence": probabilities[np.arange(len(at)), suggested][order],
        "margin": found.margin[order],
        "suspect": found.suspect[order],
    }
    table = pd.DataFrame(columns)[list(SUSPECT_COLUMNS)]
    return table if task.truths is None else with_truth(table, task.truths[at][order])


def _part_of(advance: Advance, part: int, parts: int) -> Advance:
    """Return what learns of the progress of one of several passes."""
    return lambda done, total: advance(part * total + done, parts * total)


def _nobody(_done: int, _total: int) -> None:
    """Learn of progress, and tell nobody."""
