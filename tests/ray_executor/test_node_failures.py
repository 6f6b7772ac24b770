"""Nodes that keep losing workers are named, once, and left alone until a job finishes there."""

from alray.ray_executor.node_failures import NodeFailures


def test_a_node_that_loses_three_jobs_in_a_row_is_named_once_with_its_last_reason():
    record = NodeFailures()
    told = [record.lost("a", f"job-{number}", f"reason {number}") for number in range(5)]
    assert [text is None for text in told] == [True, True, False, True, True]
    assert told[2] is not None
    assert told[2].startswith("a: 3 workers were lost or could not start")
    assert "reason 2" in told[2]
    assert record.quarantined == {"a"}


def test_one_job_that_dies_again_and_again_is_no_proof():
    record = NodeFailures()
    assert not any(record.lost("a", "poison", "killed") for _ in range(9))
    assert record.quarantined == frozenset()


def test_failed_starts_count_as_well():
    record = NodeFailures()
    record.lost("a", "job", "killed")
    record.not_started("a", "no disk")
    assert record.not_started("a", "no disk") is not None


def test_a_finished_job_clears_the_record_and_other_nodes_have_their_own():
    record = NodeFailures()
    for number in range(2):
        record.lost("a", f"job-{number}", "killed")
    record.lost("b", "job-0", "killed")
    record.finished("a")
    assert record.lost("a", "job-2", "killed") is None
    for number in range(3, 6):
        record.lost("a", f"job-{number}", "killed")
    assert record.quarantined == {"a"}
    record.finished("a")
    assert record.quarantined == frozenset()


def test_what_happened_nobody_knows_where_names_no_node():
    record = NodeFailures()
    assert not any(record.lost("", f"job-{number}", "killed") for number in range(9))
    assert record.quarantined == frozenset()


def test_it_is_over_only_when_no_node_can_start_a_worker():
    record = NodeFailures()
    hosts = frozenset(["a", "b"])
    for _ in range(3):
        record.not_started("a", "no disk")
    assert not record.cannot_start(hosts, 3)
    assert record.cannot_start(frozenset(["a"]), 3)
    for _ in range(3):
        record.not_started("b", "no disk")
    assert record.cannot_start(hosts, 3)
    record.started("b")
    assert not record.cannot_start(hosts, 3)
    assert record.quarantined == hosts


def test_a_start_clears_failed_ones():
    record = NodeFailures()
    hosts = frozenset(["a"])
    for host in ("a", ""):
        record.not_started(host, "no disk")
    assert record.cannot_start(hosts, 1)
    record.started("a")
    assert not record.cannot_start(hosts, 1)


def test_starts_that_fail_nobody_knows_where_count_for_all_nodes():
    record = NodeFailures()
    hosts = frozenset(["a", "b"])
    assert [bool(record.not_started("", "x")) or record.cannot_start(hosts, 2) for _ in range(4)] == [
        False, False, False, True
    ]  # fmt: skip
