"""Asking an autoscaler for capacity: when, for how much, and taking it back; no Ray."""

from alray.ray_executor import autoscaling
from alray.ray_executor.autoscaling import CapacityRequest, names_node_types

RUN = {"num_cpus": 2, "num_gpus": 0, "memory": 2**30}
BUNDLE = {"CPU": 2, "memory": 2**30}


def test_an_autoscaler_is_known_by_its_types_of_nodes():
    types = {"ab": "node_ab", "cd": "node_cd"}
    assert not names_node_types({"autoscaler_report": {"node_type_mapping": types}})
    types["ef"] = "workers"
    assert names_node_types({"autoscaler_report": {"node_type_mapping": types}})
    assert not names_node_types({"autoscaler_report": None})


def test_while_all_is_taken_twice_what_is_there_is_asked_for(autoscaler):
    request = CapacityRequest(RUN, None)
    text = request.update(0)
    assert text == "asked the cluster for capacity for 8 runs; no node can hold a run yet, waiting"
    assert request.update(8) == "asked the cluster for capacity for 16 runs"
    assert request.update(3) is None, "already asked for more"
    autoscaler.free = {"CPU": 2.0, "memory": 2.0**30}
    assert request.update(16) is None, "one more run fits"
    assert autoscaler.asked == [[BUNDLE] * 8, [BUNDLE] * 16]


def test_nodes_that_are_too_small_are_no_capacity(autoscaler):
    autoscaler.free = {"CPU": 4.0, "memory": 2.0**32}
    assert CapacityRequest(RUN, None).update(0)
    assert autoscaler.asked == [[BUNDLE] * 8]


def test_as_many_as_the_user_allows_are_asked_for_once(autoscaler):
    request = CapacityRequest(RUN, 3)
    assert request.update(1) == "asked the cluster for capacity for 3 runs"
    assert request.update(3) is None
    assert autoscaler.asked == [[BUNDLE] * 3]


def test_a_request_is_taken_back_where_there_was_one(autoscaler):
    request = CapacityRequest(RUN, None)
    request.take_back()
    assert autoscaler.asked == []
    request.update(0)
    request.take_back()
    assert autoscaler.asked[-1] == []


def test_capacity_is_not_checked_all_the_time(autoscaler, monkeypatch):
    monkeypatch.setattr(autoscaling, "ASK_SECONDS", 60.0)
    request = CapacityRequest(RUN, None)
    request.update(0)
    assert request.update(100) is None
