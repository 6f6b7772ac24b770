"""What a remote folder needs of an object store: few requests, each of which happens as a whole or not at all."""

import datetime as dt
from typing import Protocol, runtime_checkable


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
