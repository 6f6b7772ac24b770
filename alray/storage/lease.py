"""The lock of a study in an object store: a lease that its holder renews, and that others take over when it does not.

An object store has no locks, but its listing is consistent: a list that is requested after a write has ended shows the
written object. So each process that wants to write puts an object with a unique name, `.lock/<token>.candidate`, and
then lists `.lock/`. Of two processes that do so at the same moment, the one whose object was written later sees the
object of the other. Both may see each other, but it is impossible that neither sees the other. A process that sees
another one withdraws and, after a pause of random length, tries again. A process that sees none puts
`.lock/<token>.holder` beside its first object, and lists once more before it goes on. Thus at most one process goes on,
however long the requests take. Conditional writes are not needed; PyArrow does not offer them.

A lease is stale when its object has not been written again for `expiry` seconds. Both times are the store's: the time
of the lease's object, and the time of the object that the asking process has just put. The clocks of machines are not
used. A lease that is not stale may belong to a process that has just been killed. So it is watched until it is renewed
(then the study is being written, and the second process is refused) or stale (then its object is removed and the lease
taken over).

A holder that slept or had no network for longer than `expiry` finds another holder in the list when it renews, and has
lost the lease for good. The new holder knows the old one's token and ignores its objects. Each write starts within half
of `expiry` after the beginning of the last successful renewal, or after another renewal. One case remains: a write that
starts in time and arrives later than the other half of `expiry`. Its file is whole even then, and a later write of the
new holder replaces it.
"""

import contextlib
import datetime as dt
import functools
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from alray.errors import StoreError
from alray.settings.location import Location
from alray.storage.protocols import ObjectStore
from alray.storage.retrying import Result, with_retries

_logger = logging.getLogger(__name__)

FOLDER = ".lock"
_CANDIDATE, _HOLDER = ".candidate", ".holder"


@dataclass(frozen=True)
class LeaseTimes:
    """Times of a lease in seconds.

    Attributes:
        renewal: Time between renewals.
        expiry: Time after which a lease that was not renewed is stale.
        pause: Longest pause before `.lock/` is listed again.
    """

    renewal: float = 15.0
    expiry: float = 60.0
    pause: float = 3.0


@dataclass(frozen=True)
class _Rival:
    """Another process: the time and the age in seconds of its last object, and whether it holds the lease."""

    token: str
    written: dt.datetime
    age: float
    holds: bool


class Lease:
    """The lease of one folder: of its store, and its location for messages. `pauses` are seconds between attempts."""

    def __init__(
        self,
        store: ObjectStore,
        location: Location,
        times: LeaseTimes,
        pauses: tuple[float, ...],
    ) -> None:
        self._store = store
        self._location = location
        self._times = times
        self._pauses = pauses
        self._token = secrets.token_hex(8)
        self._taken_over: set[str] = set()
        self._renewed = _now()
        self._lost = False
        self._renewing = threading.Lock()
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._renew_often, name="lease", daemon=True)

    def acquire(self) -> None:
        """Become the holder.

        Raises:
            StoreError: Another process is, or the store cannot be written to.
        """
        try:
            self._compete()
        except BaseException:
            self._remove()
            raise
        self._thread.start()

    def check(self) -> None:
        """Make sure, before a write, that the lease is still held.

        Raises:
            StoreError: It is lost, or the store does not answer.
        """
        if self._lost or _seconds_since(self._renewed) > self._times.expiry / 2:
            self._renew(self._pauses)

    def release(self) -> None:
        """Let other processes write."""
        self._released.set()
        if self._thread.is_alive():
            self._thread.join()
        self._remove()

    # Becoming the holder

    def _compete(self) -> None:
        seen: dict[str, dt.datetime] = {}
        begun = time.monotonic()
        while True:
            rivals = self._find_rivals()
            alive = [rival for rival in rivals if rival.age <= self._times.expiry]
            if not alive and self._take_lease(rivals):
                return
            self._remove()
            for rival in alive:
                # Since the last list it has renewed its lease, or has become the holder.
                if rival.holds and rival.written > seen.get(rival.token, rival.written):
                    raise self._refusal(rival)
            if alive and time.monotonic() - begun > self._times.expiry + 2 * self._times.renewal:
                raise self._refusal(alive[0])
            if alive and not seen and alive[0].holds:
                _logger.warning(
                    "%s was being written by %s %.0f s ago: waiting to see whether it still is",
                    self._location,
                    self._who(alive[0].token),
                    alive[0].age,
                )
            seen = {rival.token: rival.written for rival in alive} | seen
            time.sleep(secrets.SystemRandom().uniform(0.2, 1.0) * self._times.pause)

    def _find_rivals(self) -> list[_Rival]:
        """Put the own candidate, and return the other processes that have put objects."""
        self._put(_CANDIDATE, self._pauses)
        times = self._listed(self._pauses)
        own = _name(self._token, _CANDIDATE)
        if own not in times:
            raise StoreError(
                f"{self._location} does not list an object that has just been written there, or not its time: a study "
                "cannot be locked against a second writer; choose another --results"
            )
        now = times[own]
        found: dict[str, _Rival] = {}
        for name, written in times.items():
            token, _, kind = name.removeprefix(f"{FOLDER}/").partition(".")
            before = found.get(token)
            latest = written if before is None else max(written, before.written)
            holds = f".{kind}" == _HOLDER or (before is not None and before.holds)
            found[token] = _Rival(token, latest, (now - latest).total_seconds(), holds)
        return [rival for token, rival in found.items() if token != self._token]

    def _take_lease(self, stale: list[_Rival]) -> bool:
        """Take the lease, also from holders that do not renew it; return False if another process was faster."""
        for rival in stale:
            if rival.holds:
                _logger.warning(
                    "%s was being written by %s, which has not renewed its lease for %.0f s: going on instead of it",
                    self._location,
                    self._who(rival.token),
                    rival.age,
                )
            self._taken_over.add(rival.token)
            for kind in (_CANDIDATE, _HOLDER):
                delete = functools.partial(self._store.delete, _name(rival.token, kind))
                self._request(delete, self._pauses)
        try:
            self._renew(self._pauses)
        except _LostError:
            self._lost = False
            return False
        return True

    def _refusal(self, rival: _Rival) -> StoreError:
        return StoreError(
            f"{self._location} is being written by another alray ({self._who(rival.token)}); wait for it, or choose "
            "another --name"
        )

    # Staying the holder

    def _renew_often(self) -> None:
        while not self._released.wait(self._times.renewal):
            # A network that fails now may be back at the next renewal; if not, the next write reports it.
            with contextlib.suppress(StoreError):
                self._renew(())

    def _renew(self, pauses: tuple[float, ...]) -> None:
        with self._renewing:
            begun = _now()
            if not self._lost:
                self._put(_HOLDER, pauses)
                times = self._listed(pauses)
                own = _name(self._token, _HOLDER)
                holders = {name for name in times if name.endswith(_HOLDER)}
                ignored = {_name(token, _HOLDER) for token in self._taken_over}
                self._lost = holders - ignored != {own}
            if self._lost:
                self._remove()
                raise _LostError(
                    f"{self._location} has been taken over by another alray, because this one did not renew its lock "
                    f"for more than {self._times.expiry:g} s; everything written before stays valid, and this one "
                    "writes nothing more"
                )
            self._renewed = begun

    # Requests

    def _put(self, kind: str, pauses: tuple[float, ...]) -> None:
        holder = {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "token": self._token,
            "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }
        content = json.dumps(holder).encode()
        self._request(lambda: self._store.put(_name(self._token, kind), content), pauses)

    def _listed(self, pauses: tuple[float, ...]) -> dict[str, dt.datetime]:
        return self._request(lambda: self._store.times(FOLDER), pauses)

    def _request(self, act: Callable[[], Result], pauses: tuple[float, ...]) -> Result:
        return with_retries(act, self._location, "written", pauses)

    def _remove(self) -> None:
        """Remove the own objects, as far as possible: those that stay become stale."""
        for kind in (_HOLDER, _CANDIDATE):
            with contextlib.suppress(Exception):
                self._store.delete(_name(self._token, kind))

    def _who(self, token: str) -> str:
        try:
            holder = json.loads(self._store.get(_name(token, _HOLDER)))
            return f"{holder['host']}, process {holder['process']}"
        except Exception:  # noqa: BLE001 -- the object may be removed by now, and the message can do without it
            return "another process"


class _LostError(StoreError):
    """Another process holds the lease."""


def _name(token: str, kind: str) -> str:
    return f"{FOLDER}/{token}{kind}"


def _now() -> tuple[float, float]:
    """Return the time by two clocks: one counts while a machine sleeps, the other shows that a machine was frozen."""
    counts_sleep = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(counts_sleep), time.time()


def _seconds_since(before: tuple[float, float]) -> float:
    return max(now - then for now, then in zip(_now(), before, strict=True))
