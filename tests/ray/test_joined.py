"""A cluster that is joined: asked for a token, and every node checked."""

import socket
import time

import pytest
import ray

from alray import api
from alray.errors import ClusterError
from alray.ray_executor import preflight, security
from alray.ray_executor.actors import ActorExecutor
from alray.ray_executor.preflight import Preflight
from alray.ray_executor.session import alive_nodes
from alray.settings.common import ExecutionSpec
from alray.settings.sweep import SweepSpec
from alray.studies.machine import node_facts
from tests.helpers.studies import settings

pytestmark = pytest.mark.ray

# Sessions and nodes that were asked are looked at inside of executors: a driver sees jobs and hosts alone.

OWN = node_facts("/")["versions"]


@pytest.fixture(scope="module")
def shared(pool):
    return api.plan_sweep(SweepSpec.model_validate(settings(pool))).shared


def joining(cluster, **changes):
    return ExecutionSpec(executor="ray", address=cluster, **changes)


def test_a_cluster_with_a_token_turns_away_who_has_none(cluster):
    assert security.probe(cluster) == security.LOCKED


def test_a_joined_cluster_is_examined_and_used(cluster, shared, monkeypatch):
    monkeypatch.setattr(preflight, "DISK_BYTES", 2**60)
    with ActorExecutor(shared, joining(cluster)) as executor:
        notices = executor._session.take_notices()
        assert executor._session.window() == 2
    assert any(f"node {socket.gethostname()}: " in text and "are free" in text for text in notices)


def test_an_open_cluster_is_refused_unless_the_user_insists(cluster, shared, monkeypatch):
    monkeypatch.setattr(security, "probe", lambda address: security.OPEN)
    with pytest.raises(ClusterError, match="asks for no token"):
        ActorExecutor(shared, joining(cluster)).__enter__()
    with ActorExecutor(shared, joining(cluster, insecure=True)) as executor:
        assert executor._session.window() == 2


def test_a_node_with_another_alray_is_refused(cluster):
    other = Preflight(0, alive_nodes, print, _own={**OWN, "alray": "0.0.1"})
    with pytest.raises(
        ClusterError, match=rf"\(alray 0\.0\.1, .*{socket.gethostname()} has alray "
    ):
        other.check_all()


def test_a_node_that_does_not_answer_is_named(cluster, monkeypatch):
    monkeypatch.setattr(preflight, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(preflight, "ask", lambda node: ray.ObjectRef.from_random())
    with pytest.raises(ClusterError, match=f"^{socket.gethostname()} did not answer within 1 s"):
        Preflight(0, alive_nodes, print).check_all()


def test_a_node_in_whose_store_the_pool_does_not_fit_is_refused(cluster):
    with pytest.raises(
        ClusterError,
        match=rf"node {socket.gethostname()}: its object store has 0\.20 GiB.*needs 1396\.98 GiB"
        r" \(1\.5 times.*--object-store-memory",
    ):
        Preflight(10**12, alive_nodes, print).check_all()


def test_a_dead_node_that_still_stands_on_the_list_is_not_checked(cluster, monkeypatch):
    (here,) = alive_nodes()
    dead = {**here, "NodeID": "dead", "Resources": {"object_store_memory": 1.0}}
    lists = [[here, dead]] * 5
    real = preflight.ask
    monkeypatch.setattr(
        preflight, "ask", lambda node: real(node) if node is here else ray.ObjectRef.from_random()
    )
    Preflight(1000, lambda: lists.pop() if lists else [here], print).check_all()
    assert lists == []


def test_a_node_is_asked_once_and_a_new_one_without_waiting(cluster, monkeypatch):
    checked = Preflight(0, alive_nodes, print)
    checked.check_all()
    asked: list[str] = []
    real = preflight.ask

    def ask(node):
        asked.append(node["NodeID"])
        return real(node)

    monkeypatch.setattr(preflight, "ask", ask)
    checked.check_new()
    assert asked == []
    assert not checked.unchecked()
    checked._known.clear()
    checked.check_new()
    assert len(asked) == 1


def test_a_node_that_joins_later_is_barred_until_it_has_shown_that_it_fits(cluster):
    warnings: list[str] = []
    late = Preflight(0, alive_nodes, warnings.append)
    ids = {node["NodeID"] for node in alive_nodes()}
    assert late.unchecked() == ids
    wait_for_answers(late)
    assert not late.unchecked()
    assert warnings == []


def test_a_node_that_joins_later_and_does_not_fit_is_left_out(cluster):
    warnings: list[str] = []
    late = Preflight(0, alive_nodes, warnings.append, _own={**OWN, "torch": "1.0"})
    wait_for_answers(late)
    host = socket.gethostname()
    assert late.unchecked() == {node["NodeID"] for node in alive_nodes()}
    (warning,) = warnings
    assert f"{host} has torch " in warning
    assert warning.endswith(f"The study goes on without {host}")


def wait_for_answers(late: Preflight) -> None:
    deadline = time.monotonic() + 30
    late.check_new()
    while late._asked and time.monotonic() < deadline:
        time.sleep(0.1)
        late.check_new()
