"""What a column of right labels says of the suspects."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.pool import Indices, Pool
from alray.statistics.proportion import Proportion, grouped_share

TRUTH_COLUMNS: Mapping[str, str] = {
    "truth": "the right label, as the column has it; null where it is not known",
    "wrong": "whether the label is another one than the truth; null where that is not known",
}
"""Columns that the table of suspects has besides where a truth is given, in order, each with what it holds."""

Z_OF_99 = 2.5758293035489004
"""The normal distribution's 99.5 % quantile."""

Names = npt.NDArray[np.object_]
"""Classes as text; None where there is none."""


@dataclass(frozen=True)
class Checked:
    """How the labels that are judged fare by a column of right labels.

    Attributes:
        column: Its name.
        wrong: Labels that it contradicts.
        found: How many of these are suspect.
        right: Labels that it confirms.
        alarms: How many of these are suspect.
        unknown: Labels of which it says nothing.
        suspects: Suspects among all labels.
        outside: How many it contradicts by a class that no label of the pool has.
        outside_classes: These classes, sorted.
        found_share: found / wrong; the intervals are those of objects that were drawn, see `grouped_share`.
        alarm_share: alarms / right.
        wrong_share: Of the suspects that it knows, the share that is wrong.
    """

    column: str
    wrong: int
    found: int
    right: int
    alarms: int
    unknown: int
    suspects: int
    outside: int
    outside_classes: tuple[str, ...]
    found_share: Proportion
    alarm_share: Proportion
    wrong_share: Proportion

    @property
    def labels(self) -> int:
        """How many labels are judged."""
        return self.wrong + self.right + self.unknown

    @property
    def uneven(self) -> bool:
        """Whether suspects and other labels have a truth more unequally often than in 99 % of random samples.

        Then `found_share` and `alarm_share` hold for those with a truth alone: someone has looked at suspects, of which
        all are suspect. So they do where no other label has a truth. By the normal approximation of the hypergeometric
        distribution.
        """
        known, of_suspects = self.wrong + self.right, self.found + self.alarms
        if not self.unknown or self.suspects == self.labels:
            return False
        rate = self.suspects / self.labels
        variance = known * rate * (1 - rate) * self.unknown / (self.labels - 1)
        return of_suspects == known or abs(of_suspects - known * rate) > Z_OF_99 * variance**0.5


def truths_of(
    pool: Pool, known: Mapping[str, str], column: str, judged: npt.NDArray[np.bool_]
) -> Names:
    """Return (objects,) the right label of each object.

    Args:
        pool: The pool whose labels are judged.
        known: Id: right label.
        column: Where these are from, for messages.
        judged: (objects,) the label is judged.

    Raises:
        PoolError: None of the labels that are judged has one, or none of these is a class of the pool.
    """
    truths = np.array([known.get(each) for each in pool.ids.tolist()], dtype=object)
    of_judged = [each for each in truths[judged].tolist() if each is not None]
    if not of_judged:
        raise PoolError(
            f"{pool.name}: column {column!r} is null for all {int(judged.sum()):,} labels that are judged; fill it in "
            "for some of their objects, or leave --truth out"
        )
    found = sorted(set(of_judged))
    if not set(found) & set(pool.classes):
        raise PoolError(
            f"{pool.name}: column {column!r} names no class of the pool: it holds {name_some(found)}, and the classes "
            f"are {name_some(pool.classes)}; write the classes in both columns alike, or name another one with "
            "--truth COLUMN"
        )
    return truths


def with_truth(table: pd.DataFrame, truths: Names) -> pd.DataFrame:
    """Return the table with `TRUTH_COLUMNS`; truths are those of its rows."""
    wrong = [
        None if truth is None else truth != label
        for truth, label in zip(truths, table["label"], strict=True)
    ]
    return table.assign(truth=truths, wrong=pd.array(wrong, dtype="boolean"))


def checked(
    pool: Pool, column: str, at: Indices, truths: Names, suspect: npt.NDArray[np.bool_]
) -> Checked:
    """Return how the labels of these objects fare.

    Args:
        pool: The pool.
        column: Where the truths are from.
        at: (judged,) the objects whose labels are judged.
        truths: (judged,) their right labels.
        suspect: (judged,) their labels are suspect.
    """
    labels = np.array(pool.classes, dtype=object)[pool.labels[at]]
    known = np.array([each is not None for each in truths], dtype=bool)
    wrong, right = known & (truths != labels), known & (truths == labels)
    classes = {None, *pool.classes}
    outside = np.array([each not in classes for each in truths], dtype=bool)

    def share(part: npt.NDArray[np.bool_], of: npt.NDArray[np.bool_]) -> Proportion:
        groups = None if pool.groups is None else pool.groups[at][of]
        return grouped_share(part[of].astype(np.float64), groups)

    return Checked(
        column=column,
        wrong=int(wrong.sum()),
        found=int((wrong & suspect).sum()),
        right=int(right.sum()),
        alarms=int((right & suspect).sum()),
        unknown=int((~known).sum()),
        suspects=int(suspect.sum()),
        outside=int(outside.sum()),
        outside_classes=tuple(sorted(set(truths[outside].tolist()))),
        found_share=share(suspect, wrong),
        alarm_share=share(suspect, right),
        wrong_share=share(wrong, known & suspect),
    )
