"""The protocols of storage: `Storage` serves a study's folder; an `ObjectStore` serves a remote storage."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Storage(Protocol):
    """Files below one folder, by their names with slashes. Files whose own name begins with a dot are never listed.

    A reader sees a file whole, as it was before a write or after it. Every error is a StoreError that names the file,
    with two exceptions: FileNotFoundError where a file is missing, and OSError where a local one cannot be read.
    """

    def lock(self, folders: Collection[str]) -> None:
        """Become the only writer, and make these folders where the storage has folders.

        Raises:
            StoreError: Another process writes, or nothing can be written.
        """

    def require_writable(self) -> None:
        """Find out whether `lock` would work, as far as that can be seen without writing anything.

        Raises:
            StoreError: It would not.
        """

    def release(self) -> None:
        """Let other processes write."""

    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted; none where there is no such folder."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def read(self, name: str) -> bytes:
        """Return a file's content."""

    def read_all(self, names: Sequence[str]) -> list[bytes]:
        """Return the contents of files, many at a time where that is faster."""
        return [self.read(name) for name in names]

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or replace an older one."""

    def remove(self, names: Collection[str]) -> None:
        """Remove files, if there."""

    def clear(self, folders: Collection[str], others: Collection[str]) -> None:
        """Empty these folders, which stay; after that remove these other files and folders with their content."""

    def make_parents(self, names: Collection[str]) -> None:
        """Make the folders that files of these names lie in."""


@runtime_checkable
class ObjectStore(Protocol):
    """Objects below one folder of a store.

    Errors are those of the package behind it, except for FileNotFoundError where an object is missing.
    """

    def names(self, folder: str, *, recursive: bool = False) -> list[str]:
        """Return the names of the objects in a folder; none where there is no such folder."""

    def times(self, folder: str) -> dict[str, dt.datetime]:
        """Return the objects in a folder with the times at which they were written, by the store's own clock."""

    def get(self, name: str) -> bytes:
        """Return an object's content."""

    def put(self, name: str, content: bytes) -> None:
        """Write an object, or replace an older one: a reader sees all of it or nothing."""

    def delete(self, name: str) -> None:
        """Remove an object, if there."""

    def has_bucket(self) -> bool:
        """Return False where the bucket is missing, unless other requests raise an error then."""
        return True
