"""The results folder of a sweep: records of runs and checkpoints.

Layout and columns are documented in `results/README.md`.
"""

from collections.abc import Collection
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alray.errors import StoreError
from alray.folder import Folder, read_parquet, readable

ROUNDS, QUERIES, CHECKPOINTS = "rounds", "queries", "checkpoints"


class Store(Folder):
    """A sweep's folder."""

    folders: ClassVar[tuple[str, ...]] = (ROUNDS, QUERIES, CHECKPOINTS)
    others: ClassVar[tuple[str, ...]] = (*Folder.others, "runs.parquet")

    # Records of a run

    def write_run(self, run_id: str, rounds: pa.Table, queries: pa.Table) -> None:
        """Write a run's records up to now. A checkpoint of the last round is written after this, never before.

        `rounds` comes last: a run whose rounds are all there counts as finished.
        """
        self._write_table(f"{QUERIES}/{run_id}.parquet", queries)
        self._write_table(f"{ROUNDS}/{run_id}.parquet", rounds)

    def read_run(self, run_id: str) -> tuple[pa.Table, pa.Table] | None:
        """Read a run's records, or None where there are none."""
        paths = [self.root / folder / f"{run_id}.parquet" for folder in (ROUNDS, QUERIES)]
        if not all(path.is_file() for path in paths):
            return None
        rounds, queries = (read_parquet(path) for path in paths)
        return rounds, queries

    def count_rounds(self, run_id: str) -> int:
        """Return how many rounds of a run are on record."""
        paths = [self.root / folder / f"{run_id}.parquet" for folder in (ROUNDS, QUERIES)]
        if not all(path.is_file() for path in paths):
            return 0
        with readable(paths[0]):
            return int(pq.read_metadata(paths[0]).num_rows)

    def read_rounds(self, empty: pa.Table, run_ids: Collection[str] | None = None) -> pd.DataFrame:
        """Read the rounds of these runs, or of all, as one frame that has the columns of `empty` in any case."""
        return self._read_folder(ROUNDS, empty, run_ids)

    def read_queries(
        self, empty: pa.Table, run_ids: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Read the queried objects of these runs, or of all, likewise."""
        return self._read_folder(QUERIES, empty, run_ids)

    def write_runs(self, runs: pa.Table) -> None:
        """Write a row per run."""
        self._write_table("runs.parquet", runs)

    def has_runs(self) -> bool:
        """Whether there are rows per run."""
        return (self.root / "runs.parquet").is_file()

    def read_runs(self) -> pd.DataFrame:
        """Read the row per run."""
        return self._read_frame("runs.parquet")

    # Checkpoints

    def write_checkpoint(self, name: str, content: bytes) -> None:
        """Write a checkpoint of a run or of a passive phase."""
        self._write(f"{CHECKPOINTS}/{name}.safetensors", lambda file: file.write(content))

    def read_checkpoint(self, name: str) -> bytes:
        """Read a checkpoint."""
        path = self.root / CHECKPOINTS / f"{name}.safetensors"
        try:
            return path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"{path} cannot be read: {error.strerror}; remove it, and run the same command again"
            ) from error

    def remove_checkpoint(self, name: str) -> None:
        """Remove a checkpoint, if there."""
        (self.root / CHECKPOINTS / f"{name}.safetensors").unlink(missing_ok=True)

    def checkpoints(self) -> frozenset[str]:
        """Return the names of the checkpoints at hand."""
        return frozenset(path.stem for path in (self.root / CHECKPOINTS).glob("*.safetensors"))
