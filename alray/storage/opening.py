"""Open the storage of a local folder or of one in an object store."""

from pathlib import Path

from alray.storage.local import LocalStorage
from alray.storage.location import Location, StudyPath
from alray.storage.object_store import RemoteStorage
from alray.storage.protocols import ObjectStore, Storage


def open_storage(folder: StudyPath) -> Storage:
    """Return the storage of a folder, a local path or a location; no request is made yet."""
    if isinstance(folder, Path):
        return LocalStorage(folder)
    return RemoteStorage(folder, _open_store)


def _open_store(location: Location) -> ObjectStore:
    # These imports take a second, which a local folder does not need.
    from alray.storage.arrow import SCHEMES, open_arrow  # noqa: PLC0415
    from alray.storage.fsspec_store import open_fsspec  # noqa: PLC0415

    return open_arrow(location) if location.scheme in SCHEMES else open_fsspec(location)
