"""File systems of the fsspec family by their addresses."""

from typing import Any

from alray.errors import StoreError
from alray.settings.base import unknown_name
from alray.settings.location import Location


def protocol_of(location: Location) -> str:
    """Return the last of the chained protocols of a location's scheme."""
    return location.scheme.rpartition("::")[2]


def fsspec_system(location: Location) -> tuple[Any, str]:
    """Return the file system of a location, and the path in it.

    Raises:
        StoreError: fsspec or the package for this kind of store is not installed, or there is no such kind.
    """
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 -- may not be installed
        from fsspec.registry import known_implementations  # noqa: PLC0415 -- as above
    except ImportError as error:
        raise StoreError(
            f"{location} needs the package fsspec, and the package of its family for {location.scheme}: "
            "pip install fsspec"
        ) from error
    protocol = protocol_of(location)
    try:
        system, path = url_to_fs(location.uri, use_listings_cache=False)
    except ImportError as error:
        reason = known_implementations.get(protocol, {}).get("err") or str(error)
        raise StoreError(f"{location} needs a package that is not installed: {reason}") from error
    except ValueError as error:
        if protocol in known_implementations:
            raise
        valid = sorted({"s3", "gs", "file", *known_implementations})
        raise StoreError(
            f"{location}: {unknown_name('kind of store', protocol, valid)}"
        ) from error
    return system, path
