"""The results folder of a sweep: records of runs and checkpoints.

Layout and columns are documented in `results/README.md`.
"""

import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import override

from alray.analysis.sweep.full_data import fill_full_data
from alray.settings.location import StudyPath
from alray.studies.folder import Folder, MissingFileError, table
from alray.studies.sweep.records import (
    ANSWER_COLUMNS,
    QUERY_COLUMNS,
    ROUND_COLUMNS,
    STATUS_COLUMNS,
)

ROUNDS, QUERIES, CHECKPOINTS = "rounds", "queries", "checkpoints"
ANSWERS = "answers"
CURVES = "tensorboard"
"""The folder of what TensorBoard shows, a folder per run, where a study's tracker has none of its own."""

NO_ROUNDS, NO_QUERIES = table([], ROUND_COLUMNS), table([], QUERY_COLUMNS)
NO_ANSWERS = table([], ANSWER_COLUMNS)

Row = Mapping[str, Any]


class SweepStore(Folder):
    """A sweep's folder."""

    folders: ClassVar[tuple[str, ...]] = (ROUNDS, QUERIES, ANSWERS, CHECKPOINTS)
    others: ClassVar[tuple[str, ...]] = (*Folder.others, "runs.parquet", CURVES)

    def __init__(self, root: StudyPath) -> None:
        super().__init__(root)
        # What is known of a folder that nobody else writes to: an object store takes its time to answer.
        self._counts: dict[str, int] | None = None
        self._checkpoints: set[str] | None = None

    @override
    def __exit__(self, *details: object) -> None:
        self._counts = self._checkpoints = None
        super().__exit__(*details)

    @override
    def clear(self) -> None:
        self._counts = self._checkpoints = None
        super().clear()

    # Records of a run

    def write_run(
        self,
        run_id: str,
        rounds: Sequence[Row],
        queries: Sequence[Row],
        answers: Sequence[Row] = (),
    ) -> None:
        """Write a run's records up to now. A checkpoint of the last round is written after this, never before.

        `rounds` comes last: a run whose rounds are all there counts as finished.
        """
        counts, self._counts = self._counts, None
        if answers:
            self._write_table(f"{ANSWERS}/{run_id}.parquet", table(answers, ANSWER_COLUMNS))
        self._write_table(f"{QUERIES}/{run_id}.parquet", table(queries, QUERY_COLUMNS))
        self._write_table(f"{ROUNDS}/{run_id}.parquet", table(rounds, ROUND_COLUMNS))
        if counts is not None:
            self._counts = {**counts, run_id: len(rounds)}

    def remove_run(self, run_id: str) -> None:
        """Remove a run's records, checkpoint and curves; `rounds` first: what is left of it counts as no run."""
        folders = (ROUNDS, QUERIES, ANSWERS)
        self._writer.remove([f"{folder}/{run_id}.parquet" for folder in folders])
        self._writer.remove([_checkpoint(run_id)])
        if isinstance(self.root, Path):  # TensorBoard's files are in no object store
            shutil.rmtree(self.root / CURVES / run_id, ignore_errors=True)
        if self._counts is not None:
            self._counts = {name: n for name, n in self._counts.items() if name != run_id}
        if self._checkpoints is not None:
            self._checkpoints.discard(run_id)

    def read_run(self, run_id: str) -> tuple[pa.Table, pa.Table] | None:
        """Read a run's records, or None where there are none."""
        try:
            rounds, queries = self._read_tables(
                [f"{folder}/{run_id}.parquet" for folder in (ROUNDS, QUERIES)]
            )
        except MissingFileError:
            return None
        return rounds, queries

    def read_answers(self, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        """Read what a crowd answered in these runs, or in all, as one frame; no rows where none was asked."""
        return self._read_folder(ANSWERS, NO_ANSWERS, run_ids)

    def read_answers_of(self, run_id: str) -> pa.Table:
        """Read what a crowd answered in a run; no rows where none was asked."""
        try:
            (answers,) = self._read_tables([f"{ANSWERS}/{run_id}.parquet"])
        except MissingFileError:
            return NO_ANSWERS
        return answers

    def holds_any(self, run_ids: Iterable[str]) -> bool:
        """Whether there are records of one of these runs."""
        return not frozenset(run_ids).isdisjoint(self._names(ROUNDS, ".parquet"))

    def count_rounds(self, run_id: str) -> int:
        """Return how many rounds of a run are on record.

        While the folder is locked, the first question is answered for all runs: to ask an object store about one after
        the other takes minutes, and nobody else can change the answers.
        """
        if not self._locked:
            return self.count_all_rounds([run_id]).get(run_id, 0)
        return self.counts().get(run_id, 0)

    def counts(self) -> Mapping[str, int]:
        """Return how many rounds of each run are on record; while the folder is locked, they are read once."""
        counts = self._counts
        if counts is None:
            counts = self.count_all_rounds(self._names(ROUNDS, ".parquet"))
        if self._locked:
            self._counts = counts
        return counts

    def count_all_rounds(self, run_ids: Collection[str]) -> dict[str, int]:
        """Return how many rounds of these runs are on record, without those of which there are none."""
        rounds, queries = (frozenset(self._names(each, ".parquet")) for each in (ROUNDS, QUERIES))
        names = {
            f"{ROUNDS}/{name}.parquet": name for name in sorted(rounds & queries & {*run_ids})
        }
        counts = {}
        for name, content in zip(names, self._contents(list(names)), strict=True):
            with self._readable(name):
                counts[names[name]] = int(pq.read_metadata(pa.BufferReader(content)).num_rows)
        return counts

    def read_rounds(self, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        """Read the rounds of these runs, or of all, as one frame that has every documented column."""
        return fill_full_data(self._read_folder(ROUNDS, NO_ROUNDS, run_ids))

    def read_queries(self, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        """Read the queried objects of these runs, or of all, likewise."""
        return fill_full_data(self._read_folder(QUERIES, NO_QUERIES, run_ids))

    def write_runs(self, runs: Sequence[Row]) -> None:
        """Write a row per run."""
        self._write_table("runs.parquet", table(runs, STATUS_COLUMNS))

    def has_runs(self) -> bool:
        """Whether there are rows per run."""
        return self._storage.exists("runs.parquet")

    def read_runs(self) -> pd.DataFrame:
        """Read the row per run."""
        return fill_full_data(self._read_frame("runs.parquet"))

    # Checkpoints

    def write_checkpoint(self, name: str, content: bytes) -> None:
        """Write a checkpoint of a run or of a passive phase."""
        if self._checkpoints is not None:
            self._checkpoints.add(name)
        self._write(_checkpoint(name), content)

    def read_checkpoint(self, name: str) -> bytes:
        """Read a checkpoint."""
        return self._content(_checkpoint(name))

    def remove_checkpoint(self, name: str) -> None:
        """Remove a checkpoint, if there."""
        if self._checkpoints is None or name in self._checkpoints:
            self._writer.remove([_checkpoint(name)])

    def checkpoints(self) -> frozenset[str]:
        """Return the names of the checkpoints at hand."""
        names = frozenset(self._names(CHECKPOINTS, ".safetensors"))
        if self._locked:
            self._checkpoints = set(names)
        return names


def _checkpoint(name: str) -> str:
    return f"{CHECKPOINTS}/{name}.safetensors"
