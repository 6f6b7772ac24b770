"""Whether the cluster still answers, tried on ports of this machine; no Ray."""

import socket

import pytest

from alray.errors import ClusterError
from alray.ray_executor.liveness import ClusterView, Endpoint, head_endpoint, own_endpoint

NODES = [{"NodeID": "a", "Alive": True}, {"NodeID": "b", "Alive": False}]


@pytest.fixture
def clock(monkeypatch):
    """Return a list whose last number is the time."""
    now = [1000.0]
    monkeypatch.setattr("alray.ray_executor.liveness.time.monotonic", lambda: now[-1])
    return now


@pytest.fixture
def head():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def view_of(server, asked):
    def ask():
        asked.append(1)
        return NODES

    return ClusterView((head_endpoint("127.0.0.1", server.getsockname()[1]),), ask)


def test_nodes_that_are_up_are_asked_for_twice_a_second_at_most(clock, head):
    asked: list[int] = []
    view = view_of(head, asked)
    assert view.nodes() == view.nodes() == NODES[:1]
    assert len(asked) == 1
    clock.append(clock[-1] + 0.6)
    view.nodes()
    assert len(asked) == 2
    assert not view.unreachable


def test_places_are_tried_ten_times_a_second_at_most(clock, head, monkeypatch):
    tried: list[float] = []
    answers = Endpoint.answers

    def count(endpoint):
        tried.append(clock[-1])
        return answers(endpoint)

    monkeypatch.setattr(Endpoint, "answers", count)
    view = view_of(head, [])
    for seconds in (0.0, 0.05, 0.15, 0.2):
        clock.append(1000.0 + seconds)
        view.nodes()
    assert tried == [1000.0, 1000.15]


def test_a_silent_head_is_not_asked_and_given_some_time(clock, head):
    asked: list[int] = []
    view = view_of(head, asked)
    view.nodes()
    head.close()
    for seconds in (1.0, 14.0):
        clock.append(1000.0 + seconds)
        assert view.nodes() == NODES[:1]
        assert view.unreachable
    clock.append(1016.5)
    with pytest.raises(ClusterError, match=r"the cluster's head .* is gone: .*the same command"):
        view.nodes()
    assert len(asked) == 1
    assert "is gone" in str(view.end())


def test_a_head_that_comes_back_is_forgiven(clock, head):
    asked: list[int] = []
    view = view_of(head, asked)
    port = head.getsockname()[1]
    view.nodes()
    head.close()
    clock.append(1010.0)
    view.nodes()
    with socket.create_server(("127.0.0.1", port)):
        clock.append(1020.0)
        view.nodes()
        assert not view.unreachable
        assert view.end() is None
    clock.append(1030.0)
    view.nodes()
    assert view.unreachable


def test_ray_that_has_ended_on_this_node_is_told_sooner(clock, head):
    port = head.getsockname()[1]
    view = ClusterView(
        (own_endpoint("127.0.0.1", port), head_endpoint("127.0.0.1", port)), lambda: NODES
    )
    head.close()
    view.nodes()
    clock.append(1003.5)
    with pytest.raises(ClusterError, match="Ray on this program's own node"):
        view.nodes()
