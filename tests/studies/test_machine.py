"""What a node says of itself, and what is made of it."""

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
from alray.studies.machine import alray_versions, disk_space, node_facts, source_fingerprint

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
        "memory_disk_free": shared,
        "clock": clock,
    }


def warned(said, asked=99.0, answered=101.0):
    return warnings_about(Answer({}, said, asked, answered), OWN)


def test_a_node_says_its_name_versions_room_and_time(tmp_path):
    said = node_facts(str(tmp_path))
    assert said["host"] == platform.node()
    assert set(said["versions"]) == set(OWN)
    assert module.MISSING not in said["versions"].values()
    assert "+" not in said["versions"]["torch"]
    assert said["disk_free"] > 0
    assert said["clock"] > 1.7e9


def test_a_folder_that_is_not_there_has_no_room(tmp_path):
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


def test_a_node_without_alray_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert set(alray_versions().values()) == {module.MISSING}
    assert module.version_of("no-such-package") == module.MISSING


def test_equal_nodes_are_accepted_whatever_their_numpy():
    require_equal_versions(OWN, [facts(), facts("two", numpy="1.26.0")])


@pytest.mark.parametrize("name", ["alray", "alray's source", "Python", "torch"])
def test_a_node_that_could_give_other_results_is_refused_by_name(name):
    with pytest.raises(ClusterError) as caught:
        require_equal_versions(OWN, [facts("good"), facts("odd", **{name: "9.9"})])
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


def test_a_good_node_gets_no_warning():
    assert warned(facts()) == []


def test_a_full_disk_is_warned_about():
    (text,) = warned(facts("full", disk=GIB))
    assert text.startswith("node full: 1.00 GiB are free on the disk of Ray's folder")


@pytest.mark.parametrize(("clock", "seconds"), [(89.0, 10), (131.0, 30)])
def test_a_clock_is_off_by_what_the_round_trip_does_not_explain(clock, seconds):
    (text,) = warned(facts("late", clock=clock))
    assert text == f"node late: its clock is at least {seconds} s off from here"


def test_a_slow_answer_is_no_wrong_clock():
    assert warned(facts(clock=100.0), asked=50.0, answered=150.0) == []


def test_another_numpy_is_warned_about():
    assert warned(facts("n", numpy="1.26.0")) == [
        "node n has numpy 1.26.0, here it is numpy 2.1.0"
    ]
