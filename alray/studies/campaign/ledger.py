"""What a campaign's ledger says: which objects were asked about, which answers count, what waits."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from alray.studies.campaign.records import Outcome
from alray.studies.campaign.store import ANSWERS, BATCHES, COLUMNS, OBJECTS, CampaignStore
from alray.studies.folder import table

COUNTED: tuple[Outcome, ...] = ("used", "skipped", "rejected")
"""Outcomes of answers about objects that were asked about, or taken all the same."""

SAME = ("task", "worker", "label", "status", "answer_id")
"""Columns by which two answers of one time, or without one, are the same."""


@dataclass(frozen=True, eq=False)
class Ledger:
    """All that was seen, asked and answered.

    Attributes:
        objects: Rows of `OBJECT_COLUMNS`.
        batches: Rows of `BATCH_COLUMNS`, in order.
        answers: Rows of `ANSWER_COLUMNS`, in the order in which they were added.
    """

    objects: pd.DataFrame
    batches: pd.DataFrame
    answers: pd.DataFrame

    @cached_property
    def seen(self) -> frozenset[str]:
        """Ids of all objects that were ever in the pool."""
        return frozenset(self.objects["id"])

    @cached_property
    def initial(self) -> dict[str, str]:
        """Id: label of the objects that had one when they were first seen, in their order."""
        there = self.objects[self.objects["label"].notna()]
        return dict(zip(there["id"], there["label"], strict=True))

    @cached_property
    def asked(self) -> pd.DataFrame:
        """The first row of each object that was asked about, by its id."""
        return self.batches.drop_duplicates("id").set_index("id")

    @cached_property
    def valid(self) -> pd.DataFrame:
        """The answer of each assessor about each object that counts: the latest. What it replaces stays on record."""
        rows = self.answers[self.answers["outcome"].isin(COUNTED)]
        return latest(rows)

    @cached_property
    def given(self) -> pd.DataFrame:
        """Those of the valid answers that name a class."""
        return self.valid[self.valid["outcome"] == "used"]

    @cached_property
    def done(self) -> frozenset[str]:
        """Objects about which an assessor said something that counts, be it that he cannot tell."""
        return frozenset(self.valid.loc[self.valid["outcome"] != "rejected", "task"])

    @cached_property
    def kept_aside(self) -> int:
        """Number of answers about objects that no batch had when they were added, but those that count by now."""
        counts = self.answers["outcome"].isin(COUNTED)
        same = [self.answers[name] for name in (*SAME, "time")]
        used = counts.groupby(same, dropna=False).transform("any")
        return int((~used).sum())

    def waiting(self, wanted: int) -> list[str]:
        """Return the objects that were asked about, and have fewer answers, skips among them, than wanted."""
        counted = self.valid[self.valid["outcome"] != "rejected"]
        numbers = counted.groupby("task").size()
        return [each for each in self.asked.index if numbers.get(each, 0) < wanted]

    def unanswered(self) -> list[str]:
        """Return the objects that were asked about, and have no answer that names a class."""
        there = frozenset(self.given["task"])
        return [each for each in self.asked.index if each not in there]

    def answered_in(self, batch: int) -> bool:
        """Whether anything was answered about the objects of a batch, rejected answers among it."""
        tasks = frozenset(self.batches.loc[self.batches["batch"] == batch, "id"])
        # Of an object that was asked about again, an answer from before says nothing of this batch.
        since = self.batches.loc[self.batches["batch"] == batch, "asked"].min()
        answers = self.answers[self.answers["added"] >= since]
        return bool(answers["task"].isin(tasks).any())

    def classes(self, others: Collection[str] = ()) -> tuple[str, ...]:
        """Return all classes: those of labels, of answers that count, and others; numbers by value, texts by text."""
        accepted = self.answers.loc[self.answers["outcome"] == "used", "label"]
        return sorted_classes({*self.initial.values(), *accepted, *others})


def latest(answers: pd.DataFrame) -> pd.DataFrame:
    """Return each assessor's last answer about each object, by `in_order`; the rows keep the order of the ledger."""
    last = in_order(answers).drop_duplicates(["task", "by"], keep="last").sort_values("order")
    found: pd.DataFrame = last.drop(columns=["by", "order"]).reset_index(drop=True)
    return found


def in_order(answers: pd.DataFrame) -> pd.DataFrame:
    """Return answers so that each assessor's about an object stand in the order in which he gave them.

    By the time that the files say, where all of his answers about the object have one; else in the order in which they
    were added. The columns `by` and `order` say who gave an answer, and where it stood before.
    """
    keyed = answers.assign(by=assessors_of(answers), order=range(len(answers)))
    timed = keyed["time"].notna().groupby([keyed["task"], keyed["by"]]).transform("all")
    keyed["when"] = keyed["time"].where(timed)
    ordered = keyed.sort_values(["when", "order"], na_position="first", kind="stable")
    found: pd.DataFrame = ordered.drop(columns="when")
    return found


def assessors_of(answers: pd.DataFrame) -> pd.Series:
    """Return (rows,) who gave each answer. Where a file names no assessor, each key of an answer stands for one."""
    return answers["worker"].where(answers["worker"] != "", "\0" + answers["answer_id"].fillna(""))


def sorted_classes(names: Collection[str]) -> tuple[str, ...]:
    """Return class names in an order: numbers by value where all are whole numbers, else texts by their characters."""
    if all(_is_number(name) for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def empty_ledger() -> Ledger:
    """Return a ledger in which nothing is."""
    return Ledger(*(table([], COLUMNS[name]).to_pandas() for name in (OBJECTS, BATCHES, ANSWERS)))


def read_ledger(store: CampaignStore) -> Ledger:
    """Read all of it."""
    return Ledger(store.objects(), store.batches(), store.answers())


def _is_number(name: str) -> bool:
    digits = name.removeprefix("-")
    return digits.isascii() and digits.isdigit()
