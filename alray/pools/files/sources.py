"""Find the Parquet files of a pool: one file, those of a folder or of a pattern, on a disk or in an object store."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import fs

from alray.errors import AlrayError, PoolError
from alray.pools.builtin import BUILTIN_POOLS
from alray.pools.files.layouts import import_command, supported
from alray.pools.files.shard import ShardSource, begins_as_parquet
from alray.pools.files.unreadable import first_line
from alray.remote.arrow_system import SCHEMES, arrow_system
from alray.remote.failures import error_text, explanation
from alray.remote.fsspec_system import fsspec_system
from alray.settings.base import unknown_name
from alray.settings.location import Location, location_of

PARQUET_ENDINGS = (".parquet", ".parq", ".pq")

_WILDCARDS = "*?["
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""How Hive and Spark name the folder of rows whose value is null."""


@dataclass(frozen=True)
class Folder:
    """A folder or file in a file system, as messages name it.

    Attributes:
        name: Without secrets.
        path: In the file system, without a slash at its end.
        location: The address of the folder; None on a disk.
    """

    name: str
    path: str
    system: fs.FileSystem
    location: Location | None = None

    def file(self, parts: Sequence[str], partition: Any = None) -> ShardSource:
        """Return the file of these parts of a path below the folder, or the folder itself as a file."""
        path = "/".join([self.path, *parts])
        opened: Callable[[], Any] = lambda: self.system.open_input_file(path)  # noqa: E731 -- of this path
        name = "/".join([self.name.rstrip("/"), *parts])
        return ShardSource(
            name, opened, partition or {}, self.location, partial(_info, self.system, path)
        )

    def files(self) -> list[tuple[str, ...]]:
        """Return the parts of the paths of all files below the folder that are not hidden, sorted as texts."""
        found: Iterable[str] = (
            self._local_files() if isinstance(self.system, fs.LocalFileSystem) else self._listed()
        )
        below = (path.removeprefix(self.path).lstrip("/") for path in found)
        every = [tuple(path.split("/")) for path in sorted(below) if path]
        return [parts for parts in every if not any(map(_is_hidden, parts))]

    def _listed(self) -> list[str]:
        selector = fs.FileSelector(self.path, recursive=True, allow_not_found=True)
        infos = self.system.get_file_info(selector)
        return [info.path for info in infos if info.type == fs.FileType.File]

    def _local_files(self) -> Iterator[str]:
        """Yield the files on the disk: PyArrow would follow links to folders for ever."""
        for folder, folders, names in os.walk(self.path, onerror=_raise):
            folders[:] = [name for name in folders if not _is_hidden(name)]
            yield from (f"{folder.rstrip('/')}/{name}" for name in names)


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _info(system: fs.FileSystem, path: str) -> tuple[Any, ...]:
    found = system.get_file_info(path)
    return found.size, found.mtime_ns


def _is_hidden(name: str) -> bool:
    """Return whether a file or folder is one that writers of tables keep for themselves: `_SUCCESS`, `.0.crc`."""
    return name.startswith((".", "_")) and "=" not in name


@dataclass(frozen=True)
class PoolSource:
    """The files of a pool, in the order of their names."""

    name: str
    shards: tuple[ShardSource, ...]


def find_pool(source: str) -> PoolSource:
    """Return the files of a built-in pool, a file, a folder, a pattern such as `posts/*.parquet`, or an address.

    Raises:
        PoolError: There is none; the message gives the next step.
        SpecError: An address cannot be read.
    """
    if source in BUILTIN_POOLS:
        path = str(BUILTIN_POOLS[source].path)
        return PoolSource(path, (ShardSource(path, lambda: path),))
    location = location_of(source)
    if not isinstance(location, Location):
        return _find_local(source, location)
    try:
        return _find(_remote(location), location.bucket_path)
    except AlrayError:
        raise
    except Exception as error:  # noqa: BLE001 -- each package has errors of its own kind
        reason = explanation(error) or error_text(error, location)
        raise PoolError(f"{location} cannot be read: {reason}") from None


def _find_local(source: str, path: Path) -> PoolSource:
    try:
        if path.is_file():
            info = partial(_info, fs.LocalFileSystem(), str(path))
            return PoolSource(str(path), (ShardSource(str(path), lambda: str(path), info=info),))
        return _find(Folder(str(path), str(path), fs.LocalFileSystem()), str(path))
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise PoolError(
            f"{getattr(error, 'filename', None) or source}: cannot be read ({reason})"
        ) from None
    except PoolError:
        if path.suffix or path.name != source or path.exists() or _is_pattern(source):
            raise
    hint = unknown_name("built-in pool", source, list(BUILTIN_POOLS))
    raise PoolError(f"{hint}; a path of a Parquet file is possible too")


def _is_pattern(path: str) -> bool:
    return any(character in path for character in _WILDCARDS)


def _remote(location: Location) -> Folder:
    opened = arrow_system if location.scheme in SCHEMES else fsspec_system
    system, path = opened(location)
    if not isinstance(system, fs.FileSystem):
        system = fs.PyFileSystem(fs.FSSpecHandler(system))
    return Folder(str(location), path.rstrip("/"), system, location)


def _find(folder: Folder, path: str) -> PoolSource:
    kind = folder.system.get_file_info(folder.path).type
    if kind == fs.FileType.File:
        return PoolSource(folder.name, (folder.file(()),))
    if kind == fs.FileType.Directory:
        return PoolSource(folder.name, tuple(_of_folder(folder)))
    if _is_pattern(path):
        return PoolSource(folder.name, tuple(_of_pattern(folder)))
    raise PoolError(
        f"{folder.name}: no such file; check the path, or name a built-in pool: {', '.join(BUILTIN_POOLS)}"
    )


def _of_folder(folder: Folder) -> list[ShardSource]:
    every = folder.files()
    files = _parquet_files(folder, every)
    apart = [parts for parts in files if not all("=" in part for part in parts[:-1])]
    if apart and import_command(Path(folder.name)):
        raise PoolError(f"{folder.name}: {_without_parquet(folder, empty=False)}")
    if apart:
        folders = sorted({"/".join([folder.name.rstrip("/"), *parts[:-1]]) for parts in apart})
        raise PoolError(
            f"{folder.name}: a folder with Parquet files in other folders, such as {folders[0]}; name one of these, "
            f"or all by a pattern: {quote(folder.name.rstrip('/') + '/**/*.parquet')}"
        )
    if not files:
        raise PoolError(f"{folder.name}: {_without_parquet(folder, empty=not every)}")
    _refuse_delta(folder)
    return _with_partitions(folder, files)


def _without_parquet(folder: Folder, *, empty: bool) -> str:
    if empty:
        return "the folder is empty; name a Parquet file, or a folder that holds some"
    if command := import_command(Path(folder.name)):
        return f"a folder, but not of Parquet files of objects; convert it with `{command}`"
    return f"a folder without Parquet files; write a pool, or what can be imported: {supported()}"


def _of_pattern(pattern: Folder) -> list[ShardSource]:
    parts = pattern.path.split("/")
    first = next(number for number, part in enumerate(parts) if _is_pattern(part))
    rest = parts[first:]
    base = "/".join(parts[:first]) or ("/" if pattern.path.startswith("/") else ".")
    name = pattern.name.removesuffix("/".join(rest)) or "./"
    folder = replace(pattern, name=name, path=base)
    every = folder.files()
    whole = [found for found in every if _matches(found, rest)]
    inside = [found for found in every if found not in whole and _in_match(found, rest)]
    files = sorted([*whole, *_parquet_files(folder, inside)])
    if not files:
        raise PoolError(f"{pattern.name}: no file matches this pattern; check it and its folder")
    return _with_partitions(folder, files)


def _parquet_files(folder: Folder, files: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    named = [parts for parts in files if parts[-1].lower().endswith(PARQUET_ENDINGS)]
    # Hive, Impala and Athena write files without an ending.
    return named or [p for p in files if "." not in p[-1] and begins_as_parquet(folder.file(p))]


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether a path matches, part by part; `**` stands for any number of folders."""
    if not parts or not pattern:
        return not parts and not pattern
    if pattern[0] == "**":
        return any(_matches(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _in_match(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    return any(_matches(parts[:length], pattern) for length in range(1, len(parts)))


def _with_partitions(folder: Folder, files: list[tuple[str, ...]]) -> list[ShardSource]:
    """Return the files with the columns that the names of their folders give.

    Raises:
        PoolError: Files lie in folders of different keys.
    """
    shards = [folder.file(parts, _partition(parts[:-1])) for parts in files]
    for shard in shards:
        if list(shard.partition) != list(shards[0].partition):
            raise PoolError(
                f"{shard.name}: its folders give the columns {', '.join(shard.partition) or '(none)'}, and those of "
                f"{shards[0].name} give {', '.join(shards[0].partition) or '(none)'}; name files of one kind"
            )
    return shards


def _partition(folders: Sequence[str]) -> dict[str, str | None]:
    pairs = [part.split("=", 1) for part in folders if "=" in part]
    values = [(unquote(key), unquote(value)) for key, value in pairs]
    return {key: None if value == _NO_VALUE else value for key, value in values}


def _refuse_delta(folder: Folder) -> None:
    if folder.system.get_file_info(f"{folder.path}/_delta_log").type == fs.FileType.Directory:
        raise PoolError(
            f"{folder.name}: a Delta table, whose folder keeps the files of removed rows too; "
            "write its present rows as Parquet with the program that made it"
        )
