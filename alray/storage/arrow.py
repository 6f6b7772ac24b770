"""Object stores through PyArrow: S3 and compatible stores, Google Cloud Storage, Azure."""

import contextlib
import datetime as dt
import os
from typing import Any
from urllib.parse import parse_qsl, unquote

from pyarrow import fs
from typing_extensions import override

from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.storage.location import Location
from alray.storage.protocols import ObjectStore

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss")

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
    if location.scheme == "s3":
        options = _s3_options(location)
        small = fs.S3FileSystem(**options, allow_delayed_open=True)
        return ArrowStore(fs.S3FileSystem(**options), location.bucket_path, small)
    if location.scheme in {"gs", "gcs"}:
        return ArrowStore(_google(location), location.bucket_path)
    system, path = fs.FileSystem.from_uri(location.uri)
    return ArrowStore(system, path)


def _s3_options(location: Location) -> dict[str, Any]:
    options = _query(location, ("region", "scheme", "endpoint_override", "anonymous"))
    # Other tools for S3 read the address from the environment too; PyArrow reads it from the URI alone.
    address = options.get("endpoint_override") or _first_set(
        "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"
    )
    region = options.get("region") or _first_set("AWS_REGION", "AWS_DEFAULT_REGION")
    if address:
        options["endpoint_override"] = address
    if "://" in address:
        options["scheme"], _, options["endpoint_override"] = address.partition("://")
    if options.pop("anonymous", "") == "true":
        options["anonymous"] = True
    if location.user:
        key, _, secret = location.user.partition(":")
        options["access_key"], options["secret_key"] = unquote(key), unquote(secret)
    if not address and not region:
        options["region"] = fs.resolve_s3_region(location.bucket_path.partition("/")[0])
    return {
        **options,
        "connect_timeout": 5.0,
        "request_timeout": 30.0,
        # The caller pauses between attempts, equally for all stores.
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=2),
    }


def _first_set(*names: str) -> str:
    """Return the first of these environment variables that is set, empty if none is."""
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _google(location: Location) -> fs.FileSystem:
    options = _query(location, ("scheme", "endpoint_override"))
    if location.user == "anonymous":
        options["anonymous"] = True
    # Its default limit is fifteen minutes, in which no error would be shown.
    return fs.GcsFileSystem(**options, retry_time_limit=dt.timedelta(seconds=10))


def _query(location: Location, known: tuple[str, ...]) -> dict[str, Any]:
    options: dict[str, Any] = dict(parse_qsl(location.query))
    for name in options:
        if name not in known:
            raise SpecError(f"{location}: {unknown_name('option', name, list(known))}")
    return options
