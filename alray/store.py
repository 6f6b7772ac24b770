"""The results folder: one writer, whole files only, resumable, no pickle.

Layout and columns are documented in `results/README.md`.
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from alray.errors import StoreError

ROUNDS, QUERIES, CHECKPOINTS = "rounds", "queries", "checkpoints"


class Store:
    """A study's folder. Use as a context manager to write: it is then locked against a second writer.

    The lock belongs to the process and ends with it, however it ends.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock: BinaryIO | None = None

    def __enter__(self) -> "Store":
        try:
            for name in (ROUNDS, QUERIES, CHECKPOINTS):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            self._lock = (self.root / ".lock").open("wb")
        except OSError as error:
            raise StoreError(
                f"cannot write to {self.root}: {error.strerror}; choose another --results"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise StoreError(
                f"{self.root} is being written by another alray; wait for it, or choose another --name"
            ) from None
        except OSError as error:
            self._lock.close()
            raise StoreError(
                f"{self.root} cannot be locked against a second writer: {error.strerror}; "
                "choose --results on a file system with locks"
            ) from error
        for leftover in self.root.rglob(".*.tmp"):
            leftover.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def exists(self) -> bool:
        """Whether a study lies here."""
        return (self.root / "study.yaml").is_file()

    def has_progress(self) -> bool:
        """Whether there is anything that took time to compute."""
        folders = (self.root / name for name in (ROUNDS, QUERIES, CHECKPOINTS))
        return any(any(folder.glob("[!.]*")) for folder in folders)

    def clear(self) -> None:
        """Remove the study, but nothing that alray did not write."""
        for name in (ROUNDS, QUERIES, CHECKPOINTS, "figures"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        for name in (
            "study.yaml",
            "manifest.json",
            "runs.parquet",
            "summary.parquet",
            "report.html",
        ):
            (self.root / name).unlink(missing_ok=True)
        for name in (ROUNDS, QUERIES, CHECKPOINTS):
            (self.root / name).mkdir(exist_ok=True)

    # Settings and manifest

    def write_study(self, settings: Mapping[str, Any]) -> None:
        """Write the resolved settings."""
        text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
        self._write("study.yaml", lambda file: file.write(text.encode()))

    def read_study(self) -> dict[str, Any]:
        """Read the resolved settings."""
        path = self.root / "study.yaml"
        try:
            settings = yaml.safe_load(path.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise StoreError(f"{path} cannot be read: {error}; start over with --fresh") from error
        if not isinstance(settings, dict):
            raise StoreError(f"{path} holds no settings; start over with --fresh")
        return settings

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write where the study came from."""
        text = json.dumps(dict(manifest), indent=2, ensure_ascii=False) + "\n"
        self._write("manifest.json", lambda file: file.write(text.encode()))

    def read_manifest(self) -> dict[str, Any]:
        """Read the manifest, empty where there is none."""
        path = self.root / "manifest.json"
        if not path.is_file():
            return {}
        try:
            manifest: dict[str, Any] = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} cannot be read: {error}; start over with --fresh") from error
        return manifest

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
        rounds, queries = (_read_parquet(path) for path in paths)
        return rounds, queries

    def count_rounds(self, run_id: str) -> int:
        """Return how many rounds of a run are on record."""
        paths = [self.root / folder / f"{run_id}.parquet" for folder in (ROUNDS, QUERIES)]
        if not all(path.is_file() for path in paths):
            return 0
        with _readable(paths[0]):
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

    def write_summary(self, summary: pd.DataFrame) -> None:
        """Write the row per arm."""
        self._write_table("summary.parquet", pa.Table.from_pandas(summary, preserve_index=False))

    def read_summary(self) -> pd.DataFrame:
        """Read the row per arm."""
        return self._read_frame("summary.parquet")

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

    # Files

    def _read_folder(
        self, folder: str, empty: pa.Table, run_ids: Collection[str] | None
    ) -> pd.DataFrame:
        paths = sorted((self.root / folder).glob("*.parquet"))
        if run_ids is not None:
            names = {f"{run_id}.parquet" for run_id in run_ids}
            paths = [path for path in paths if path.name in names]
        # A run's heads add columns of their own, null for runs that lack them.
        tables = [empty, *(_read_parquet(path) for path in paths)]
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="default").to_pandas()
        return frame

    def _read_frame(self, name: str) -> pd.DataFrame:
        path = self.root / name
        if not path.is_file():
            raise StoreError(
                f"{path} does not exist: the study has not been run to its end, or lies elsewhere"
            )
        frame: pd.DataFrame = _read_parquet(path).to_pandas()
        return frame

    def _write_table(self, name: str, table: pa.Table) -> None:
        self._write(name, lambda file: pq.write_table(table, file, compression="zstd"))

    def _write(self, name: str, fill: Callable[[BinaryIO], Any]) -> None:
        """Write a file under a temporary name, flush it to the disk, and rename it: a reader sees all or nothing."""
        path = self.root / name
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            with temporary.open("wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise StoreError(
                f"cannot write {path}: {error.strerror or error}; what is there already stays valid: make room or "
                "choose another --results, and run the same command again"
            ) from error


def _read_parquet(path: Path) -> pa.Table:
    with _readable(path):
        return pq.read_table(path, partitioning=None)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Name the file that turns out to be unreadable."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{path} cannot be read: {error}; remove it, and run the same command again"
        ) from error
