"""What the executor makes of Ray's list of nodes; no Ray is started."""

from collections import Counter

import pytest

from alray.ray_executor.nodes import Nodes, slots
from alray.studies.retries import NOWHERE

ONE_CPU = {"num_cpus": 1, "num_gpus": 0}


def node(name: str, host: str, cpus: float = 2.0, **resources: float) -> dict[str, object]:
    return {
        "NodeID": name,
        "NodeManagerHostname": host,
        "NodeManagerAddress": f"10.0.0.{ord(name[-1])}",
        "Resources": {"CPU": cpus, **resources},
    }


def cluster(*entries: dict[str, object]) -> Nodes:
    nodes = Nodes()
    nodes.update(entries, ONE_CPU)
    return nodes


@pytest.fixture
def two():
    return cluster(node("id-a", "alpha"), node("id-b", "beta"))


def test_nodes_go_by_their_hosts_and_keep_their_names():
    nodes = cluster(node("id-b", "same"))
    nodes.update([node("id-a", "same"), node("id-b", "same"), node("id-c", "other")], ONE_CPU)
    assert [nodes.name(each) for each in ("id-a", "id-b", "id-c")] == ["same #2", "same", "other"]
    nodes.update([node("id-a", "same")], ONE_CPU)
    assert nodes.names() == {"same #2"}
    nodes.update([node("id-a", "same"), node("id-d", "same")], ONE_CPU)
    assert nodes.name("id-d") == "same"
    assert nodes.name("id-b") == ""


@pytest.mark.parametrize(
    ("resources", "options", "expected"),
    [
        ({"CPU": 4.0}, ONE_CPU, 4),
        ({"CPU": 4.0}, {"num_cpus": 3}, 1),
        ({"CPU": 4.0, "GPU": 1.0}, {"num_cpus": 1, "num_gpus": 0.5}, 2),
        ({"CPU": 4.0}, {"num_cpus": 1, "num_gpus": 0.5}, 0),
        ({"CPU": 4.0, "memory": 5e9}, {"num_cpus": 1, "memory": 2e9}, 2),
        ({}, ONE_CPU, 0),
    ],
)
def test_how_many_runs_fit_a_node(resources, options, expected):
    assert slots(resources, options) == expected


ALPHA, BETA = frozenset(["alpha"]), frozenset(["beta"])


@pytest.mark.parametrize(
    ("state", "nodes"),
    [
        ({"quarantined": ALPHA}, BETA),
        # They are used again where there are no others.
        ({"quarantined": ALPHA | BETA}, ALPHA | BETA),
        ({"starved": BETA}, ALPHA),
    ],
)
def test_nodes_on_which_workers_can_be(two, state, nodes):
    vars(two).update(state)
    assert two.open() == nodes


@pytest.mark.parametrize(
    ("state", "avoid", "workers", "excluded"),
    [
        ({"quarantined": ALPHA}, NOWHERE, {}, ALPHA),
        ({"quarantined": ALPHA | BETA}, NOWHERE, {}, NOWHERE),
        # What jobs avoid counts for more than a bad record,
        ({"quarantined": ALPHA}, BETA, {}, BETA),
        # and is used where nothing would start elsewhere.
        ({"starved": BETA}, ALPHA, {}, NOWHERE),
        ({"limits": {"alpha": 1}}, NOWHERE, {"alpha": 1}, ALPHA),
        ({"limits": {"alpha": 1}}, NOWHERE, {"beta": 2}, NOWHERE),
    ],
)
def test_nodes_on_which_no_new_worker_starts(two, state, avoid, workers, excluded):
    vars(two).update(state)
    assert two.excluded(avoid, Counter(workers)) == excluded


def test_a_node_that_is_too_small_is_no_alternative():
    nodes = cluster(node("id-a", "alpha"), node("id-b", "beta", cpus=0.0))
    assert nodes.open() == ALPHA
    assert nodes.excluded(ALPHA, Counter()) == NOWHERE


def test_a_node_with_a_limit_takes_no_more_than_that(two):
    two.limits["alpha"] = 1
    assert two.capacity(NOWHERE) == 1 + 2
    assert two.capacity(ALPHA) == 2


def test_a_limit_goes_with_its_node(two):
    two.limits["alpha"] = 1
    two.update([node("id-b", "beta")], ONE_CPU)
    assert two.limits == {}


def test_workers_are_kept_from_nodes_by_label(two):
    assert two.kept_from(NOWHERE) == {}
    both = two.kept_from(frozenset(["alpha", "beta"]))
    assert both == {"label_selector": {"ray.io/node-id": "!in(id-a,id-b)"}}


def test_nothing_runs_on_a_node_that_is_barred(two):
    alive = [node("id-a", "alpha"), node("id-b", "beta")]
    two.update(alive, ONE_CPU, frozenset(["id-b"]))
    assert two.open() == {"alpha"}
    assert two.capacity(NOWHERE) == 2
    assert [two.fits(each) for each in ("id-a", "id-b", "id-c")] == [True, False, False]
    assert two.kept_from(NOWHERE) == {"label_selector": {"ray.io/node-id": "!in(id-b)"}}
    two.update(alive, ONE_CPU)
    assert two.open() == {"alpha", "beta"}
    assert two.kept_from(NOWHERE) == {}


@pytest.mark.parametrize(
    ("report", "name"),
    [
        ("The node was dead. Node IP: 10.0.0.98, node ID: id-b.", "beta"),
        ("ValueError (pid=1, ip=10.0.0.97, actor_id=0)", "alpha"),
        ("\tip: 10.0.0.98\nThe actor is dead", "beta"),
        ("The worker died unexpectedly", ""),
        ("ip=10.0.0.5", ""),
    ],
)
def test_the_node_in_a_report_of_ray(two, report, name):
    assert two.named_in(report) == name


def test_an_address_of_two_nodes_names_neither():
    nodes = cluster(node("id-a", "alpha"), node("other-a", "beta"))
    assert nodes.named_in("ip=10.0.0.97") == ""
