"""Processes that are killed and interrupted for real; afterwards the records equal those of an undisturbed run."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from typing_extensions import override

from alray import api
from alray.studies.sweep.store import SweepStore
from tests.helpers.processes import module_options, ray_workers, spec_file
from tests.helpers.studies import Recorder, assert_same_records, settings

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("no_pauses_here")]

ROUNDS = 12
SLOW = "tests.helpers.plugins:Misbehaving:pause=0.3"
"""With pauses a worker's report of about a second holds four rounds of the twelve."""


def spec_of(pool, **execution):
    return settings(
        pool,
        strategies=[SLOW],
        rounds=ROUNDS,
        execution={"executor": "ray", "parallel": 1, **execution},
    )


@pytest.fixture(scope="module")
def undisturbed(pool, tmp_path_factory):
    spec = spec_of(pool, executor="inline")
    return api.sweep(spec, results=tmp_path_factory.mktemp("undisturbed"))


def test_rounds_are_added_on_ray_as_in_one_process(pool, cluster, tmp_path, undisturbed):
    for rounds, executor in ((5, "ray"), (9, "inline")):
        api.sweep({**spec_of(pool, executor=executor), "rounds": rounds}, results=tmp_path)
    observer = Recorder()
    study = api.sweep(spec_of(pool), results=tmp_path, observer=observer)
    assert_same_records(undisturbed, study)
    assert [number for _, number in observer.of("progressed")] == [10, 11, 12]


def test_killed_workers_are_replaced_in_the_passive_phase_and_in_a_run(
    pool, cluster, tmp_path, undisturbed
):
    def kill_worker():
        (worker,) = ray_workers("RunActor")
        worker.kill()

    class Killer(Recorder):
        @override
        def started(self, job, host):
            super().started(job, host)
            if len(self.of("started")) == 1:
                kill_worker()

        @override
        def progressed(self, name, run, record):
            super().progressed(name, run, record)
            if run is not None and record["round"] == 2 and len(self.of("lost")) == 1:
                kill_worker()

    observer = Killer()
    study = api.sweep(spec_of(pool), results=tmp_path, observer=observer)
    assert_same_records(undisturbed, study)
    (row,) = study.runs.to_dict("records")
    run, passive = row["run_id"], observer.of("started")[0][0]
    assert [name for name, _ in observer.of("lost")] == [passive, run]
    assert observer.of("started") == [(passive, None)] * 2 + [(run, passive), (run, run)]
    assert row["attempts"] == 2


def start_driver(folder: Path, spec: dict[str, object], *until: object) -> subprocess.Popen[str]:
    """Start a driver in a process group of its own."""
    words = ["tests.helpers.driven", spec_file(folder, spec), folder, *until]
    return subprocess.Popen(
        **module_options(*words), stdout=subprocess.PIPE, start_new_session=True
    )


def assert_nothing_is_left(session: int) -> None:
    """Wait for the last process of a session to end: Ray's head, its raylet and the workers."""
    begin = time.monotonic()
    while left := [each.info["cmdline"] for each in processes_of(session)]:
        assert time.monotonic() - begin < 30, left
        time.sleep(0.2)


def processes_of(session: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        # Ray's two agents, which hold no CPU, take a minute to notice that a killed head is gone.
        if process.info["status"] == "zombie" or "Agent" in " ".join(process.info["cmdline"]):
            continue
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(process.info["pid"]) == session:
                found.append(process)
    return found


def test_a_killed_driver_is_replaced_by_the_same_command(pool, cluster, tmp_path, undisturbed):
    """Killed after the passive phase, driving a cluster that goes on; and in a run, with a Ray of its own."""
    with start_driver(tmp_path, spec_of(pool, address=cluster), "passive", 0) as driver:
        assert driver.wait(timeout=120) == -signal.SIGKILL
    with start_driver(tmp_path, spec_of(pool), "run", 5) as driver:
        assert driver.wait(timeout=120) == -signal.SIGKILL
        assert driver.stdout is not None
        lines = driver.stdout.read().splitlines()
        assert lines == ["passive 0", *(f"run {number}" for number in range(6))]
    assert_nothing_is_left(driver.pid)
    observer = Recorder()
    spec = spec_of(pool, executor="inline")
    study = api.sweep(spec, results=tmp_path, observer=observer)
    assert_same_records(undisturbed, study)
    (name,) = study.runs["run_id"]
    assert observer.of("started") == [(name, name)]


def test_ctrl_c_in_a_terminal_keeps_every_round_that_was_run(pool, tmp_path, undisturbed):
    """The terminal sends SIGINT to the whole group, Ray's processes included: they must live to report."""
    spec = spec_of(pool, checkpoint_seconds=1000)
    with start_driver(tmp_path, spec) as driver:
        assert driver.stdout is not None
        for line in driver.stdout:
            if line == "run 2\n":
                os.killpg(driver.pid, signal.SIGINT)
                break
        rest = driver.stdout.read().split()
        assert driver.wait(timeout=120) == 130
    assert rest[-2:] == ["Interrupted", "stopped"]
    last = int(rest[-3])
    (row,) = SweepStore(tmp_path / "study").read_runs().to_dict("records")
    assert (row["status"], row["rounds_done"]) == ("unfinished", last)
    assert_nothing_is_left(driver.pid)
    observer = Recorder()
    study = api.sweep(spec_of(pool, executor="inline"), results=tmp_path, observer=observer)
    assert_same_records(undisturbed, study)
    assert [number for _, number in observer.of("progressed")] == list(range(last + 1, ROUNDS + 1))
