"""The lease that keeps two writers apart, in a store in memory with another clock."""

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
from alray.storage.protocols import ObjectStore

LOCATION = Location("s3", "bucket/study")
TIMES = LeaseTimes(renewal=0.05, expiry=0.4, pause=0.05)


class Memory(ObjectStore):
    """A store whose clock is years behind; each request waits for a random time before and after it takes effect."""

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


def lease(store: ObjectStore, times: LeaseTimes = TIMES) -> Lease:
    return Lease(store, LOCATION, times, pauses=())


def killed(store: ObjectStore) -> Lease:
    """Return a lease that was acquired and is never renewed again."""
    never = LeaseTimes(renewal=1000.0, expiry=TIMES.expiry, pause=TIMES.pause)
    first = lease(store, times=never)
    first.acquire()
    return first


def test_a_lease_names_its_holder_and_is_removed_when_released():
    store = Memory()
    held = lease(store)
    held.acquire()
    (holder,) = [json.loads(c) for n, c in store.content.items() if n.endswith(".holder")]
    assert holder.keys() == {"host", "process", "token", "when"}
    held.check()
    held.release()
    assert store.content == {}


def test_a_second_writer_is_refused_for_as_long_as_the_first_renews_its_lease(caplog):
    store = Memory()
    first = lease(store)
    first.acquire()
    time.sleep(2 * TIMES.expiry)
    with pytest.raises(StoreError, match=r"is being written by another alray \(.*, process \d+\)"):
        lease(store).acquire()
    assert "waiting to see whether it still is" in caplog.messages[0]
    first.check()
    first.release()
    other = lease(store)
    other.acquire()
    other.release()


def test_the_lease_of_a_killed_writer_is_taken_over_when_it_is_stale_and_not_before(caplog):
    store = Memory()
    killed(store)
    begun = time.monotonic()
    second = lease(store)
    second.acquire()
    assert time.monotonic() - begun > 0.9 * TIMES.expiry
    assert "going on instead of it" in caplog.messages[-1]
    assert len([name for name in store.content if name.endswith(".holder")]) == 1
    second.release()


def test_a_writer_that_has_slept_writes_nothing_more():
    store = Memory()
    first = killed(store)
    second = lease(store)
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
    store = Memory()
    first = killed(store)
    first.check()
    store.fails = True
    first.check()
    time.sleep(0.6 * TIMES.expiry)
    with pytest.raises(StoreError, match="cannot be written: no network"):
        first.check()
    store.fails = False
    first.check()
    first.release()


def test_a_lease_survives_a_network_that_fails_for_a_moment():
    store = Memory()
    first = lease(store)
    first.acquire()
    store.fails = True
    time.sleep(2 * TIMES.renewal)
    store.fails = False
    time.sleep(3 * TIMES.renewal)
    first.check()
    first.release()


@pytest.mark.parametrize("stale", [False, True], ids=["new", "taken over"])
def test_of_many_writers_that_start_at_the_same_moment_exactly_one_goes_on(stale):
    for _ in range(3):
        store = Memory(delay=0.004)
        if stale:
            killed(store)
            time.sleep(1.2 * TIMES.expiry)
        together = threading.Barrier(6)
        going: list[Lease] = []

        def start(
            store: Memory = store, going: list[Lease] = going, at: threading.Barrier = together
        ) -> bool:
            contender = lease(store)
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
    store = Memory()

    def stop(_: str) -> None:
        assert store.content
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "times", stop)
    with pytest.raises(KeyboardInterrupt):
        lease(store).acquire()
    assert store.content == {}
