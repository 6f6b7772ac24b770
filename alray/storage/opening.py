"""Which storage a place is opened as."""

from pathlib import Path

from alray.storage.local import LocalStorage
from alray.storage.location import Location, Place
from alray.storage.object_store import RemoteStorage
from alray.storage.protocols import Objects, Storage


def open_storage(place: Place) -> Storage:
    """Return the storage of a folder; nothing is asked of it yet.

    Args:
        place: The folder.
    """
    return LocalStorage(place) if isinstance(place, Path) else RemoteStorage(place, _objects)


def _objects(location: Location) -> Objects:
    # A second of imports that a local folder need not pay.
    from alray.storage.arrow import SCHEMES, open_arrow  # noqa: PLC0415
    from alray.storage.fsspec_store import open_fsspec  # noqa: PLC0415

    return open_arrow(location) if location.scheme in SCHEMES else open_fsspec(location)
