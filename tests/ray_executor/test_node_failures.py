"""Nodes that keep losing workers are named, once, and left alone until a job finishes there."""

import pytest

from alray.ray_executor.node_failures import NodeFailures


@pytest.fixture
def failures():
    return NodeFailures()


def lose(failures: NodeFailures, host: str, *numbers: int) -> list[str | None]:
    """Lose a worker with each of these jobs; return the messages."""
    return [failures.lost(host, f"job-{number}", f"reason {number}") for number in numbers]


def test_a_node_that_loses_three_jobs_in_a_row_is_named_once_with_its_last_reason(failures):
    first, second, named, *later = lose(failures, "a", 0, 1, 2, 3, 4)
    assert {first, second, *later} == {None}
    assert named is not None
    assert named.startswith("a: 3 workers were lost or could not start")
    assert "reason 2" in named
    assert failures.quarantined == {"a"}


@pytest.mark.parametrize(("host", "numbers"), [("a", [7] * 9), ("", range(9))])
def test_one_job_that_dies_again_and_again_and_unknown_nodes_name_none(failures, host, numbers):
    assert not any(lose(failures, host, *numbers))
    assert failures.quarantined == frozenset()


def test_failed_starts_count_as_well(failures):
    lose(failures, "a", 0)
    failures.not_started("a", "no disk")
    assert failures.not_started("a", "no disk") is not None


def test_a_finished_job_clears_the_record_and_other_nodes_have_their_own(failures):
    lose(failures, "a", 0, 1)
    lose(failures, "b", 0)
    failures.finished("a")
    assert lose(failures, "a", 2) == [None]
    lose(failures, "a", 3, 4, 5)
    assert failures.quarantined == {"a"}
    failures.finished("a")
    assert failures.quarantined == frozenset()


def test_it_is_over_only_when_no_node_can_start_a_worker(failures):
    hosts = frozenset(["a", "b"])
    for _ in range(3):
        failures.not_started("a", "no disk")
    assert not failures.cannot_start(hosts, 3)
    assert failures.cannot_start(frozenset(["a"]), 3)
    for _ in range(3):
        failures.not_started("b", "no disk")
    assert failures.cannot_start(hosts, 3)
    failures.started("b")
    assert not failures.cannot_start(hosts, 3)
    assert failures.quarantined == hosts


def test_a_start_clears_failed_ones(failures):
    for host in ("a", ""):
        failures.not_started(host, "no disk")
    assert failures.cannot_start(frozenset(["a"]), 1)
    failures.started("a")
    assert not failures.cannot_start(frozenset(["a"]), 1)


def test_starts_that_fail_on_unknown_nodes_count_for_all_nodes(failures):
    over = []
    for _ in range(4):
        assert failures.not_started("", "no disk") is None
        over.append(failures.cannot_start(frozenset(["a", "b"]), 2))
    assert over == [False, False, False, True]
