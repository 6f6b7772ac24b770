"""A study's folder on disk: one writer, whole files only, settings, manifest and tables, no pickle."""

import contextlib
import fcntl
import functools
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from alray.errors import StoreError

AnyFolder = TypeVar("AnyFolder", bound="Folder")


class Folder:
    """What every kind of study's folder can do. As a context manager to write: it is then locked against a second writer.

    The lock belongs to the process and ends with it, however it ends.

    Attributes:
        folders: Folders below the root that hold what took time to compute.
        others: Further files and folders that alray writes.
    """

    folders: ClassVar[tuple[str, ...]] = ()
    others: ClassVar[tuple[str, ...]] = (
        "study.yaml",
        "manifest.json",
        "summary.parquet",
        "report.html",
        "figures",
        "findings",
    )

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock: BinaryIO | None = None

    def __enter__(self: AnyFolder) -> AnyFolder:
        try:
            for name in self.folders:
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
        folders = (self.root / name for name in self.folders)
        return any(any(folder.glob("[!.]*")) for folder in folders)

    def clear(self) -> None:
        """Remove the study, but nothing that alray did not write."""
        for name in (*self.folders, *self.others):
            path = self.root / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        for name in self.folders:
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

    # Tables and other files

    def write_summary(self, summary: pd.DataFrame) -> None:
        """Write what the study has found, as data."""
        self._write_frame("summary.parquet", summary)

    def read_summary(self) -> pd.DataFrame:
        """Read it."""
        return self._read_frame("summary.parquet")

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Write files by their names below the folder, which need not exist; no lock is asked for.

        Raises:
            StoreError: One cannot be written.
        """
        for name, content in files.items():
            try:
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"cannot write to {self.root}: {error.strerror}; choose another --out"
                ) from error
            self._write(name, functools.partial(_put, content))

    def _read_folder(
        self, folder: str, empty: pa.Table, names: Collection[str] | None = None
    ) -> pd.DataFrame:
        paths = sorted((self.root / folder).glob("*.parquet"))
        if names is not None:
            wanted = {f"{name}.parquet" for name in names}
            paths = [path for path in paths if path.name in wanted]
        # A file may have columns of its own, null for those that lack them.
        tables = [empty, *(read_parquet(path) for path in paths)]
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="default").to_pandas()
        return frame

    def _read_frame(self, name: str) -> pd.DataFrame:
        path = self.root / name
        if not path.is_file():
            raise StoreError(
                f"{path} does not exist: the study has not been run to its end, or lies elsewhere"
            )
        frame: pd.DataFrame = read_parquet(path).to_pandas()
        return frame

    def _write_frame(self, name: str, frame: pd.DataFrame) -> None:
        self._write_table(name, pa.Table.from_pandas(frame, preserve_index=False))

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


def _put(content: bytes, file: BinaryIO) -> None:
    file.write(content)


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file.

    Raises:
        StoreError: It cannot be read; names it.
    """
    with readable(path):
        return pq.read_table(path, partitioning=None)


@contextlib.contextmanager
def readable(path: Path) -> Iterator[None]:
    """Name the file that turns out to be unreadable."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{path} cannot be read: {error}; remove it, and run the same command again"
        ) from error
