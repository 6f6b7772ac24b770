"""Object stores through PyArrow: S3 and compatible stores, Google Cloud Storage, Azure."""

import contextlib
import datetime as dt

from pyarrow import fs
from typing_extensions import override

from alray.remote.arrow_system import arrow_system
from alray.settings.location import Location
from alray.storage.protocols import ObjectStore

_SMALL = 2**22
"""Bytes below which content always fits into one request."""


class ArrowStore(ObjectStore):
    """Objects in a folder of a file system of PyArrow; a `put` into an object store is atomic.

    `for_small` is the same system, set to send a small object in one request instead of three.
    """

    def __init__(
        self, system: fs.FileSystem, path: str, for_small: fs.FileSystem | None = None
    ) -> None:
        self._system = system
        self._for_small = for_small or system
        self._path = path.rstrip("/")

    @override
    def names(self, folder: str, *, recursive: bool = False) -> list[str]:
        return [self._name(info) for info in self._files(folder, recursive=recursive)]

    @override
    def times(self, folder: str) -> dict[str, dt.datetime]:
        return {self._name(info): info.mtime for info in self._files(folder)}

    @override
    def get(self, name: str) -> bytes:
        # As a file: a stream is read in many small requests.
        with self._system.open_input_file(self._full_path(name)) as file:
            content: bytes = file.read()
        return content

    @override
    def put(self, name: str, content: bytes) -> None:
        """Write an object.

        PyArrow completes an upload when its stream is closed, even if an error has left the content incomplete. So the
        content is complete before a stream is opened, and is written into it in one piece; where a part of it cannot be
        sent, closing fails too, and the older object stays. A stream that could not be closed tries once more when it
        is deleted: that must be now, since later another process may be writing. A file system that is set for small
        objects would then send the rest of a large one as if it were the whole.
        """
        system = self._for_small if len(content) < _SMALL else self._system
        stream = system.open_output_stream(self._full_path(name))
        try:
            stream.write(content)
            stream.close()
        finally:
            del stream

    @override
    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._system.delete_file(self._full_path(name))

    @override
    def has_bucket(self) -> bool:
        bucket = self._path.partition("/")[0]
        return bool(self._system.get_file_info(bucket).type != fs.FileType.NotFound)

    def _files(self, folder: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        selector = fs.FileSelector(
            self._full_path(folder), allow_not_found=True, recursive=recursive
        )
        found = self._system.get_file_info(selector)
        return [info for info in found if info.type == fs.FileType.File]

    def _name(self, info: fs.FileInfo) -> str:
        return str(info.path).removeprefix(self._path).lstrip("/")

    def _full_path(self, name: str) -> str:
        return f"{self._path}/{name}" if name else self._path


def open_arrow(location: Location) -> ArrowStore:
    """Open a folder.

    Raises:
        SpecError: The URI has an unknown option.
    """
    small = arrow_system(location, for_small=True)[0] if location.scheme == "s3" else None
    return ArrowStore(*arrow_system(location), small)
