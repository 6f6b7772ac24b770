"""`scripts/chaos` counts right: plan, journal, saved rounds, lines of others; in short also on a cluster."""

import errno
import io
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from unittest.mock import Mock

import numpy as np
import pytest
from rich.console import Console

from alray import api
from alray.cli.display.sweep_progress import SweepDisplay
from alray.errors import AlrayError
from alray.ray_executor.hangs import Hang
from alray.ray_executor.liveness import head_endpoint, own_endpoint
from alray.ray_executor.preflight import require_object_store, require_shared_memory
from alray.seeding import generator
from alray.storage.local import LocalStorage
from alray.studies.sweep.driver import SweepDriver
from alray.studies.sweep.state import RunState
from benchmarks.harness.programs import ROOT
from chaos_study import cluster, faults, journal, messages, processes, report, study
from chaos_study.injection import Outcome
from tests.helpers.studies import ROUNDS, settings

POOL_BYTES = study.OBJECTS * study.DIMENSION * 4
STRATEGY = "chaos_study.journal:RecordingStrategy:of=margin"


def entry(number, *, time=0.0, process=("node1", 7, 100), run=("margin", 0)):
    return journal.Entry(float(time), process, run, number)


# The plan


def test_a_plan_is_its_seed():
    names = list(faults.KINDS)
    assert faults.plan_faults(50, 1, names) == faults.plan_faults(50, 1, names)
    assert faults.plan_faults(50, 1, names) != faults.plan_faults(50, 2, names)


def test_every_kind_is_planned():
    """In fifty faults, the frequent ones more often; only where it can happen. Few faults are of different kinds."""
    kinds = faults.KINDS
    few = faults.plan_faults(len(kinds), 0, list(kinds))
    assert sorted(fault.kind for fault in few) == sorted(kinds)
    planned = faults.plan_faults(50, 0, list(kinds))
    times = Counter(fault.kind for fault in planned)
    assert set(times) == set(kinds)
    assert len(planned) == 50
    assert times["worker"] > times["node"] > times["cut-90"]
    assert all(fault.node in kinds[fault.kind].nodes for fault in planned)


def error_line(action, *arguments):
    """Return the line in which a command reports the error that this raises."""
    with pytest.raises(AlrayError) as caught:
        action(*arguments)
    return f"error: {caught.value}"


def test_commands_end_with_the_messages_that_are_expected_of_them(tmp_path, monkeypatch):
    lines = {
        "ctrl-c": "stopped; the same command goes on from here",
        "head": f"error: {head_endpoint('10.88.7.1', 6379).message}",
        "own-raylet": f"error: {own_endpoint('10.88.7.1', 1).message}",
    }
    facts = {"host": "node1", "memory_disk": 64 * 2**20}
    lines["memory-disk"] = error_line(require_shared_memory, facts, POOL_BYTES)
    resources = {"object_store_memory": faults.SMALL_STORE * 2**20}
    node = {"NodeManagerHostname": "node1", "Resources": resources}
    lines["store"] = error_line(require_object_store, node, POOL_BYTES)
    for kind, number in (("full", errno.ENOSPC), ("read-only", errno.EROFS)):
        failing = Mock(side_effect=OSError(number, os.strerror(number)))
        monkeypatch.setattr(os, "fsync", failing)
        lines[kind] = error_line(LocalStorage(tmp_path).write, "file", b"")
    expected = {name: kind.message for name, kind in faults.KINDS.items() if kind.message}
    assert lines.keys() == expected.keys() - {"worker", "raylet", "node", "cut-90"}
    for kind, line in lines.items():
        assert re.search(expected[kind], line)
        assert messages.foreign([line]) == []
    assert re.search(faults.DIED, UNUSUAL[0])


# The journal


def test_rounds_begun_again_are_counted():
    entries = [entry(number, time=when) for when, number in enumerate([1, 2, 3, 2, 3, 4, 4])]
    assert journal.count_repeated(entries, [2.1]) == [3]
    assert journal.count_repeated(entries, [2.1, 5.3]) == [2, 1]
    other = [entry(1), entry(1, run=("margin", 1)), entry(1, run=("random", 0))]
    assert journal.count_repeated(other, [0.5]) == [0]


def test_a_round_is_begun_again_for_the_fault_that_broke_its_run_off():
    """Also where the run goes on only after another fault."""
    other = ("node2", 9, 200)
    entries = [
        entry(4, time=1.0),
        entry(7, time=5.0, run=("random", 0)),
        entry(3, time=9.0, process=other),
        entry(4, time=9.5, process=other),
        entry(7, time=9.9, process=other, run=("random", 0)),
    ]
    assert journal.count_repeated(entries, [1.2, 5.2]) == [1, 1]


def test_a_repeated_round_that_was_saved_is_found():
    entries = [entry(4), entry(5), entry(1, run=("random", 2))]
    assert journal.repeated_although_saved(entries, {("margin", 0): 4}) == [entries[0]]


def test_a_run_goes_on_by_another_process_or_after_the_repair():
    old = ("node1", 7, 100)
    found = journal.resumption_times
    same = [entry(5, time=1), entry(6, time=9)]
    assert found(same, {("margin", 0): old}, 8.0) == {("margin", 0): 9.0}
    # Processes of a node that was brought back have numbers that were in use before.
    other = [entry(5, time=1), entry(5, time=2, process=("node1", 7, 300)), entry(6, time=9)]
    assert found(other, {("margin", 0): old}, 8.0) == {("margin", 0): 2.0}
    assert found(same, {("random", 0): old}, 8.0) == {}


@pytest.fixture(scope="module")
def given(pool):
    """Return the settings of a small study."""
    return settings(pool, strategies=[STRATEGY], seeds=2)


@pytest.fixture(scope="module")
def recorded(given, tmp_path_factory):
    """Run the study, and return its results, which no test changes, and its journal."""
    folder = tmp_path_factory.mktemp("recorded")
    book = journal.Journal(folder / "journal", 0, 2, ROUNDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(journal.JOURNAL, str(book.path))
        return api.sweep(given, results=folder), book


def test_a_recording_strategy_chooses_as_the_other(recorded, undisturbed):
    """And records every round once, under the number by which the machine knows the process."""
    found, book = recorded
    first = found.queries[found.queries["seed"] == 0]
    assert list(first["id"]) == list(undisturbed.queries["id"])
    entries = book.entries()
    rounds = [(("margin", seed), number) for seed in (0, 1) for number in range(1, ROUNDS + 1)]
    assert [(each.run, each.round) for each in entries] == rounds
    (process,) = {each.process for each in entries}
    assert processes.identity(process[0], process[1]) == process


def test_half_a_line_waits_for_its_other_half(tmp_path):
    book = journal.Journal(tmp_path / "journal", 0, 1, 3)
    journal.record(str(book.path), "random", generator(0, 0, "strategy", 3))
    whole = book.path.read_bytes()
    book.path.write_bytes(whole + whole[:20])
    assert [each.round for each in book.entries()] == [3]
    book.path.write_bytes(whole + whole)
    assert [each.round for each in book.entries()] == [3, 3]


# The files on the disk


def test_finished_runs_and_checkpoints_are_saved(given, recorded, tmp_path):
    folder = shutil.copytree(recorded[0].path, tmp_path / "study")
    plan = api.plan_sweep(given)
    files = study.Files(folder, plan)
    assert files.saved() == {("margin", 0): ROUNDS, ("margin", 1): ROUNDS}
    first = plan.runs[0].run_id
    checkpoint = folder / "checkpoints" / f"{first}.safetensors"
    (folder / "rounds" / f"{first}.parquet").unlink()
    checkpoint.unlink()
    assert files.saved() == {("margin", 1): ROUNDS}
    state = RunState(2, np.arange(30), {}, {})
    checkpoint.write_bytes(state.to_bytes())
    assert files.saved() == {("margin", 0): 2, ("margin", 1): ROUNDS}


def test_a_changed_record_is_a_difference(given, recorded, tmp_path):
    """The undisturbed study has no journal, so its strategies record nothing."""
    folder = recorded[0].path
    other = study.run_undisturbed(given, tmp_path)
    assert study.differences(folder, other) == []
    accuracy = other.rounds["accuracy"].to_numpy(copy=True)
    accuracy[3] = np.nextafter(accuracy[3], 2)
    other.rounds["accuracy"] = accuracy
    assert study.differences(folder, other) == ["rounds differ"]


# The nodes


def test_a_number_that_a_node_has_left_behind_is_not_its_process(tmp_path, monkeypatch):
    """By now it may be another's: here it is this test's own."""
    monkeypatch.setattr(cluster, "STATE", tmp_path)
    (tmp_path / "node1").mkdir()
    (tmp_path / "node1" / "pid").write_text(str(os.getpid()))
    assert list(processes.processes_of(os.getpid()))
    made = cluster.Cluster({})
    assert made.workers(1) == made.raylets(1) == made.drivers("pytest") == []


# Whose lines


UNUSUAL = [
    "node1: worker died (its process was killed or has crashed); margin, seed 0 starts again after round 7",
    "node1: ValueError: broken; margin, seed 0 is tried on another node",
    Hang("margin, seed 0", 301.4, 2.0, give_up=False).message("node1"),
    SweepDriver.stop_notice,
    "stopped; the same command goes on from here",
    "error: cannot write /x/rounds/a.parquet: No space left on device; everything written before stays valid",
]
OTHERS = [
    "[2026-11-22 09:06:57,042 E 9 9] gcs_rpc_client.h:151: Failed to connect",
    "Traceback (most recent call last):",
    '  File "x.py", line 3, in <module>',
    "(raylet, ip=10.88.7.2) Local object store is full",
    "*** SIGTERM received at time=1 on cpu 0 ***",
]


def test_all_lines_of_an_undisturbed_study_are_usual(pool, tmp_path):
    """Also of one that goes on with what is finished."""
    out = io.StringIO()
    for seeds in (1, 2):
        display = SweepDisplay(
            Console(file=out, width=200), "joining the Ray cluster at head:1", quiet_seconds=0.0
        )
        api.sweep(settings(pool, seeds=seeds), results=tmp_path, observer=display)
    lines = out.getvalue().splitlines()
    assert "1 run finished before" in lines
    assert lines[-1].startswith("2/2 runs in ")
    assert messages.unusual([*lines, *UNUSUAL]) == UNUSUAL
    assert messages.foreign(lines) == []


def test_lines_of_others_are_seen_and_alrays_own_are_not_among_them():
    assert messages.foreign([*UNUSUAL, *OTHERS]) == OTHERS


# The tables


def test_a_fault_that_was_not_survived_stays_in_the_table():
    made = [
        Outcome(faults.Fault("worker", 1, 2.0), 1, 0.0, 0, 0.0, {}, seconds=number, repeated=3)
        for number in (1.0, 2.0, 9.0)
    ]
    made[1].problems.append("rounds differ")
    table = report.by_kind(made)
    assert table.title == "Faults: 3 tried, 2 survived"
    assert table.rows == [["a worker's process killed", "3", "-", "2, 9", "3, 3", "2"]]
    assert report.one_by_one(made).rows[1][-1] == "rounds differ"


# On a cluster of namespaces


@pytest.fixture
def possible():
    """Skip where no nodes can be made, or other nodes are up."""
    if reason := cluster.obstacle():
        pytest.skip(reason)


@pytest.mark.ray
@pytest.mark.usefixtures("possible")
def test_two_faults_are_survived():
    words = ["--faults", "2", "--kinds", "worker,driver", "--seeds", "1", "--rounds", "20"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "chaos_study", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Faults: 2 tried, 2 survived" in done.stdout
    assert not cluster.STATE.exists()
