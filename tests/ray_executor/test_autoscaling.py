"""Asking an autoscaler for room: when, for how much, and taking it back; no Ray."""

import pytest

from alray.ray_executor import autoscaling
from alray.ray_executor.autoscaling import CapacityRequest, names_node_types

RUN = {"num_cpus": 2, "num_gpus": 0, "memory": 2**30}
BUNDLE = {"CPU": 2, "memory": 2**30}


@pytest.fixture
def asked(monkeypatch):
    """Return the list of what is asked for."""
    calls: list[list[dict[str, float]]] = []
    monkeypatch.setattr(autoscaling, "request_resources", lambda *, bundles: calls.append(bundles))
    monkeypatch.setattr(autoscaling, "ASK_SECONDS", 0.0)
    return calls


def free(monkeypatch, **resources):
    monkeypatch.setattr("ray.available_resources", lambda: resources)


def test_an_autoscaler_is_known_by_its_types_of_nodes():
    plain = {"autoscaler_report": {"node_type_mapping": {"ab": "node_ab", "cd": "node_cd"}}}
    assert not names_node_types(plain)
    plain["autoscaler_report"]["node_type_mapping"]["ef"] = "workers"
    assert names_node_types(plain)
    assert not names_node_types({"autoscaler_report": None})


def test_room_is_asked_for_while_all_is_taken_twice_what_is_there(monkeypatch, asked):
    request = CapacityRequest(RUN, None)
    free(monkeypatch)
    text = request.update(0)
    assert text == "asked the cluster for capacity for 8 runs; no node can hold a run yet, waiting"
    assert request.update(8) == "asked the cluster for capacity for 16 runs"
    assert request.update(3) is None, "already asked for more"
    free(monkeypatch, CPU=2.0, memory=2.0**30)
    assert request.update(16) is None, "a run has room"
    assert asked == [[BUNDLE] * 8, [BUNDLE] * 16]


def test_what_is_free_on_nodes_that_are_too_small_is_no_room(monkeypatch, asked):
    free(monkeypatch, CPU=4.0, memory=2.0**32)
    assert CapacityRequest(RUN, None).update(0)
    assert asked == [[BUNDLE] * 8]


def test_as_many_as_people_allow_are_asked_for_once(monkeypatch, asked):
    request = CapacityRequest(RUN, 3)
    free(monkeypatch)
    assert request.update(1) == "asked the cluster for capacity for 3 runs"
    assert request.update(3) is None
    assert asked == [[BUNDLE] * 3]


def test_what_was_asked_for_is_taken_back(monkeypatch, asked):
    request = CapacityRequest(RUN, None)
    request.take_back()
    assert asked == []
    free(monkeypatch)
    request.update(0)
    request.take_back()
    assert asked[-1] == []


def test_it_is_not_looked_all_the_time(monkeypatch, asked):
    monkeypatch.setattr(autoscaling, "ASK_SECONDS", 60.0)
    free(monkeypatch)
    request = CapacityRequest(RUN, None)
    request.update(0)
    assert request.update(100) is None
