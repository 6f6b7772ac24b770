"""What executors make of lost workers, and how Ray's reports of them read; no Ray is started."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from ray.exceptions import ActorUnavailableError, OutOfMemoryError, RayError, WorkerCrashedError

from alray import api
from alray.custom.code import NO_CODE
from alray.ray_executor.actors import ActorExecutor
from alray.ray_executor.replies import cause_of_death, reason
from alray.ray_executor.running_actor import RunningActor
from alray.ray_executor.session import RaySession
from alray.ray_executor.tasks import TaskExecutor, _Submitted
from alray.studies.correlation.tasks import Task, TrainBase
from alray.studies.correlation.worker import Performed, make_task_worker
from alray.studies.events import Failure, Notice
from alray.studies.retries import NOWHERE
from tests.helpers.correlation_studies import correlation_settings
from tests.helpers.studies import settings

# Executors have no public method for a loss: it comes from Ray alone.


@pytest.fixture
def runs(pool) -> ActorExecutor:
    """Return an executor with two runs on node1 beside the one that is lost, and one on node2."""
    plan = api.plan_sweep(settings(pool))
    made = ActorExecutor(plan.shared, plan.study.execution)
    for number, host in enumerate(["node1", "node1", "node2"]):
        made._actors.append(RunningActor(None, host))
        made._actors[-1].jobs[0] = f"run-{number}"
    return made


@pytest.fixture
def tasks(pool, monkeypatch) -> TaskExecutor[Task, Performed]:
    """Return an executor on two nodes of two CPUs: two tasks on node1, one on node2, and one that waits for either."""
    plan = api.plan_correlation(correlation_settings(pool))
    make_worker = partial(make_task_worker, plan.spec, NO_CODE)
    made = TaskExecutor[Task, Performed](plan.prepared, plan.spec.execution, make_worker)
    nodes: list[dict[str, Any]] = [
        {"NodeID": name, "NodeManagerHostname": name, "Resources": {"CPU": 2.0}}
        for name in ("node1", "node2")
    ]
    made._nodes.update(nodes, {"num_cpus": 1})
    monkeypatch.setattr(RaySession, "update", lambda *_: None)
    monkeypatch.setattr(RaySession, "window", lambda _: 4)
    for number, host in enumerate(["node1", "node1", "node2", ""]):
        made._submitted[number] = _Submitted(
            TrainBase(f"base-{number}", number), None, NOWHERE, host
        )
    return made


def out_of_memory(job: str, host: str) -> Failure:
    return Failure(job, "out of memory", host, out_of_memory=True)


def test_where_memory_is_not_enough_for_all_fewer_run_from_then_on(runs):
    lost, notice = runs._take_loss(out_of_memory("run", "node1"), 2)
    assert lost == out_of_memory("run", "node1")
    assert isinstance(notice, Notice)
    assert "node1 has run out of memory: at most 2 jobs run there" in notice.text
    assert "--memory-per-run" in notice.text
    assert runs._nodes.limits == {"node1": 2}


def test_a_worker_that_was_alone_is_lost_like_any_other(runs):
    (lost,) = runs._take_loss(out_of_memory("run", "node3"), 0)
    assert lost == Failure("run", "out of memory", "node3")
    assert runs._nodes.limits == {}


def test_the_third_loss_in_a_row_names_the_node(runs):
    losses = [Failure(f"run-{number}", "killed", "node2") for number in range(3)]
    first, second, (_, notice) = [runs._take_loss(lost, 1) for lost in losses]
    assert [*first, *second] == losses[:2]
    assert isinstance(notice, Notice)
    assert notice.text.startswith("node2: 3 workers were lost")
    assert runs._failures.quarantined == {"node2"}


def test_idle_workers_are_released_where_they_are_of_no_use_or_too_many(runs):
    runs._actors += [RunningActor(None, host) for host in ("node1", "node2", "node2")]
    runs._nodes.limits["node2"] = 2
    runs._release(frozenset(["node1"]))
    assert [actor.host for actor in runs._unused()] == ["node2"]


def test_tasks_are_handed_over_in_advance_as_long_as_memory_is_enough(tasks):
    assert len(tasks.idle()) == 2 * 4 - 4
    assert tasks._tasks_on_nodes() == Counter(node1=3, node2=2)


def test_a_node_that_ran_out_of_memory_gets_fewer_tasks_and_none_in_advance(tasks):
    lost, notice = tasks._lose(0, out_of_memory("base-0", "node1"))
    assert lost == out_of_memory("base-0", "node1")
    assert isinstance(notice, Notice)
    assert "at most one job runs there" in notice.text
    assert tasks._nodes.limits == {"node1": 1}
    assert len(tasks.idle()) == (1 + 2) - 3
    # Nothing more may start on node1, where one runs and another one may start.
    assert tasks._nodes.excluded(NOWHERE, tasks._tasks_on_nodes()) == {"node1"}


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (
            OutOfMemoryError("a page of numbers"),
            "Ray ended it because the node was running out of memory",
        ),
        (WorkerCrashedError(), "its process was killed or has crashed"),
        (
            ActorUnavailableError("RpcError: RPC error: Socket closed rpc_code: 14", None),
            "the connection to it broke: its process or its node has ended, or cannot be reached",
        ),
        (
            RuntimeError(
                "The actor is dead because Worker exit detail: connection error code 2. EOF."
            ),
            "its process was killed or has crashed",
        ),
        (
            RuntimeError("node was terminated: health check failed: missing too many heartbeats"),
            "its node was not heard of for too long",
        ),
        (
            RuntimeError(
                "It died.\nThe actor is dead: Worker exit detail: no disk. Some common causes"
            ),
            "no disk.",
        ),
    ],
)
def test_a_cause_of_death_is_in_plain_words(error, cause):
    assert cause_of_death(error) == cause


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (
            "It died.\nThe actor is dead because its owner has died. Owner Id: 01000000ffff Owner Ip: 1.2.3.4",
            "The actor is dead because its owner has died.",
        ),
        (
            "The actor c8f9fc665dd528633a99faaa01000000 is unavailable: Closed. The task may or may not have run.",
            "The actor is unavailable: Closed.",
        ),
    ],
)
def test_a_report_is_one_line_without_ids(report, line):
    assert reason(RayError(report)) == line
