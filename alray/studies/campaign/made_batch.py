"""Batches as they are on record, as assessors get them, and what waits of the last one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from alray.errors import SpecError
from alray.exchange.tasks import ABOUT, PRIORITY, shown_as
from alray.pools.columns.metadata import name_some
from alray.pools.files.parquet import open_pool
from alray.pools.open_pool import read_shown
from alray.settings.campaign import CampaignSpec
from alray.studies.campaign.ledger import Ledger


@dataclass(frozen=True, eq=False)
class MadeBatch:
    """A batch as it is on record.

    Attributes:
        number: Its number.
        tasks: `id`, the columns that assessors see, and `priority`, larger first; in the order of the batch. What the
            pool calls `predicted`, `probability` or `priority` is not the batch's own, and is `shown_predicted` and so
            on here.
        classes: What an assessor may answer.
        is_new: Whether it was chosen now; else it is the last one, which has no answer yet.
        notes: What the user should know, a line each.
    """

    number: int
    tasks: pd.DataFrame
    classes: tuple[str, ...]
    is_new: bool
    notes: tuple[str, ...]


def made_batch(
    ledger: Ledger, spec: CampaignSpec, number: int, shown: pd.DataFrame, path: str
) -> MadeBatch:
    """Return a batch of the ledger, as assessors get it.

    Args:
        ledger: The ledger.
        spec: The campaign's settings.
        number: The batch's number.
        shown: `id` and what assessors see of its objects, of those that the pool still has; in any order.
        path: The pool, for messages.

    Raises:
        SpecError: The pool has none of its objects any longer.
    """
    ids = objects_of(ledger, number)
    known = frozenset(shown["id"])
    there = [each for each in ids if each in known]
    if not there:
        raise SpecError(
            f"{path}: none of the objects of batch {number} is in the pool any longer; put them back, or "
            "choose another batch with --new"
        )
    missing = [each for each in ids if each not in known]
    left = f"{len(missing):,} objects of the batch have left the pool: {name_some(missing)}"
    # Else labelling tools would take the pool's column for the network's prediction, or for the order of the batch.
    names = {name: shown_as(name, shown.columns) for name in ABOUT if name in shown.columns}
    tasks = shown.set_index("id", drop=False).loc[there].reset_index(drop=True)
    tasks = tasks.rename(columns=names)
    tasks[PRIORITY] = [float(len(there) - at) for at in range(len(there))]
    notes = (left,) if missing else ()
    return MadeBatch(number, tasks, ledger.classes(spec.classes), is_new=False, notes=notes)


def last_waiting(ledger: Ledger, spec: CampaignSpec, number: int) -> MadeBatch | None:
    """Return the objects of a batch that wait for answers, as assessors get them; None where none waits.

    Those that the batch asks about once more wait until somebody names a class.

    Args:
        ledger: The ledger.
        spec: The campaign's settings.
        number: The number of the last batch, 0 where there is none.

    Raises:
        AlrayError: The pool cannot be read, or has none of the batch's objects any longer.
    """
    ids = objects_of(ledger, number)
    batch = ledger.batches[ledger.batches["batch"] == number]
    again = frozenset(batch.loc[batch["again"].astype(bool), "id"])
    waiting = {*ledger.waiting(spec.answers), *again.intersection(ledger.unanswered())}
    if waiting.isdisjoint(ids):
        return None
    shown = read_shown(spec.pool, spec.show, ids)
    made = made_batch(ledger, spec, number, shown, open_pool(spec.pool.source).path)
    tasks = made.tasks[made.tasks["id"].isin(waiting)].reset_index(drop=True)
    return replace(made, tasks=tasks) if len(tasks) else None


def left_behind(ledger: Ledger, number: int) -> list[str]:
    """Return the objects of batches before a batch that have no answer at all, and are not asked about in it."""
    said = frozenset(ledger.valid["task"])
    now = frozenset(objects_of(ledger, number))
    return [each for each in ledger.asked.index if each not in said and each not in now]


def objects_of(ledger: Ledger, number: int) -> Sequence[str]:
    """Return the ids of a batch's objects, in its order."""
    batch = ledger.batches[ledger.batches["batch"] == number].sort_values("position")
    return [str(each) for each in batch["id"]]
