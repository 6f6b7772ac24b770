"""A storage whose files are the objects below one prefix of an object store, and the choice between it and a folder."""

import functools
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from alray.errors import StoreError
from alray.settings.location import Location, StudyPath
from alray.storage.lease import FOLDER, Lease, LeaseTimes
from alray.storage.local import LocalStorage
from alray.storage.protocols import ObjectStore, Storage
from alray.storage.retrying import PAUSES, Result, with_retries


class RemoteStorage(Storage):
    """Objects below one prefix, locked against a second writer by a lease.

    Attributes:
        pauses: Seconds between attempts of a request.
        requests: Most requests at a time, where many files are read or removed.
    """

    times: ClassVar[LeaseTimes] = LeaseTimes()
    pauses: ClassVar[tuple[float, ...]] = PAUSES
    requests: ClassVar[int] = 16

    def __init__(self, location: Location) -> None:
        self._location = location
        self._lease: Lease | None = None

    @functools.cached_property
    def _store(self) -> ObjectStore:
        return self._request("", "opened", lambda: _open_store(self._location))

    @override
    def lock(self, folders: Collection[str]) -> None:
        lease = Lease(self._store, self._location, self.times, self.pauses)
        lease.acquire()
        self._lease = lease

    @override
    def require_writable(self) -> None:
        """Refuse a store that does not answer, or has no such bucket: who may write it shows when it is written."""
        self.exists("study.yaml")

    @override
    def release(self) -> None:
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    @override
    def names(self, folder: str) -> list[str]:
        paths = self._request("", "listed", lambda: self._store.names(folder))
        names = (path.rpartition("/")[2] for path in paths)
        return sorted(name for name in names if not name.startswith("."))

    @override
    def exists(self, name: str) -> bool:
        folder, _, last = name.rpartition("/")
        if last in self.names(folder):
            return True
        # PyArrow lists a missing folder as empty, even where the bucket is missing.
        if not self._request("", "read", self._store.has_bucket):
            raise StoreError(f"{self._location} cannot be read: there is no such bucket")
        return False

    @override
    def read(self, name: str) -> bytes:
        return self._request(name, "read", lambda: self._store.get(name))

    @override
    def read_all(self, names: Sequence[str]) -> list[bytes]:
        return self._in_parallel(self.read, names)

    @override
    def write(self, name: str, content: bytes) -> None:
        if self._lease is not None:
            self._lease.check()
        self._request(name, "written", lambda: self._store.put(name, content))

    @override
    def remove(self, names: Collection[str]) -> None:
        if self._lease is not None:
            self._lease.check()
        self._in_parallel(self._remove, list(names))

    @override
    def clear(self, folders: Collection[str], others: Collection[str]) -> None:
        names = self._request("", "listed", lambda: self._store.names("", recursive=True))
        # Requests of one removal end in any order: what says whose records these are goes after all of them.
        for part in (frozenset(folders), frozenset(others).difference(folders)):
            removed = part - {FOLDER}
            self.remove([name for name in names if name.partition("/")[0] in removed])

    @override
    def make_parents(self, names: Collection[str]) -> None:
        """Do nothing: an object store has no folders."""

    def _remove(self, name: str) -> None:
        self._request(name, "removed", lambda: self._store.delete(name))

    def _in_parallel(self, act: Callable[[str], Result], names: Sequence[str]) -> list[Result]:
        if len(names) < 2:
            return [act(name) for name in names]
        with ThreadPoolExecutor(self.requests) as pool:
            futures = [pool.submit(act, name) for name in names]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _request(self, name: str, verb: str, act: Callable[[], Result]) -> Result:
        location = self._location / name if name else self._location
        return with_retries(act, location, verb, self.pauses)


def open_storage(folder: StudyPath) -> Storage:
    """Return the storage of a folder, a local path or a location; no request is made yet."""
    return LocalStorage(folder) if isinstance(folder, Path) else RemoteStorage(folder)


def _open_store(location: Location) -> ObjectStore:
    # These imports take a second, which a local folder does not need.
    from alray.remote.arrow_system import SCHEMES  # noqa: PLC0415
    from alray.storage.arrow import open_arrow  # noqa: PLC0415
    from alray.storage.fsspec_store import open_fsspec  # noqa: PLC0415

    return open_arrow(location) if location.scheme in SCHEMES else open_fsspec(location)
