"""A folder in an object store."""

import functools
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, TypeVar

from typing_extensions import override

from alray.errors import StoreError
from alray.storage.lease import FOLDER, Lease, LeaseTimes
from alray.storage.location import Location
from alray.storage.protocols import Objects, Storage
from alray.storage.retrying import PAUSES, patiently

Result = TypeVar("Result")


class RemoteStorage(Storage):
    """Objects below one prefix. Against a second writer it is locked by a lease.

    Attributes:
        times: Seconds of the lease.
        pauses: Seconds between attempts of a request.
        requests: Requests at a time where many files are read or removed.
    """

    times: ClassVar[LeaseTimes] = LeaseTimes()
    pauses: ClassVar[tuple[float, ...]] = PAUSES
    requests: ClassVar[int] = 16

    def __init__(
        self,
        location: Location,
        open_objects: Callable[[Location], Objects],
    ) -> None:
        self._location = location
        self._open = open_objects
        self._lease: Lease | None = None

    @functools.cached_property
    def _objects(self) -> Objects:
        return patiently(lambda: self._open(self._location), self._location, "opened", self.pauses)

    @override
    def lock(self, folders: Collection[str]) -> None:
        lease = Lease(self._objects, self._location, self.times, self.pauses)
        lease.acquire()
        self._lease = lease

    @override
    def release(self) -> None:
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    @override
    def names(self, folder: str) -> list[str]:
        paths = self._do("", "listed", lambda: self._objects.names(folder))
        names = (path.rpartition("/")[2] for path in paths)
        return sorted(name for name in names if not name.startswith("."))

    @override
    def exists(self, name: str) -> bool:
        folder, _, last = name.rpartition("/")
        if last in self.names(folder):
            return True
        # PyArrow lists what is not there as empty, even where there is no bucket.
        if not self._do("", "read", self._objects.has_bucket):
            raise StoreError(f"{self._location} cannot be read: there is no such bucket")
        return False

    @override
    def read(self, name: str) -> bytes:
        return self._do(name, "read", lambda: self._objects.get(name))

    @override
    def read_all(self, names: Sequence[str]) -> list[bytes]:
        return self._at_once(self.read, names)

    @override
    def write(self, name: str, content: bytes) -> None:
        if self._lease is not None:
            self._lease.check()
        self._do(name, "written", lambda: self._objects.put(name, content))

    @override
    def remove(self, names: Collection[str]) -> None:
        if self._lease is not None:
            self._lease.check()
        self._at_once(self._remove, list(names))

    @override
    def clear(self, folders: Collection[str], others: Collection[str]) -> None:
        kept = self._do("", "listed", lambda: self._objects.names("", recursive=True))
        ours = {*folders, *others} - {FOLDER}
        self.remove([name for name in kept if name.partition("/")[0] in ours])

    @override
    def make_parents(self, names: Collection[str]) -> None:
        """Do nothing: an object store has no folders."""

    def _remove(self, name: str) -> None:
        self._do(name, "removed", lambda: self._objects.delete(name))

    def _at_once(self, act: Callable[[str], Result], names: Sequence[str]) -> list[Result]:
        if len(names) < 2:
            return [act(name) for name in names]
        with ThreadPoolExecutor(self.requests) as pool:
            futures = [pool.submit(act, name) for name in names]
            try:
                return [future.result() for future in futures]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _do(self, name: str, doing: str, act: Callable[[], Result]) -> Result:
        at = self._location / name if name else self._location
        return patiently(act, at, doing, self.pauses)
