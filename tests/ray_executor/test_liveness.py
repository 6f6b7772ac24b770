"""Whether the cluster still answers, tried on ports of this machine; no Ray."""

import socket
from types import SimpleNamespace

import pytest

from alray.errors import ClusterError
from alray.ray_executor import liveness
from alray.ray_executor.liveness import ClusterView, Endpoint, head_endpoint, own_endpoint

NODES = [{"NodeID": "a", "Alive": True}, {"NodeID": "b", "Alive": False}]


@pytest.fixture
def clock(monkeypatch):
    """Return a clock whose time is `seconds`."""
    made = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(liveness, "time", SimpleNamespace(monotonic=lambda: made.seconds))
    return made


@pytest.fixture
def head():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def port(head):
    return head.getsockname()[1]


@pytest.fixture
def asked():
    """Return a list with an entry for each time that Ray is asked for its nodes."""
    return []


@pytest.fixture
def view(port, asked):
    def ask():
        asked.append(1)
        return NODES

    return ClusterView((head_endpoint("127.0.0.1", port),), ask)


def test_nodes_that_are_up_are_asked_for_twice_a_second_at_most(clock, view, asked):
    assert view.nodes() == view.nodes() == NODES[:1]
    assert len(asked) == 1
    clock.seconds += 0.6
    view.nodes()
    assert len(asked) == 2
    assert not view.unreachable


def test_endpoints_are_tried_ten_times_a_second_at_most(clock, view, monkeypatch):
    tried: list[float] = []

    def answers(_):
        tried.append(clock.seconds)
        return True

    monkeypatch.setattr(Endpoint, "answers", answers)
    for seconds in (1000.0, 1000.05, 1000.15, 1000.2):
        clock.seconds = seconds
        view.nodes()
    assert tried == [1000.0, 1000.15]


def test_a_head_that_does_not_answer_is_not_asked_and_given_some_time(clock, head, view, asked):
    view.nodes()
    head.close()
    for seconds in (1001.0, 1014.0):
        clock.seconds = seconds
        assert view.nodes() == NODES[:1]
        assert view.unreachable
    clock.seconds = 1016.5
    with pytest.raises(ClusterError, match=r"the cluster's head .* is gone: .*the same command"):
        view.nodes()
    assert len(asked) == 1
    assert "is gone" in str(view.end())


def test_a_head_that_comes_back_has_all_its_time_again(clock, head, port, view):
    view.nodes()
    head.close()
    clock.seconds = 1010.0
    view.nodes()
    with socket.create_server(("127.0.0.1", port)):
        clock.seconds = 1020.0
        view.nodes()
        assert not view.unreachable
        assert view.end() is None
    clock.seconds = 1030.0
    view.nodes()
    assert view.unreachable


def test_ray_that_has_ended_on_this_node_is_reported_sooner(clock, head, port):
    endpoints = (own_endpoint("127.0.0.1", port), head_endpoint("127.0.0.1", port))
    view = ClusterView(endpoints, lambda: NODES)
    head.close()
    view.nodes()
    clock.seconds = 1003.5
    with pytest.raises(ClusterError, match="Ray on this program's own node"):
        view.nodes()
