"""A storage in a folder of this machine, or of a disk that machines share."""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from typing_extensions import override

from alray.errors import StoreError
from alray.storage.protocols import Storage


class LocalStorage(Storage):
    """Files in a folder. The lock is the operating system's: it ends with its process, also when that is killed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: BinaryIO | None = None

    @override
    def lock(self, folders: Collection[str]) -> None:
        try:
            for name in folders:
                (self._root / name).mkdir(parents=True, exist_ok=True)
            lock = (self._root / ".lock").open("wb")
        except OSError as error:
            raise _not_writable(self._root, error.strerror) from error
        self._lock_file(lock)
        self._lock = lock
        for leftover in self._root.rglob(".*.tmp"):
            leftover.unlink(missing_ok=True)

    @override
    def require_writable(self) -> None:
        lock = self._root / ".lock"
        try:
            folder = next(each for each in (self._root, *self._root.parents) if each.exists())
            if not folder.is_dir():
                raise _not_writable(self._root, f"{folder} is a file")
            if not os.access(folder, os.W_OK | os.X_OK):
                raise _not_writable(self._root, f"{folder} cannot be written")
            if lock.is_file():
                with lock.open("rb") as file:
                    self._lock_file(file)
        except OSError as error:
            raise _not_writable(self._root, error.strerror) from error

    def _lock_file(self, lock: BinaryIO) -> None:
        """Lock an open file until it is closed; close it where that fails."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise StoreError(
                f"{self._root} is being written by another alray; wait for it, or choose another --name"
            ) from None
        except OSError as error:
            lock.close()
            raise StoreError(
                f"{self._root} cannot be locked against a second writer: {error.strerror}; "
                "choose --results on a file system with locks"
            ) from error

    @override
    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()

    @override
    def names(self, folder: str) -> list[str]:
        # Folders hold files alone; a check of each entry takes long where there are thousands.
        return sorted(path.name for path in (self._root / folder).glob("[!.]*"))

    @override
    def exists(self, name: str) -> bool:
        return (self._root / name).is_file()

    @override
    def read(self, name: str) -> bytes:
        return (self._root / name).read_bytes()

    @override
    def write(self, name: str, content: bytes) -> None:
        """Write a file under a temporary name, flush it to the disk, and rename it."""
        path = self._root / name
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise StoreError(
                f"cannot write {path}: {error.strerror or error}; everything written before stays valid: "
                f"{_remedy(error)} or choose another --results, and run the same command again"
            ) from error

    @override
    def remove(self, names: Collection[str]) -> None:
        for name in names:
            (self._root / name).unlink(missing_ok=True)

    @override
    def clear(self, folders: Collection[str], others: Collection[str]) -> None:
        for name in (*folders, *others):
            path = self._root / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        for name in folders:
            (self._root / name).mkdir(exist_ok=True)

    @override
    def make_parents(self, names: Collection[str]) -> None:
        try:
            for name in names:
                (self._root / name).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot write to {self._root}: {error.strerror}; choose another --out"
            ) from error


def _not_writable(folder: Path, reason: str | None) -> StoreError:
    return StoreError(f"cannot write to {folder}: {reason}; choose another --results")


def _remedy(error: OSError) -> str:
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "make it writable"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free disk space"
    return "check the disk"
