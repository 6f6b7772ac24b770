"""The lease that keeps two writers apart, on objects in memory with a clock of their own."""

import datetime as dt
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from typing_extensions import override

from alray.errors import StoreError
from alray.storage.lease import Lease, LeaseTimes
from alray.storage.location import Location
from alray.storage.protocols import Objects

PLACE = Location("s3", "bucket/study")
TIMES = LeaseTimes(renewal=0.05, expiry=0.4, pause=0.05)


class Memory(Objects):
    """A store whose clock is years behind; requests take a moment of random length, before and after they count."""

    def __init__(self, delay: float = 0.0) -> None:
        self.content: dict[str, bytes] = {}
        self.written: dict[str, dt.datetime] = {}
        self.fails = False
        self._delay = delay
        self._rng = np.random.default_rng(0)
        self._one_at_a_time = threading.Lock()

    def _wait(self) -> None:
        if self.fails:
            raise OSError("no network")
        with self._one_at_a_time:
            seconds = self._delay * self._rng.random()
        time.sleep(seconds)

    @override
    def names(self, folder: str, *, recursive: bool = False) -> list[str]:
        return sorted(self.times(folder))

    @override
    def times(self, folder: str) -> dict[str, dt.datetime]:
        self._wait()
        found = dict(self.written)
        self._wait()
        return {name: at for name, at in found.items() if name.startswith(f"{folder}/")}

    @override
    def get(self, name: str) -> bytes:
        return self.content[name]

    @override
    def put(self, name: str, content: bytes) -> None:
        self._wait()
        self.content[name] = content
        self.written[name] = dt.datetime.now(dt.UTC) - dt.timedelta(days=1000)
        self._wait()

    @override
    def delete(self, name: str) -> None:
        self._wait()
        self.content.pop(name, None)
        self.written.pop(name, None)

    @override
    def has_bucket(self) -> bool:
        return True


def lease(objects: Objects, times: LeaseTimes = TIMES) -> Lease:
    return Lease(objects, PLACE, times, pauses=())


def killed(objects: Objects) -> Lease:
    """Return a lease that was acquired and is never renewed again."""
    never = LeaseTimes(renewal=1000.0, expiry=TIMES.expiry, pause=TIMES.pause)
    first = lease(objects, times=never)
    first.acquire()
    return first


def test_a_lease_says_who_holds_it_and_goes_when_released():
    objects = Memory()
    held = lease(objects)
    held.acquire()
    (holder,) = [json.loads(c) for n, c in objects.content.items() if n.endswith(".holder")]
    assert holder.keys() == {"host", "process", "token", "when"}
    held.check()
    held.release()
    assert objects.content == {}


def test_a_second_one_is_refused_for_as_long_as_the_first_is_renewed(caplog):
    objects = Memory()
    first = lease(objects)
    first.acquire()
    time.sleep(2 * TIMES.expiry)
    with pytest.raises(StoreError, match=r"is being written by another alray \(.*, process \d+\)"):
        lease(objects).acquire()
    assert "waiting to see whether it still is" in caplog.messages[0]
    first.check()
    first.release()
    other = lease(objects)
    other.acquire()
    other.release()


def test_the_lease_of_a_killed_one_is_taken_over_when_it_is_stale_and_not_before(caplog):
    objects = Memory()
    killed(objects)
    begun = time.monotonic()
    second = lease(objects)
    second.acquire()
    assert time.monotonic() - begun > 0.9 * TIMES.expiry
    assert "going on instead of it" in caplog.messages[-1]
    assert len([name for name in objects.content if name.endswith(".holder")]) == 1
    second.release()


def test_one_that_has_slept_writes_nothing_more():
    objects = Memory()
    first = killed(objects)
    second = lease(objects)
    second.acquire()
    with pytest.raises(StoreError, match="taken over by another alray"):
        first.check()
    second.check()
    with pytest.raises(StoreError, match="taken over by another alray"):
        first.check()
    first.release()
    time.sleep(2 * TIMES.renewal)
    second.check()
    second.release()


def test_a_write_waits_for_a_renewal_where_the_last_one_is_long_ago():
    objects = Memory()
    first = killed(objects)
    first.check()
    objects.fails = True
    first.check()
    time.sleep(0.6 * TIMES.expiry)
    with pytest.raises(StoreError, match="cannot be written: no network"):
        first.check()
    objects.fails = False
    first.check()
    first.release()


def test_a_lease_survives_a_network_that_fails_for_a_moment():
    objects = Memory()
    first = lease(objects)
    first.acquire()
    objects.fails = True
    time.sleep(2 * TIMES.renewal)
    objects.fails = False
    time.sleep(3 * TIMES.renewal)
    first.check()
    first.release()


@pytest.mark.parametrize("stale", [False, True], ids=["new", "taken over"])
def test_of_many_that_start_at_the_same_moment_at_most_one_goes_on(stale):
    for _ in range(3):
        objects = Memory(delay=0.004)
        if stale:
            killed(objects)
            time.sleep(1.2 * TIMES.expiry)
        together = threading.Barrier(6)
        going: list[Lease] = []

        def start(
            objects: Memory = objects, going: list[Lease] = going, at: threading.Barrier = together
        ) -> bool:
            contender = lease(objects)
            at.wait()
            try:
                contender.acquire()
            except StoreError:
                return False
            going.append(contender)
            return True

        with ThreadPoolExecutor(6) as pool:
            outcomes = [f.result() for f in [pool.submit(start) for _ in range(6)]]
        assert sum(outcomes) == 1
        going[0].check()
        going[0].release()


def test_a_start_that_is_stopped_leaves_nothing(monkeypatch):
    objects = Memory()

    def stop(_: str) -> None:
        assert objects.content
        raise KeyboardInterrupt

    monkeypatch.setattr(objects, "times", stop)
    with pytest.raises(KeyboardInterrupt):
        lease(objects).acquire()
    assert objects.content == {}
