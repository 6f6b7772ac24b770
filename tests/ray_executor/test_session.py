"""What a session makes of the nodes; no Ray is started."""

import functools
from unittest.mock import Mock

import pytest
import ray

from alray.errors import ClusterError, Interrupted
from alray.ray_executor import session
from alray.ray_executor.autoscaling import CapacityRequest
from alray.ray_executor.liveness import ClusterView
from alray.ray_executor.session import RaySession
from alray.settings.common import ExecutionSpec
from tests.helpers.builders import image_pool

GIB = 2.0**30
# Joining a cluster sets the request for capacity and connects: here both are done without one.


@pytest.fixture
def ray_session(monkeypatch):
    """Return a function that makes a session on nodes with these resources."""

    def make(*nodes, **execution):
        up = [
            {"Alive": True, "NodeID": str(number), "Resources": resources}
            for number, resources in enumerate(nodes)
        ]
        view = ClusterView((), lambda: up)
        monkeypatch.setattr(session, "cluster_view", functools.cache(lambda: view))
        return RaySession(image_pool(), ExecutionSpec(**execution))

    return make


def test_a_run_takes_the_memory_that_is_asked_for(ray_session):
    assert "memory" not in ray_session().worker_options()
    made = ray_session(memory_per_run=1.5)
    assert made.worker_options()["memory"] == 1.5 * GIB


def test_memory_limits_how_many_runs_there_are(ray_session):
    node = {"CPU": 8.0, "memory": 5 * GIB}
    assert ray_session(node, node).window() == 16
    assert ray_session(node, node, memory_per_run=2).window() == 4
    assert ray_session(node, node, memory_per_run=2, parallel=3).window() == 3


def test_cpus_of_two_nodes_do_not_add_up_to_one_run(ray_session):
    nodes = [{"CPU": cpus} for cpus in (3.0, 1.0, 4.0, 0.0)]
    assert ray_session(*nodes, cpus_per_run=2).window() == 1 + 0 + 2


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ({"memory_per_run": 6}, r"1 CPUs and 0 GPUs and 6 GiB: .*8 and 0 and 5\.00 GiB; lower"),
        ({"cpus_per_run": 9}, "9 CPUs and 0 GPUs: the nodes have 8 and 0.*; lower --cpus-per-run"),
        ({"gpus_per_run": 0.5}, r"1 CPUs and 0\.5 GPUs: the nodes have 8 and 0"),
    ],
)
def test_a_run_that_no_node_can_hold_is_refused_with_what_there_is(ray_session, needs, message):
    made = ray_session({"CPU": 8.0, "memory": 5 * GIB}, **needs)
    with pytest.raises(ClusterError, match=f"no node can hold a run of {message}"):
        made.window()


@pytest.mark.parametrize(("unchecked", "window"), [(["0"], 4), (["0", "1"], 0)])
def test_nodes_that_are_not_checked_yet_have_no_capacity(
    ray_session, monkeypatch, unchecked, window
):
    made = ray_session({"CPU": 8.0}, {"CPU": 4.0})
    monkeypatch.setattr(made, "_unchecked", lambda: frozenset(unchecked))
    assert made.window() == window


def test_a_cluster_that_grows_by_itself_is_asked_and_waited_for(ray_session, autoscaler):
    made = ray_session({"CPU": 0.0})
    made._request = CapacityRequest(made.worker_options(), None)
    assert made.window() == 0
    assert [len(bundles) for bundles in autoscaler.asked] == [8]
    assert made.take_notices() == [
        "asked the cluster for capacity for 8 runs; no node can hold a run yet, waiting"
    ]


def test_a_node_that_is_not_checked_yet_is_capacity_that_need_not_be_asked_for(
    ray_session, autoscaler, monkeypatch
):
    made = ray_session({"CPU": 8.0}, {"CPU": 4.0})
    made._request = CapacityRequest(made.worker_options(), 12)
    monkeypatch.setattr(made, "_unchecked", lambda: frozenset(["0"]))
    assert made.window() == 4
    assert autoscaler.asked == []


def test_no_run_is_started_while_the_cluster_does_not_answer(ray_session, monkeypatch):
    made = ray_session({"CPU": 8.0})
    made.window()
    monkeypatch.setattr(ClusterView, "unreachable", True)
    assert made.window() == 0


def test_the_cluster_of_the_environment_is_joined(ray_session, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(session, "require_answer", lambda address: None)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda address, **_: asked.append(address))
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    ray_session({"CPU": 1.0})._connect()
    monkeypatch.delenv("RAY_ADDRESS")
    ray_session({"CPU": 1.0})._connect()
    assert asked == ["10.0.0.1:6379", "local"]


def test_sigterm_while_ray_starts_is_a_request_to_stop(ray_session, monkeypatch):
    """Ray's own handler of SIGTERM ends the program, with 15."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)  # other tests may have started one
    monkeypatch.setattr(ray, "init", Mock(side_effect=SystemExit(15)))
    with pytest.raises(Interrupted, match="while Ray was starting"):
        ray_session().open()
