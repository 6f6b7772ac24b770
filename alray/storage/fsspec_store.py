"""Stores through packages of the fsspec family."""

import contextlib
import datetime as dt
from typing import Any

from typing_extensions import override

from alray.remote.fsspec_system import fsspec_system, protocol_of
from alray.settings.location import Location
from alray.storage.protocols import ObjectStore

ATOMIC = frozenset(
    {"memory", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "tos"}
)
"""Protocols of object stores, whose PUT is atomic."""


class FsspecStore(ObjectStore):
    """Objects in a folder of a file system of fsspec.

    Where its PUT is not atomic, an object gets a temporary name first and is then renamed.
    """

    def __init__(self, system: Any, path: str, *, atomic: bool) -> None:
        self._system = system
        self._path = path.rstrip("/")
        self._atomic = atomic

    @override
    def names(self, folder: str, *, recursive: bool = False) -> list[str]:
        depth = None if recursive else 1
        found = self._system.find(self._full_path(folder), maxdepth=depth, detail=True)
        return [self._name(path) for path, info in found.items() if info["type"] == "file"]

    @override
    def times(self, folder: str) -> dict[str, dt.datetime]:
        times = {}
        for name in self.names(folder):
            # An object may be removed between the two requests.
            with contextlib.suppress(FileNotFoundError):
                times[name] = self._system.modified(self._full_path(name))
        return times

    @override
    def get(self, name: str) -> bytes:
        return bytes(self._system.cat_file(self._full_path(name)))

    @override
    def put(self, name: str, content: bytes) -> None:
        if self._atomic:
            self._system.pipe_file(self._full_path(name), content)
            return
        folder, _, last = self._full_path(name).rpartition("/")
        temporary = f"{folder}/.{last}.tmp"
        self._system.makedirs(folder, exist_ok=True)
        self._system.pipe_file(temporary, content)
        self._system.mv(temporary, f"{folder}/{last}")

    @override
    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._system.rm_file(self._full_path(name))

    def _name(self, path: str) -> str:
        return path.strip("/").removeprefix(self._path.strip("/")).lstrip("/")

    def _full_path(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path


def open_fsspec(location: Location) -> FsspecStore:
    """Open a folder.

    Raises:
        StoreError: fsspec or the package for this kind of store is not installed, or there is no such kind.
    """
    system, path = fsspec_system(location)
    return FsspecStore(system, path, atomic=protocol_of(location) in ATOMIC)
