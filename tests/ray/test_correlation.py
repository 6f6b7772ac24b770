"""A correlation study on a local Ray: equal to the bit to one in this process; lost workers, a killed driver."""

import contextlib
import signal
import subprocess
import threading
import time

import psutil
import pytest
from typing_extensions import override

from alray.api import correlate
from alray.ray_executor import tasks
from alray.ray_executor.hangs import HangLimits
from alray.ray_executor.nodes import Nodes
from tests.helpers.correlation_studies import Listener, assert_same_study, correlation_settings
from tests.helpers.processes import module_options, ray_workers, spec_file

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def inline(pool, tmp_path_factory):
    return correlate(correlation_settings(pool), results=tmp_path_factory.mktemp("inline"))


def on_ray(pool, **changes):
    return correlation_settings(pool, execution={"executor": "ray", "parallel": 2}, **changes)


def test_ray_tasks_give_the_same_records_to_the_bit_and_lost_ones_are_done_again(
    pool, cluster, tmp_path, inline
):
    class Killer(Listener):
        @override
        def performed(self, task, seconds, host):
            super().performed(task, seconds, host)
            if len(self.of("performed")) >= 4 and not self.of("lost"):
                for process in ray_workers("_perform"):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()

    listener = Killer()
    found = correlate(on_ray(pool), results=tmp_path, observer=listener)
    assert_same_study(inline, found)
    assert listener.of("lost")
    assert not listener.of("failed")


def test_a_task_that_hangs_is_named_then_done_again_elsewhere(
    pool, cluster, tmp_path, inline, monkeypatch
):
    monkeypatch.setattr(tasks, "HANG_LIMITS", HangLimits(times=2.0, least=4.0))
    listener, notices, ended = Listener(), list[str](), list[str]()
    for attempt in range(3):
        # A process that had just handed its result over when it was stopped keeps nobody waiting.
        if ended:
            break
        listener = with_one_stopped(pool, tmp_path / str(attempt), inline)
        # On a busy machine another task may be named too; only the one that hangs is ended.
        notices = [text for text in listener.of("notice") if "has not reported" in text]
        ended = [text for text in notices if text.endswith("its worker is ended")]
    assert len(ended) == 1
    hanging = ended[0].partition(" has not reported")[0]
    named = [text for text in notices if text.startswith(f"{hanging} has not reported")]
    assert any(text.endswith("if this lasts as long again") for text in named)
    assert len(listener.of("lost")) == 1
    assert not listener.of("failed")


def with_one_stopped(pool, results, inline):
    """Make a study, in which a process is stopped while it performs a task; return what was reported."""
    stopped: list[psutil.Process] = []
    listener, over = Listener(), threading.Event()

    def stop_one():
        """Look again and again: at a moment between two tasks no process performs one."""
        while not stopped and not over.wait(0.02):
            if len(listener.of("performed")) < 4:
                continue
            for process in ray_workers("_perform")[:1]:
                process.suspend()
                # It may just have ended its task.
                if process in ray_workers("_perform"):
                    stopped.append(process)
                else:
                    process.resume()

    stopper = threading.Thread(target=stop_one)
    stopper.start()
    try:
        found = correlate(on_ray(pool), results=results, observer=listener)
    finally:
        over.set()
        stopper.join()
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):  # Ray may have ended it by now
                process.kill()
    assert_same_study(inline, found)
    return listener


def test_a_task_on_a_node_that_is_not_checked_yet_is_handed_over_anew(
    pool, cluster, tmp_path, inline, monkeypatch
):
    fits, asked = Nodes.fits, []

    def fits_later(nodes, node_id):
        asked.append(node_id)
        return len(asked) > 2 and fits(nodes, node_id)

    monkeypatch.setattr(Nodes, "fits", fits_later)
    listener = Listener()
    found = correlate(on_ray(pool), results=tmp_path, observer=listener)
    assert_same_study(inline, found)
    assert len(asked) == 2 + len(listener.of("performed"))
    assert not listener.of("lost")


@contextlib.contextmanager
def driver(folder, spec, outcomes):
    """Run a driver until this many outcomes are on disk."""
    words = ["alray", "correlate", spec_file(folder, spec), "--results", folder]
    with subprocess.Popen(
        **module_options(*words), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        begin = time.monotonic()
        while len(files_of(folder)) < outcomes:
            assert time.monotonic() - begin < 120
            assert process.poll() is None
            time.sleep(0.02)
        yield process


def files_of(folder):
    """Return the times at which outcomes were written, by file."""
    found = (folder / "study" / "outcomes").glob("[!.]*")
    return {path: path.stat().st_mtime_ns for path in found}


def test_a_killed_driver_loses_the_tasks_in_progress_and_nothing_else(pool, tmp_path, inline):
    with driver(tmp_path, on_ray(pool), 3) as process:
        process.kill()
    kept = files_of(tmp_path)
    assert_same_study(inline, correlate(correlation_settings(pool), results=tmp_path))
    assert kept.items() <= files_of(tmp_path).items()


def test_ctrl_c_stops_at_once_and_the_same_command_goes_on(pool, tmp_path, inline):
    with driver(tmp_path, on_ray(pool, fine_tune_seeds=2), 1) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from here" in errors
    assert "Traceback" not in errors
    assert_same_study(inline, correlate(correlation_settings(pool), results=tmp_path))
