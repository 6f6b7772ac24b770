"""Open the storage of a local folder or of one in an object store."""

from collections.abc import Callable
from pathlib import Path

from alray.storage.local import LocalStorage
from alray.storage.location import Location, StudyPath
from alray.storage.object_store import RemoteStorage
from alray.storage.protocols import ObjectStore, Storage


def open_storage(folder: StudyPath, warn: Callable[[str], None]) -> Storage:
    """Return the storage of a folder; no request is made yet.

    Args:
        folder: A local path, or a location.
        warn: Told, a line each, what people should know.
    """
    if isinstance(folder, Path):
        return LocalStorage(folder)
    return RemoteStorage(folder, _open_store, warn)


def _open_store(location: Location) -> ObjectStore:
    # These imports take a second, which a local folder does not need.
    from alray.storage.arrow import SCHEMES, open_arrow  # noqa: PLC0415
    from alray.storage.fsspec_store import open_fsspec  # noqa: PLC0415

    return open_arrow(location) if location.scheme in SCHEMES else open_fsspec(location)
