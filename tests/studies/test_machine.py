"""The facts that a node reports, and which of them are refused or warned about."""

import importlib.util
import platform

import pytest

from alray.errors import ClusterError
from alray.ray_executor.preflight import (
    Answer,
    require_equal_versions,
    require_shared_memory,
    warnings_about,
)
from alray.studies import machine as module
from alray.studies.machine import (
    alray_versions,
    disk_space,
    node_facts,
    own_software,
    source_fingerprint,
)

GIB = 2**30
OWN = {
    "alray": "0.1.0", "alray's source": "aaaa", "Python": "3.11", "torch": "2.13.0", "ray": "2.60.0",
    "numpy": "2.1.0", "pyarrow": "20.0",
}  # fmt: skip


def facts(host="one", clock=100.0, disk=100 * GIB, shared=8 * GIB, **versions):
    return {
        "host": host,
        "versions": {**OWN, **versions},
        "disk_free": disk,
        "memory_disk": shared,
        "clock": clock,
    }


def test_a_node_reports_its_name_versions_free_bytes_and_time(tmp_path):
    found = node_facts(str(tmp_path))
    assert found["host"] == platform.node()
    assert set(found["versions"]) == set(OWN)
    assert module.MISSING not in found["versions"].values()
    assert "+" not in found["versions"]["torch"]
    assert found["disk_free"] > 0
    assert found["clock"] > 1.7e9
    assert disk_space(str(tmp_path / "none")) == (None, None)


def test_the_fingerprint_changes_with_a_modules_content_and_name_and_nothing_else(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "inner" / "b.py").write_text("2")
    before = source_fingerprint(tmp_path)
    (tmp_path / "notes.txt").write_text("3")
    assert source_fingerprint(tmp_path) == before
    (tmp_path / "a.py").write_text("4")
    changed = source_fingerprint(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    assert len({before, changed, source_fingerprint(tmp_path)}) == 3


def test_a_process_reads_its_source_once(monkeypatch):
    """It is asked for what it is made of whenever a worker reports rounds."""
    assert own_software().startswith("alray ")
    reads: list[object] = []
    monkeypatch.setattr(module, "source_fingerprint", reads.append)
    own_software()
    assert reads == []


def test_a_node_without_alray_says_so(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert set(alray_versions().values()) == {module.MISSING}
    assert module.version_without_build("no-such-package") == module.MISSING


@pytest.mark.parametrize("name", ["alray", "alray's source", "Python", "torch"])
def test_a_node_that_could_give_other_results_is_refused_by_name(name):
    good = [facts("good"), facts("numpy may differ", numpy="1.26.0")]
    require_equal_versions(OWN, good)
    with pytest.raises(ClusterError) as caught:
        require_equal_versions(OWN, [*good, facts("odd", **{name: "9.9"})])
    assert f"odd has {name} 9.9" in str(caught.value)
    assert f"{name} {OWN[name]}" in str(caught.value)
    assert "good has" not in str(caught.value)


def test_a_node_without_alray_is_refused_with_what_to_do():
    none = {"alray": module.MISSING, "alray's source": module.MISSING}
    with pytest.raises(ClusterError, match=r"bare has no alray\. Install .*pip install"):
        require_equal_versions(OWN, [facts("bare", **none)])


def test_a_container_with_little_shared_memory_is_refused():
    with pytest.raises(ClusterError) as caught:
        require_shared_memory(facts("box", shared=64 * 2**20), 2 * GIB)
    message = str(caught.value)
    assert "node box: /dev/shm has 0.06 GiB, the pool needs 3.00 GiB there" in message
    assert "--shm-size" in message
    assert "medium: Memory" in message


@pytest.mark.parametrize("shared", [3 * GIB, None])
def test_enough_shared_memory_or_none_at_all_is_accepted(shared):
    """Other systems than Linux have no /dev/shm."""
    require_shared_memory(facts(shared=shared), 2 * GIB)


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({}, []),
        ({"disk": GIB}, ["node one: 1.00 GiB are free on the disk of Ray's folder"]),
        ({"clock": 89.0}, ["node one: its clock is at least 10 s off from here"]),
        ({"clock": 131.0}, ["node one: its clock is at least 30 s off from here"]),
        ({"numpy": "1.26.0"}, ["node one has numpy 1.26.0, here it is numpy 2.1.0"]),
    ],
    ids=str,
)
def test_what_could_go_wrong_is_warned_about(changes, warnings):
    """A clock is off by what the time between question and answer does not explain."""
    found = warnings_about(Answer({}, facts(**changes), 99.0, 101.0), OWN)
    assert len(found) == len(warnings)
    assert all(text.startswith(start) for text, start in zip(found, warnings, strict=True))
    assert warnings_about(Answer({}, facts(clock=100.0), 50.0, 150.0), OWN) == []


INFO = """processor\t: 0
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC

processor\t: 1
cpu family\t: 26
model name\t: another
"""


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (INFO, "AMD EPYC (family 25, model 17)"),
        ("model name\t: Cortex: A1\n", "Cortex: A1"),
        ("", platform.processor()),
    ],
)
def test_a_processor_is_named_with_family_and_model_where_there_are_some(
    monkeypatch, tmp_path, info, name
):
    file = tmp_path / "cpuinfo"
    file.write_text(info)
    monkeypatch.setattr(module, "Path", lambda _: file)
    assert module.processor() == name


@pytest.mark.parametrize(
    ("recorded", "same"),
    [
        ("AMD EPYC (family 25, model 17)", True),
        ("AMD EPYC", True),
        ("AMD EPYC (family 25, model 1)", False),
        ("AMD", False),
    ],
)
def test_a_record_of_before_names_a_processor_without_its_model(recorded, same):
    assert module.is_same_processor(recorded, "AMD EPYC (family 25, model 17)") is same
