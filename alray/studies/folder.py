"""A study's folder, wherever it lies: one writer, whole files only, settings, manifest and tables, no pickle."""

import contextlib
import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from alray.errors import StoreError
from alray.settings.location import StudyPath
from alray.storage.object_store import open_storage
from alray.storage.protocols import Storage
from alray.storage.write_batch import WriteBatch

ERRORS = "errors.txt"
"""The file that says why jobs have failed, with tracebacks."""

AnyFolder = TypeVar("AnyFolder", bound="Folder")


class MissingFileError(StoreError):
    """A file is not there."""


class Folder:
    """What every kind of study's folder can do, whether it is local or in an object store.

    To write, enter it: it is then locked against a second writer.

    Attributes:
        folders: Folders below the root that hold what took time to compute.
        others: Further files and folders that alray writes.
    """

    folders: ClassVar[tuple[str, ...]] = ()
    others: ClassVar[tuple[str, ...]] = (
        "study.yaml",
        "manifest.json",
        "summary.parquet",
        ERRORS,
        "report.html",
        "status.html",
        "figures",
        "findings",
    )

    def __init__(self, root: StudyPath) -> None:
        self.root = root
        self._storage = open_storage(root)
        self._writer: Storage | WriteBatch = self._storage
        self._locked = False

    def __enter__(self: AnyFolder) -> AnyFolder:
        self._storage.lock(self.folders)
        self._locked = True
        return self

    def __exit__(self, *_: object) -> None:
        self._locked = False
        self._storage.release()

    def require_writable(self) -> None:
        """Find out whether the folder could be entered now; nothing is written.

        Raises:
            StoreError: It could not.
        """
        self._storage.require_writable()

    @contextlib.contextmanager
    def batch(self) -> Iterator[None]:
        """Put off what is written and removed within until the end, and do it there, many files at a time.

        Files of one name, a run's, keep their order. What is written within cannot be read before the end.

        Raises:
            StoreError: Something cannot be written; the rest is.
        """
        batch = self._writer = WriteBatch(self._storage)
        try:
            yield
        finally:
            self._writer = self._storage
            batch.flush()

    def exists(self) -> bool:
        """Whether a study lies here."""
        return self._storage.exists("study.yaml")

    def has_progress(self) -> bool:
        """Whether there is anything that took time to compute."""
        return any(self._storage.names(folder) for folder in self.folders)

    def clear(self) -> None:
        """Remove the study, but nothing that alray did not write."""
        self._storage.clear(self.folders, self.others)

    # Settings and manifest

    def write_study(self, settings: Mapping[str, Any]) -> None:
        """Write the resolved settings."""
        text = yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)
        self._write("study.yaml", text.encode())

    def read_study(self) -> dict[str, Any]:
        """Read the resolved settings."""
        path = self.root / "study.yaml"
        try:
            settings = yaml.safe_load(self._storage.read("study.yaml").decode())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise StoreError(f"{path} cannot be read: {error}; start over with --fresh") from error
        if not isinstance(settings, dict):
            raise StoreError(f"{path} holds no settings; start over with --fresh")
        return settings

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write where the study came from."""
        text = json.dumps(dict(manifest), indent=2, ensure_ascii=False) + "\n"
        self._write("manifest.json", text.encode())

    def read_manifest(self) -> dict[str, Any]:
        """Read the manifest, empty where there is none."""
        path = self.root / "manifest.json"
        try:
            manifest = json.loads(self._storage.read("manifest.json").decode())
            if not isinstance(manifest, dict):
                raise ValueError("it holds no manifest")  # noqa: TRY004, TRY301 -- as where it is not JSON
        except FileNotFoundError:
            return {}
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

    def write_errors(self, errors: Mapping[str, str]) -> None:
        """Write the error of each job that has failed, in full, as a text to read; where none has, there is no file."""
        if errors:
            entries = [f"== {title}\n\n{error.rstrip()}\n" for title, error in errors.items()]
            self._write(ERRORS, "\n\n".join(entries).encode())
        else:
            self._writer.remove([ERRORS])

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Write files by their names below the folder, which need not exist; no lock is asked for.

        Raises:
            StoreError: One cannot be written.
        """
        self._storage.make_parents(files.keys())
        for name, content in files.items():
            self._write(name, content)

    def read_files(self, names: Sequence[str]) -> dict[str, bytes]:
        """Read those of these files that are there, by their names below the folder.

        Raises:
            StoreError: One cannot be read.
        """
        there = self.holds(names)
        return dict(zip(there, self._contents(there), strict=True))

    def holds(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return which of these files, and folders (`name/`), are there; a folder counts where it is not empty."""
        there = frozenset(self._storage.names(""))
        return tuple(
            name
            for name in names
            if name in there or (name.endswith("/") and self._storage.names(name[:-1]))
        )

    def _read_folder(
        self, folder: str, empty: pa.Table, names: Collection[str] | None = None
    ) -> pd.DataFrame:
        there = self._names(folder, ".parquet")
        if names is not None:
            wanted = frozenset(names)
            there = [name for name in there if name in wanted]
        # A file may have columns of its own, null for those that lack them.
        tables = [empty, *self._read_tables([f"{folder}/{name}.parquet" for name in there])]
        frame: pd.DataFrame = pa.concat_tables(tables, promote_options="default").to_pandas()
        return frame

    def _names(self, folder: str, ending: str) -> list[str]:
        """Return the names of a folder's files that end so, without the ending."""
        names = self._storage.names(folder)
        return [name.removesuffix(ending) for name in names if name.endswith(ending)]

    def _read_frame(self, name: str) -> pd.DataFrame:
        try:
            (table,) = self._read_tables([name])
        except MissingFileError:
            raise StoreError(
                f"{self.root / name} does not exist: the study has not been run to its end, or lies elsewhere"
            ) from None
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def _content(self, name: str) -> bytes:
        (content,) = self._contents([name])
        return content

    def _read_tables(self, names: Sequence[str]) -> list[pa.Table]:
        tables = []
        for name, content in zip(names, self._contents(names), strict=True):
            with self._readable(name):
                tables.append(pq.read_table(pa.BufferReader(content)))
        return tables

    def _contents(self, names: Sequence[str]) -> list[bytes]:
        """Read files.

        Raises:
            MissingFileError: One is not there.
            StoreError: One cannot be read.
        """
        try:
            return self._storage.read_all(names)
        except OSError as error:
            kind = MissingFileError if isinstance(error, FileNotFoundError) else StoreError
            raise kind(_unreadable(error.filename or self.root, error)) from error

    @contextlib.contextmanager
    def _readable(self, name: str) -> Iterator[None]:
        """Name the file that turns out to be unreadable."""
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise StoreError(_unreadable(self.root / name, error)) from error

    def _write_frame(self, name: str, frame: pd.DataFrame) -> None:
        self._write_table(name, pa.Table.from_pandas(frame, preserve_index=False))

    def _write_table(self, name: str, table: pa.Table) -> None:
        content = io.BytesIO()
        pq.write_table(table, content, compression="zstd")
        self._write(name, content.getvalue())

    def _write(self, name: str, content: bytes) -> None:
        """Write a file. It is whole in memory before any of it goes anywhere: a reader sees all or nothing."""
        self._writer.write(name, content)


def table(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[pa.DataType, str]]
) -> pa.Table:
    """Return rows as a table with these columns first; further ones are float64 (they depend on the heads)."""
    extra = [name for name in (rows[0] if rows else {}) if name not in columns]
    fields = [(name, kind) for name, (kind, _) in columns.items()]
    fields += [(name, pa.float64()) for name in extra]
    return pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema(fields))


def _unreadable(path: object, error: Exception) -> str:
    return f"{path} cannot be read: {error}; remove it, and run the same command again"
