"""The lock of a study in an object store: a lease that its holder renews, and that others take over when it does not.

An object store has no locks, but listing is consistent: who lists after a write has ended sees what was written. So each
alray that wants to write puts an object of its own, `.lock/<token>.candidate`, and then lists `.lock/`. Of two that do so
at the same moment the one whose object came later sees the other's: they may both see each other, but never can both see
nothing. Whoever sees another one withdraws and, after a pause of random length, tries again; whoever sees none puts
`.lock/<token>.holder` beside the first object, and lists once more before it goes on. Thus at most one goes on, whatever
the times of the requests are, and no conditional writes are needed, which PyArrow does not offer.

A lease is stale when its object has not been written again for `expiry` seconds. Both times are the store's: that of the
lease, and that of the object that the asking one has just put; clocks of machines play no part. A fresh lease may be that
of a process that has just been killed: so it is watched until it is renewed (then the study is being written, and the
second alray is refused) or stale (then its object is removed and the lease taken over).

A holder that slept, or had no network, longer than `expiry` finds another holder in the list when it renews, and has lost
the lease for good; the one that took over knows the token of the other and does not mind it. No write starts later than
half of `expiry` after the beginning of the last renewal that went well, without another one first. What remains is a
write that starts in time and arrives later than the other half of `expiry`: the file is whole even then, and one that a
later write of the new holder replaces.
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
from alray.storage.location import Location
from alray.storage.protocols import Objects
from alray.storage.retrying import PAUSES, patiently

_logger = logging.getLogger(__name__)

FOLDER = ".lock"
_CANDIDATE, _HOLDER = ".candidate", ".holder"


@dataclass(frozen=True)
class LeaseTimes:
    """Seconds.

    Attributes:
        renewal: Between renewals.
        expiry: After which a lease that was not renewed is stale.
        pause: Longest pause before another look at `.lock/`.
    """

    renewal: float = 15.0
    expiry: float = 60.0
    pause: float = 3.0


@dataclass(frozen=True)
class _Rival:
    """What another alray has put: when it did so last, how long that is ago, and whether it holds the lease."""

    token: str
    written: dt.datetime
    age: float
    holds: bool


class Lease:
    """The lease of one folder.

    Args:
        objects: The folder.
        location: The same, for messages.
        times: Seconds.
        pauses: Seconds between attempts of a request.
    """

    def __init__(
        self,
        objects: Objects,
        location: Location,
        times: LeaseTimes,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._objects = objects
        self._location = location
        self._times = times
        self._pauses = pauses
        self._token = secrets.token_hex(8)
        self._taken: set[str] = set()
        self._renewed = _clocks()
        self._lost = False
        self._renewing = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def acquire(self) -> None:
        """Become the holder.

        Raises:
            StoreError: Another one is, or the store cannot be written to.
        """
        try:
            self._contend()
        except BaseException:
            self._remove()
            raise
        self._thread.start()

    def check(self) -> None:
        """Make sure, before a write, that the lease is still held.

        Raises:
            StoreError: It is not, or nobody can tell.
        """
        if self._lost or _since(self._renewed) > self._times.expiry / 2:
            self._renew(self._pauses)

    def release(self) -> None:
        """Let others write."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        self._remove()

    # Becoming the holder

    def _contend(self) -> None:
        seen: dict[str, dt.datetime] = {}
        begun = time.monotonic()
        while True:
            rivals = self._look()
            alive = [rival for rival in rivals if rival.age <= self._times.expiry]
            if not alive and self._take(rivals):
                return
            self._remove()
            for rival in alive:
                # Renewed before our eyes, or won against us just now.
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

    def _look(self) -> list[_Rival]:
        """Show up, and return who else has."""
        self._put(_CANDIDATE)
        times = self._listed()
        own = f"{FOLDER}/{self._token}{_CANDIDATE}"
        if own not in times:
            raise StoreError(
                f"{self._location} does not list what has just been written there, or not its time: a study cannot be "
                "locked against a second writer; choose another --results"
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

    def _take(self, stale: list[_Rival]) -> bool:
        """Take the lease, over from those who do not renew it; return whether nobody has been faster."""
        for rival in stale:
            if rival.holds:
                _logger.warning(
                    "%s was being written by %s, which has not renewed its lease for %.0f s: going on instead of it",
                    self._location,
                    self._who(rival.token),
                    rival.age,
                )
            self._taken.add(rival.token)
            for kind in (_CANDIDATE, _HOLDER):
                self._do(functools.partial(self._objects.delete, _name(rival.token, kind)))
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

    def _keep(self) -> None:
        while not self._over.wait(self._times.renewal):
            # Where the network fails now it may be back at the next renewal; a write finds out if it is not.
            with contextlib.suppress(StoreError):
                self._renew(())

    def _renew(self, pauses: tuple[float, ...]) -> None:
        with self._renewing:
            begun = _clocks()
            if not self._lost:
                self._put(_HOLDER, pauses)
                times = self._listed(pauses)
                own = f"{FOLDER}/{self._token}{_HOLDER}"
                holders = {name for name in times if name.endswith(_HOLDER)}
                taken = {_name(token, _HOLDER) for token in self._taken}
                self._lost = holders - taken != {own}
            if self._lost:
                self._remove()
                raise _LostError(
                    f"{self._location} has been taken over by another alray, because this one was not heard of for more "
                    f"than {self._times.expiry:g} s; what is there stays valid, and this one writes nothing more"
                )
            self._renewed = begun

    # Requests

    def _put(self, kind: str, pauses: tuple[float, ...] | None = None) -> None:
        who = {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "token": self._token,
            "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        }
        content = json.dumps(who).encode()
        self._do(lambda: self._objects.put(_name(self._token, kind), content), pauses)

    def _listed(self, pauses: tuple[float, ...] | None = None) -> dict[str, dt.datetime]:
        found: dict[str, dt.datetime] = {}
        self._do(lambda: found.update(self._objects.times(FOLDER)), pauses)
        return found

    def _do(self, act: Callable[[], None], pauses: tuple[float, ...] | None = None) -> None:
        patiently(act, self._location, "written", self._pauses if pauses is None else pauses)

    def _remove(self) -> None:
        """Remove what this one has put, as far as possible: what stays goes stale."""
        for kind in (_HOLDER, _CANDIDATE):
            with contextlib.suppress(Exception):
                self._objects.delete(_name(self._token, kind))

    def _who(self, token: str) -> str:
        try:
            who = json.loads(self._objects.get(_name(token, _HOLDER)))
            return f"{who['host']}, process {who['process']}"
        except Exception:  # noqa: BLE001 -- it may be gone by now, and a message can do without it
            return "another process"


class _LostError(StoreError):
    """Another one holds the lease."""


def _name(token: str, kind: str) -> str:
    return f"{FOLDER}/{token}{kind}"


def _clocks() -> tuple[float, float]:
    """Return the time by two clocks: one goes on while a machine sleeps, the other shows that it was frozen as a whole."""
    awake_or_not = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(awake_or_not), time.time()


def _since(before: tuple[float, float]) -> float:
    return max(now - then for now, then in zip(_clocks(), before, strict=True))
