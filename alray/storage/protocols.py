"""What a study's folder asks of the place that it lies in."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Storage(Protocol):
    """Files below one folder, by their names with slashes. Files whose own name begins with a dot are never listed.

    A reader sees a file whole, as it was before a write or after it. Everything that goes wrong is a StoreError that
    names the place; only a file that is not there is a FileNotFoundError, and a local one that cannot be read an OSError.
    """

    def lock(self, folders: Collection[str]) -> None:
        """Become the one writer, and make these folders where the place has any.

        Raises:
            StoreError: Another one writes, or nothing can be written there.
        """

    def release(self) -> None:
        """Let others write."""

    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in a folder, sorted; none where there is no such folder."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def read(self, name: str) -> bytes:
        """Return a file's content."""

    def read_all(self, names: Sequence[str]) -> list[bytes]:
        """Return the contents of files, many at a time where that is faster."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or put it in the place of an older one."""

    def remove(self, names: Collection[str]) -> None:
        """Remove files, if there."""

    def clear(self, folders: Collection[str], others: Collection[str]) -> None:
        """Remove these folders and these files or folders with all that is in them; the former stay as empty ones."""

    def make_parents(self, names: Collection[str]) -> None:
        """Make the folders in which files of these names lie."""


@runtime_checkable
class Objects(Protocol):
    """Objects below one folder. Errors are those of the package behind it, but FileNotFoundError where nothing is there."""

    def names(self, folder: str, *, recursive: bool = False) -> list[str]:
        """Return the names of the objects in a folder; none where there is no such folder."""

    def times(self, folder: str) -> dict[str, dt.datetime]:
        """Return the objects in a folder with the times at which they were written, by the store's own clock."""

    def get(self, name: str) -> bytes:
        """Return an object's content."""

    def put(self, name: str, content: bytes) -> None:
        """Write an object, or put it in the place of an older one: a reader sees all of it or nothing."""

    def delete(self, name: str) -> None:
        """Remove an object, if there."""

    def has_bucket(self) -> bool:
        """Whether there is what the folder lies in."""
