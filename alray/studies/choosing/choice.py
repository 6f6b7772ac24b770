"""What was chosen from a pool, in the order in which it is wanted, and what is said of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from alray.errors import PoolError
from alray.pools.columns.metadata import name_some
from alray.pools.pool import Indices, Texts
from alray.pools.slices import Counts
from alray.studies.choosing.work import Choosing


@dataclass(frozen=True, eq=False)
class Choice:
    """The chosen objects, the most wanted first.

    Attributes:
        ids: (k,) their ids.
        scores: (k,) the strategy's scores; NaN where it has none.
        rows: (k,) the numbers of their rows in the whole pool, counted from 0.
        files: (k,) the files that they are in.
        counts: How many rows were read, and why objects could not be chosen.
        notes: What else is to be known, a line each.
    """

    ids: Texts
    scores: npt.NDArray[np.float64]
    rows: Indices
    files: Texts
    counts: Counts
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)

    def table(self) -> pd.DataFrame:
        """Return a row per object: id, score, file and row."""
        return pd.DataFrame(
            {"id": self.ids, "score": self.scores, "file": self.files, "row": self.rows}
        )


def notes_on(work: Choosing, counts: Counts, compared: int) -> tuple[str, ...]:
    """Return what is to be known of a choice; `compared` objects were on the short list, if there is one."""
    notes = []
    if counts.candidates < work.number:
        notes.append(
            f"{work.pool.files.path}: {work.number:,} objects were asked for, and {counts.candidates:,} can be chosen: "
            f"all are ({_left_out(counts)})"
        )
    if work.rule.compares and compared < counts.candidates:
        notes.append(
            f"{work.strategy} chose from a short list: the {compared:,} objects with the smallest margins of all "
            f"{counts.candidates:,}; it compared these, and no others"
        )
    return tuple(notes)


def require_candidates(work: Choosing, counts: Counts) -> None:
    """Refuse a pool of which nothing can be chosen.

    Raises:
        PoolError: Says why.
    """
    if not counts.candidates:
        raise PoolError(
            f"{work.pool.files.path}: no object can be chosen ({_left_out(counts)}); add objects without a label "
            "to the pool"
        )


def require_distinct(work: Choosing, ids: Texts) -> None:
    """Refuse a pool in which chosen ids stand for several objects: an answer could not be told whose it is.

    Raises:
        PoolError: Names some.
    """
    found, number = np.unique(ids.astype(np.str_), return_counts=True)
    repeated = found[number > 1]
    if len(repeated):
        raise PoolError(
            f"{work.pool.files.path}: column {work.pool.spec.id!r} holds {len(repeated):,} of the chosen ids more than "
            f"once: {name_some(repeated)}; make them unique, or name another column with --id COLUMN"
        )


def _left_out(counts: Counts) -> str:
    return f"of {counts.rows:,} rows {counts.labelled:,} have a label, and {counts.excluded:,} are excluded"
