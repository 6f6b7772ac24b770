"""What the executor makes of a lost worker; no Ray is started."""

from pathlib import Path

import pytest
from ray.exceptions import ActorUnavailableError, OutOfMemoryError, WorkerCrashedError

from alray import api
from alray.ray_executor import ActorExecutor
from alray.ray_executor.replies import Actor, RunningJob, cause_of_death
from alray.studies.events import Failure, Notice
from tests.helpers.studies import settings, write_pool


@pytest.fixture
def executor(tmp_path: Path) -> ActorExecutor:
    """Return one with two runs on node1 beside the one that is lost, and one on node2."""
    plan = api.plan_sweep(settings(write_pool(tmp_path / "pool.parquet")))
    made = ActorExecutor(plan.prepared, plan.study.execution)
    for number, host in enumerate(["node1", "node1", "node2"]):
        made._running[number] = RunningJob(Actor(None, host), f"run-{number}")
    return made


def test_where_memory_does_not_do_for_all_fewer_run_from_then_on(executor):
    lost, notice = executor._take_loss(
        Failure("run", "out of memory", "node1", out_of_memory=True), 2
    )
    assert lost == Failure("run", "out of memory", "node1", out_of_memory=True)
    assert isinstance(notice, Notice)
    assert "node1 has run out of memory: at most 2 jobs run there" in notice.text
    assert "--memory-per-run" in notice.text
    assert executor._nodes.limits == {"node1": 2}


def test_a_worker_that_was_alone_is_lost_like_any_other(executor):
    (lost,) = executor._take_loss(Failure("run", "out of memory", "node3", out_of_memory=True), 0)
    assert lost == Failure("run", "out of memory", "node3")
    assert executor._nodes.limits == {}


def test_the_third_loss_in_a_row_names_the_node(executor):
    said = [
        executor._take_loss(Failure(f"run-{number}", "killed", "node2"), 1) for number in range(3)
    ]
    assert [len(events) for events in said] == [1, 1, 2]
    told = said[2][1]
    assert isinstance(told, Notice)
    assert told.text.startswith("node2: 3 workers were lost")
    assert executor._failures.quarantined == {"node2"}


def test_idle_workers_are_dismissed_where_they_are_of_no_use_or_too_many(executor):
    executor._idle = [Actor(None, host) for host in ("node1", "node2", "node2")]
    executor._nodes.limits["node2"] = 2
    executor._release(frozenset(["node1"]))
    assert [actor.host for actor in executor._idle] == ["node2"]


def test_ends_are_told_in_plain_words():
    assert cause_of_death(OutOfMemoryError("a page of numbers")).endswith(
        "the node was running out of memory"
    )
    assert cause_of_death(WorkerCrashedError()) == "its process was killed or has crashed"
    broken = ActorUnavailableError("RpcError: RPC error: Socket closed rpc_code: 14", None)
    assert cause_of_death(broken).startswith("the connection to it broke: ")
    killed = "The actor is dead because Worker exit detail: Worker unexpectedly exits with a connection error code 2. EOF."
    assert cause_of_death(RuntimeError(killed)) == "its process was killed or has crashed"
    silent = (
        "The actor's node was terminated: health check failed due to missing too many heartbeats"
    )
    assert cause_of_death(RuntimeError(silent)) == "its node was not heard of for too long"
    report = "The actor died.\nThe actor is dead because ... Worker exit detail: connection error. Some common causes"
    assert cause_of_death(RuntimeError(report)) == "connection error."
