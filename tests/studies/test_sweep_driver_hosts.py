"""The driver with workers on two hosts, one of them bad; both run in this process."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
from typing_extensions import override

from alray import api
from alray.errors import ClusterError
from alray.studies.events import Failure
from alray.studies.executor import Executor
from alray.studies.inline import InlineExecutor
from alray.studies.retries import NOWHERE
from alray.studies.sweep.driver import SweepDriver
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.store import SweepStore
from tests.helpers.studies import Disturbed, Recorder, assert_same_records, inline, settings

Event = Progress | Failure


@pytest.fixture(scope="module")
def undisturbed(pool, tmp_path_factory):
    spec = settings(pool, strategies=["random", "margin"])
    return api.sweep(spec, results=tmp_path_factory.mktemp("undisturbed"))


class TwoHosts(Executor[Job, Progress]):
    """A worker on each of two hosts; runs on the bad host, which is offered first, end with this failure there."""

    def __init__(self, plan, failure: Failure) -> None:
        self._failure = failure
        self._workers = {host: inline(plan) for host in ("bad", "good")}
        self._jobs: dict[str, Job] = {}
        self.avoided: list[frozenset[str]] = []

    @override
    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.__exit__(None)

    @override
    def hosts(self) -> frozenset[str]:
        return frozenset(self._workers)

    @override
    def scale(self, jobs: int, avoid: frozenset[str] = NOWHERE) -> None:
        self.avoided.append(avoid)

    @override
    def idle(self) -> Sequence[str]:
        return [host for host, worker in self._workers.items() if worker.idle()]

    @override
    def submit(
        self, job: Job, start_from: bytes | None, host: str, avoid: frozenset[str] = NOWHERE
    ) -> None:
        self._jobs[host] = job
        self._workers[host].submit(job, start_from, host)

    @override
    def wait(self, seconds: float) -> list[Event]:
        return [event for host in list(self._jobs) for event in self._events(host)]

    def _events(self, host: str) -> list[Event]:
        job = self._jobs[host]
        events: list[Event] = list(self._workers[host].wait(0.0))
        if host == "bad" and job.until > 0:
            events = [replace(self._failure, job=job.name, host=host)]
            self._workers[host].interrupt()
        if not isinstance(events[-1], Progress) or events[-1].done:
            del self._jobs[host]
        return events

    @override
    def interrupt(self) -> list[Event]:
        return []


LOST = Failure("", "killed")
FAILED = Failure("", "OSError: disk", traceback="Traceback ...", died=False)


@pytest.mark.parametrize(("failure", "event"), [(LOST, "lost"), (FAILED, "moved")])
def test_runs_that_end_badly_on_one_host_end_well_on_the_other(
    pool, tmp_path, monkeypatch, undisturbed, failure, event
):
    executors = []

    def start(plan):
        executors.append(TwoHosts(plan, failure))
        return executors[-1]

    monkeypatch.setattr(api, "start_executor", start)
    observer = Recorder()
    spec = settings(pool, strategies=["random", "margin"], execution={"attempts": 2})
    study = api.sweep(spec, results=tmp_path, observer=observer)
    assert_same_records(undisturbed, study)
    assert {host for _, host in observer.of(event)} == {"bad"}
    assert set(study.runs["status"]) == {"finished"}
    assert set(study.runs["host"]) == {"this process"}
    assert study.runs["attempts"].max() == 2
    assert frozenset(["bad"]) in executors[0].avoided


def drive(spec, path, kind=InlineExecutor, **options):
    plan = api.plan_sweep(spec)
    with SweepStore(path) as store:
        SweepDriver(plan, store, **options).drive(lambda: inline(plan, kind))


def test_what_has_become_of_runs_is_written_once_a_second_and_at_the_end(
    pool, tmp_path, monkeypatch
):
    written = []
    write = SweepStore.write_runs

    def counting(store, runs):
        written.append([row["status"] for row in runs])
        write(store, runs)

    monkeypatch.setattr(SweepStore, "write_runs", counting)
    drive(settings(pool, rounds=0, seeds=3), tmp_path / "rarely", statuses_seconds=1000.0)
    assert written == [["unfinished"] * 3, ["finished"] * 3]
    written.clear()
    drive(settings(pool, rounds=0, seeds=3), tmp_path / "often", statuses_seconds=0.0)
    assert len(written) == 1 + 3


def test_a_cluster_that_goes_leaves_what_has_become_of_runs(pool, tmp_path):
    failed: list[Failure] = []

    def gone_after_a_failure(job):
        if failed:
            raise ClusterError("gone")
        if job.until == 0:
            return None
        failed.append(Failure(job.name, "no", died=False))
        return failed[0]

    going = partial(Disturbed, happens=gone_after_a_failure)
    with pytest.raises(ClusterError, match="gone"):
        drive(settings(pool, seeds=2), tmp_path, going, statuses_seconds=1000.0)
    assert "failed" in set(SweepStore(tmp_path).read_runs()["status"])
