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
from alray.settings.location import Location
from alray.storage.lease import Lease, LeaseTimes
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


@pytest.fixture
def store() -> Memory:
    return Memory()


def lease(store: ObjectStore, times: LeaseTimes = TIMES) -> Lease:
    return Lease(store, LOCATION, times, pauses=())


def acquired(store: ObjectStore, times: LeaseTimes = TIMES) -> Lease:
    held = lease(store, times)
    held.acquire()
    return held


def killed(store: ObjectStore) -> Lease:
    """Return a lease that was acquired and is never renewed again."""
    return acquired(store, LeaseTimes(renewal=1000.0, expiry=TIMES.expiry, pause=TIMES.pause))


def test_a_lease_names_its_holder_and_is_removed_when_released(store):
    held = acquired(store)
    (holder,) = [json.loads(c) for n, c in store.content.items() if n.endswith(".holder")]
    assert holder.keys() == {"host", "process", "token", "when"}
    held.check()
    held.release()
    assert store.content == {}


def test_a_second_writer_is_refused_for_as_long_as_the_first_renews_its_lease(store, caplog):
    first = acquired(store)
    time.sleep(2 * TIMES.expiry)
    with pytest.raises(StoreError, match=r"is being written by another alray \(.*, process \d+\)"):
        acquired(store)
    assert "waiting to see whether it still is" in caplog.messages[0]
    first.check()
    first.release()
    acquired(store).release()


def test_the_lease_of_a_killed_writer_is_taken_over_when_it_is_stale_and_not_before(store, caplog):
    killed(store)
    begun = time.monotonic()
    second = acquired(store)
    assert time.monotonic() - begun > 0.9 * TIMES.expiry
    assert "going on instead of it" in caplog.messages[-1]
    assert len([name for name in store.content if name.endswith(".holder")]) == 1
    second.release()


def test_a_writer_that_has_slept_writes_nothing_more(store):
    first = killed(store)
    second = acquired(store)
    for _ in range(2):
        with pytest.raises(StoreError, match="taken over by another alray"):
            first.check()
        second.check()
    first.release()
    time.sleep(2 * TIMES.renewal)
    second.check()
    second.release()


def test_a_write_waits_for_a_renewal_where_the_last_one_is_long_ago(store):
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


def test_a_lease_survives_a_network_that_fails_for_a_moment(store):
    first = acquired(store)
    store.fails = True
    time.sleep(2 * TIMES.renewal)
    store.fails = False
    time.sleep(3 * TIMES.renewal)
    first.check()
    first.release()


def acquire_together(store: ObjectStore, count: int) -> list[Lease]:
    """Return the leases of those among `count` writers that go on after all have started at the same moment."""
    barrier = threading.Barrier(count)

    def start(contender: Lease) -> bool:
        barrier.wait()
        try:
            contender.acquire()
        except StoreError:
            return False
        return True

    contenders = [lease(store) for _ in range(count)]
    with ThreadPoolExecutor(count) as pool:
        outcomes = list(pool.map(start, contenders))
    return [contender for contender, held in zip(contenders, outcomes, strict=True) if held]


@pytest.mark.parametrize("stale", [False, True], ids=["new", "taken over"])
def test_of_many_writers_that_start_at_the_same_moment_exactly_one_goes_on(stale):
    for _ in range(3):
        store = Memory(delay=0.004)
        if stale:
            killed(store)
            time.sleep(1.2 * TIMES.expiry)
        (holder,) = acquire_together(store, 6)
        holder.check()
        holder.release()


def test_a_start_that_is_stopped_leaves_nothing(store, monkeypatch):
    def stop(_: str) -> None:
        assert store.content
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "times", stop)
    with pytest.raises(KeyboardInterrupt):
        acquired(store)
    assert store.content == {}
