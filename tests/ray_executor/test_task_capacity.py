"""How many fine-tunes a node gets once its memory has not done for all; no Ray is started."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alray.api import plan_correlation
from alray.ray_executor import TaskExecutor
from alray.ray_executor.session import RaySession
from alray.ray_executor.tasks import _Submitted
from alray.studies.correlation.tasks import TrainBase
from alray.studies.events import Failure, Notice
from tests.helpers.correlation_studies import correlation_settings
from tests.helpers.studies import write_pool


def node(name: str) -> dict[str, Any]:
    return {"NodeID": name, "NodeManagerHostname": name, "Resources": {"CPU": 2.0}}


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TaskExecutor:
    """Return one with two nodes of two CPUs: two tasks on node1, one on node2, and one that waits for either."""
    plan = plan_correlation(correlation_settings(write_pool(tmp_path / "pool.parquet")))
    made = TaskExecutor(plan.prepared, plan.spec)
    made._nodes.update([node("node1"), node("node2")], {"num_cpus": 1})
    monkeypatch.setattr(RaySession, "update", lambda *_: None)
    monkeypatch.setattr(RaySession, "window", lambda _: 4)
    for number, host in enumerate(["node1", "node1", "node2", ""]):
        made._submitted[number] = _Submitted(
            TrainBase(f"base-{number}", number), None, frozenset(), host
        )
    return made


def lose(executor: TaskExecutor, number: int, host: str) -> Any:
    """Let a task end for want of memory."""
    return executor._lose(
        number, Failure(f"base-{number}", "out of memory", host, out_of_memory=True)
    )


def test_tasks_are_handed_over_in_advance_as_long_as_memory_does(executor):
    assert len(executor.idle()) == 2 * 4 - 4
    assert executor._tasks_on_nodes() == Counter(node1=3, node2=2)


def test_a_node_that_ran_out_of_memory_gets_fewer_and_none_in_advance(executor):
    lost, notice = lose(executor, 0, "node1")
    assert lost == Failure("base-0", "out of memory", "node1", out_of_memory=True)
    assert isinstance(notice, Notice)
    assert "at most one job runs there" in notice.text
    assert executor._nodes.limits == {"node1": 1}
    assert len(executor.idle()) == (1 + 2) - 3
    # Nothing more may start on node1, where one runs and another one may start.
    assert executor._nodes.excluded(frozenset(), executor._tasks_on_nodes()) == {"node1"}


def test_a_task_that_was_alone_is_lost_like_any_other(executor):
    (lost,) = lose(executor, 2, "node2")
    assert lost == Failure("base-2", "out of memory", "node2")
    assert executor._nodes.limits == {}
