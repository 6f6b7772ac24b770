"""Answers come back: what becomes of each, decided before any is written. Pure."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.analysis.wording import count
from alray.errors import SpecError
from alray.pools.columns.metadata import name_some
from alray.settings.base import nearest
from alray.studies.campaign.ledger import COUNTED, Ledger, latest
from alray.studies.campaign.records import ANSWER_COLUMNS, Outcome
from alray.studies.rounds.record import Record

OUTCOME_OF: dict[str, Outcome] = {
    "answered": "used",
    "skipped": "skipped",
    "rejected": "rejected",
}
"""Status of an answer in a file: what becomes of it where its object was asked about."""

_SAME = ["task", "worker", "label", "status", "answer_id"]


@dataclass(frozen=True)
class Accept:
    """What is accepted besides answers to what was asked.

    Attributes:
        unasked: Whether answers about objects that no batch had are used.
        new_classes: Whether answers may name classes that were not known.
        all_aside: Whether it is no mistake that none of the answers can be used, and all are kept aside.
    """

    unasked: bool = False
    new_classes: bool = False
    all_aside: bool = False


@dataclass(frozen=True, eq=False)
class Added:
    """What became of the answers of a file.

    Attributes:
        rows: New rows of the ledger, without `added`.
        used: Answers that name a class and count.
        skipped: Answers of assessors who could not tell.
        rejected: Answers that were rejected.
        corrections: Those of all these whose assessor had answered about the object before; the latest one counts.
        repeated: Answers that are on record already, and were not added again.
        unasked: Objects of the pool that no batch had, about which there are answers that are kept aside.
        unknown: Ids that are of no object that the pool ever had.
        new_classes: Classes that were not known before.
        notes: What the file has besides, a line each.
    """

    rows: list[Record]
    used: int
    skipped: int
    rejected: int
    corrections: int
    repeated: int
    unasked: list[str]
    unknown: list[str]
    new_classes: list[str]
    notes: tuple[str, ...] = ()


def what_becomes(
    table: pd.DataFrame,
    ledger: Ledger,
    in_pool: Collection[str],
    classes: Collection[str],
    accept: Accept,
    source: str,
) -> Added:
    """Return what becomes of answers; nothing is written.

    Args:
        table: A row per answer, as `alray.exchange.answers` has it.
        ledger: The ledger.
        in_pool: Ids of the pool's objects as it is now.
        classes: The classes that an answer may name.
        accept: What is accepted besides.
        source: Where the answers come from, for messages and for the ledger.

    Raises:
        SpecError: An answer names an unknown class, or none of the answers can be used.
    """
    answers = _columns_of(table)
    outcomes = [
        _outcome(str(task), str(status), ledger, in_pool, accept)
        for task, status in zip(answers["task"], answers["status"], strict=True)
    ]
    answers["outcome"] = outcomes
    if not accept.all_aside and not answers["outcome"].isin((*COUNTED, "unasked")).any():
        raise SpecError(
            f"{source}: none of its {len(answers):,} answers is about an object of this campaign: "
            f"{name_some(list(dict.fromkeys(answers['task'])))} are not in the pool; check that it is the export of "
            "this campaign's tasks, and which column holds the ids"
        )
    counted = answers["outcome"].isin(COUNTED)
    new_classes = _new_classes(answers[counted], classes, accept, source)
    if not counted.any() and not accept.all_aside:
        raise SpecError(
            f"{source}: its answers are about objects that no batch had, such as "
            f"{name_some(list(dict.fromkeys(answers['task'])))}; use them with --take-unasked, or export the tasks of "
            "`alray label next`"
        )
    first = ledger.asked["batch"]
    answers["batch"] = [first.get(task) for task in answers["task"]]
    answers["source"] = source
    # What was kept aside may be taken later.
    taken = ledger.answers[ledger.answers["outcome"].isin(COUNTED)]
    fresh = _not_on_record(answers, taken).where(counted, _not_on_record(answers, ledger.answers))
    added = answers[fresh]
    numbers = Counter(added["outcome"])
    return Added(
        rows=_rows(added),
        used=numbers["used"],
        skipped=numbers["skipped"],
        rejected=numbers["rejected"],
        corrections=_corrections(added, ledger),
        repeated=int((~fresh).sum()),
        unasked=_ids(added, "unasked"),
        unknown=_ids(added, "unknown"),
        new_classes=new_classes,
    )


def _columns_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the answers with all columns, an empty label as null."""
    answers = table.copy()
    answers["label"] = answers["label"].where(
        answers["label"].notna() & (answers["label"] != ""), None
    )
    unnamed = (answers["status"] == "answered") & answers["label"].isna()
    answers.loc[unnamed, "status"] = "skipped"
    return answers.reset_index(drop=True)


def _outcome(
    task: str, status: str, ledger: Ledger, in_pool: Collection[str], accept: Accept
) -> Outcome:
    if task in ledger.asked.index:
        return OUTCOME_OF[status]
    if task in in_pool or task in ledger.seen:
        return OUTCOME_OF[status] if accept.unasked else "unasked"
    return "unknown"


def _new_classes(
    counted: pd.DataFrame, classes: Collection[str], accept: Accept, source: str
) -> list[str]:
    """Return the classes that were not known.

    Raises:
        SpecError: There are some, and they are not accepted.
    """
    labels = counted.loc[counted["outcome"] == "used", "label"]
    new = sorted(set(labels) - set(classes))
    if not new or accept.new_classes:
        return new
    numbers = Counter(labels)
    near = nearest(new[0], classes)
    hint = f"did you mean {near!r}?" if near else f"classes are {name_some(sorted(classes))}"
    named = name_some([f"{name!r} ({count(numbers[name], 'answer')})" for name in new])
    what = "a class that is" if len(new) == 1 else "classes that are"
    raise SpecError(
        f"{source}: answers name {what} not known: {named} ({hint}). "
        "Nothing was added: correct the answers, or repeat `alray label add` or `sync` with --allow-new-classes"
    )


def _not_on_record(answers: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Return (rows,) which answers are not in the ledger yet.

    With a time, an answer is on record where an equal one with that time is; without, where it is the last of its
    assessor about the object: an assessor may return to what he answered first.
    """
    exact = set(_keys(known[known["time"].notna()], with_time=True))
    last = set(_keys(latest(known), with_time=False)) if len(known) else set()
    by_time = _keys(answers, with_time=True)
    by_content = _keys(answers, with_time=False)
    there = [
        (whole in exact) if whole[-1] else (content in last)
        for whole, content in zip(by_time, by_content, strict=True)
    ]
    repeated = pd.Series(by_time).duplicated().to_numpy()
    return pd.Series(~(np.array(there, dtype=bool) | repeated))


def _keys(answers: pd.DataFrame, *, with_time: bool) -> list[tuple[str, ...]]:
    texts = answers[_SAME].astype(object).where(answers[_SAME].notna(), "\0").astype(str)
    keys = [tuple(row) for row in texts.itertuples(index=False)]
    if not with_time:
        return keys
    # Of microseconds, as the ledger has them: nanoseconds do not reach the year 1, which is .NET's empty date.
    times = [
        "" if pd.isna(each) else str(pd.Timestamp(each).as_unit("us").asm8.view("i8"))
        for each in answers["time"]
    ]
    return [(*key, time) for key, time in zip(keys, times, strict=True)]


def _corrections(added: pd.DataFrame, ledger: Ledger) -> int:
    """Return how many of the new answers that count are by assessors who had answered about the object before."""
    counted = added[added["outcome"].isin(COUNTED) & (added["worker"] != "")]
    rows = pd.concat([ledger.valid[["task", "worker"]], counted[["task", "worker"]]])
    return int(rows.duplicated().to_numpy()[len(ledger.valid) :].sum())


def _ids(added: pd.DataFrame, outcome: Outcome) -> list[str]:
    return list(dict.fromkeys(added.loc[added["outcome"] == outcome, "task"]))


def _rows(added: pd.DataFrame) -> list[Record]:
    """Return new rows of the ledger; what is not known is None."""
    names = [name for name in ANSWER_COLUMNS if name != "added"]
    values = added[names].astype(object).where(added[names].notna(), None)
    return [
        {
            str(name): int(each) if name == "batch" and each is not None else each
            for name, each in row.items()
        }
        for row in values.to_dict("records")
    ]
