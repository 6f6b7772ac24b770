"""Answers come back: what becomes of each, decided before any is written. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alray.analysis.wording import count
from alray.errors import SpecError
from alray.pools.columns.metadata import name_some
from alray.settings.base import nearest
from alray.studies.campaign.ledger import COUNTED, Ledger, in_order
from alray.studies.campaign.on_record import Compared, Key, Version, compared
from alray.studies.campaign.records import ANSWER_COLUMNS, Outcome
from alray.studies.rounds.record import Record

OUTCOME_OF: dict[str, Outcome] = {
    "answered": "used",
    "skipped": "skipped",
    "rejected": "rejected",
}
"""Status of an answer in a file: what becomes of it where its object was asked about."""

_SAME = ["task", "worker", "answer_id"]
"""Columns that tell an answer from others, whatever its versions say."""

_TIME = "a column time, such as 2026-01-31T12:00:00Z"


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
        notes: What the file has besides, and which answers are taken for older ones; a line each.
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
    found, aside = _compared(answers, taken), _compared(answers, ledger.answers)
    rows = answers.index
    fresh = np.where(counted, rows.isin(found.new), rows.isin(aside.new))
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
        notes=_about_older(answers[counted & rows.isin(found.older)]["task"]),
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


def _compared(answers: pd.DataFrame, known: pd.DataFrame) -> Compared:
    """Return which answers are not among the known ones yet.

    With a time, an answer is compared with what is known of the same moment; without, with all versions of it.
    """
    record = defaultdict[Key, list[Version]](list)
    for bare, whole, version in _versions(in_order(known)):
        record[bare].append(version)
        if whole[-1]:
            record[whole].append(version)
    rows = _versions(answers)
    timed = [bool(whole[-1]) for _, whole, _ in rows]
    keys = [whole if whole[-1] else bare for bare, whole, _ in rows]
    return compared(keys, [version for *_, version in rows], timed, record)


def _versions(answers: pd.DataFrame) -> list[tuple[Key, Key, Version]]:
    """Return of each answer its key, its key with its time, "" where it has none, and what it says."""
    labels = answers["label"].astype(object).where(answers["label"].notna(), None)
    versions = map(Version, labels, answers["status"])
    keys = (_keys(answers, with_time=each) for each in (False, True))
    return list(zip(*keys, versions, strict=True))


def _about_older(tasks: pd.Series) -> tuple[str, ...]:
    """Return a line about answers that were replaced since, where there are any; by the objects they are about."""
    if not len(tasks):
        return ()
    which = name_some(list(dict.fromkeys(tasks)))
    one = (
        f"1 answer about {which} was replaced since, so it is taken for one of an older file and does not count again; "
        "if it is what the assessor says now, add it with its time"
    )
    several = (
        f"{len(tasks):,} answers about {which} were replaced since, so they are taken for those of an older file and "
        "do not count again; if they are what the assessors say now, add them with their times"
    )
    return ((one if len(tasks) == 1 else several) + f" ({_TIME})",)


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
