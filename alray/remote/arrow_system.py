"""File systems of PyArrow by their addresses: S3 and compatible stores, Google Cloud Storage, Azure."""

import datetime as dt
import os
from typing import Any
from urllib.parse import parse_qsl, unquote

from pyarrow import fs

from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.location import Location

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss")


def arrow_system(location: Location, *, for_small: bool = False) -> tuple[fs.FileSystem, str]:
    """Return the file system of a location, and the path in it; `for_small` sends a small object in one request.

    Raises:
        SpecError: The URI has an unknown option.
    """
    if location.scheme == "s3":
        options = _s3_options(location)
        more = {"allow_delayed_open": True} if for_small else {}
        return fs.S3FileSystem(**options, **more), location.bucket_path
    if location.scheme in {"gs", "gcs"}:
        return _google(location), location.bucket_path
    system, path = fs.FileSystem.from_uri(location.uri)
    return system, path


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
