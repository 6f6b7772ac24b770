"""Actors that run several jobs at a time, as on a GPU; Ray and the GPU are stood in for, the runs are real."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from ray.exceptions import WorkerCrashedError

from alray.ray_executor import actors, replies
from alray.ray_executor.actor import Started
from alray.ray_executor.actors import ActorExecutor
from alray.studies.devices import is_gpu_failure
from alray.studies.events import Failure
from alray.studies.sweep.jobs import Progress
from tests.helpers.builders import make_pool, plan_of
from tests.helpers.groups import group_for, job_of

POOL = make_pool(300, absent=0.3)
WINDOW = 6


class Handle:
    """An actor in this process; `error` is what its next call raises."""

    def __init__(self, plan: Any) -> None:
        self.group = group_for(plan, device=torch.device("cpu"))
        self.error: Exception | None = None
        self.ready = SimpleNamespace(remote=lambda: Reply(lambda: Started("node")))
        self.advance = SimpleNamespace(remote=self._call(self.group.advance))
        self.final_report = SimpleNamespace(remote=self._call(self.group.final_report))

    def _call(self, method):
        def call(*arguments):
            def result():
                if self.error is not None:
                    raise self.error
                return method(*arguments)

            return Reply(result)

        return call


class Reply:
    """A reference of a call, which runs when it is asked for."""

    def __init__(self, result):
        self.result = result


@pytest.fixture
def plan():
    return plan_of(
        POOL, strategies=["margin", "random"], seeds=3, execution={"gpus_per_run": 0.25}
    )


@pytest.fixture
def executor(plan, monkeypatch):
    """Return an executor of actors with four workers each."""
    fake = SimpleNamespace(
        wait=lambda references, **_: (references, []),
        get=lambda reference, timeout=None: reference.result(),
        kill=lambda handle: None,
    )
    for module in (actors, replies):
        monkeypatch.setattr(module, "ray", fake)
    made = ActorExecutor(plan.shared, plan.study.execution)
    monkeypatch.setattr(made, "_window", lambda *_: WINDOW)
    monkeypatch.setattr(made, "_new_actor", lambda: Handle(plan))
    monkeypatch.setattr(made._session, "update", lambda *_: None)
    nodes = [
        {"NodeID": "node", "NodeManagerHostname": "here", "Resources": {"CPU": 9.0, "GPU": 2.0}}
    ]
    made._nodes.update(nodes, made._session.worker_options())
    made.scale(len(plan.runs))
    made.scale(len(plan.runs))
    return made


def raising(error):
    """Raise an error where a generator is asked for its first value."""
    yield from ()
    raise error


def begin(executor, runs):
    for run in runs:
        executor.submit(job_of(run), None, executor.idle()[0])
        executor.scale(WINDOW)


def test_a_worker_takes_a_share_of_a_gpu_for_each_of_its_runs(executor):
    assert executor._session.worker_options() == {"num_cpus": 1, "num_gpus": 1.0}
    assert [actor.workers for actor in executor._actors] == [4, 4]
    assert list(executor.idle()) == ["here"] * WINDOW


def test_jobs_end_one_by_one_and_actors_without_any_are_released(executor, plan):
    begin(executor, plan.runs)
    assert [len(actor.jobs) for actor in executor._actors] == [4, 2]
    done: set[str] = set()
    while len(done) < len(plan.runs):
        for event in executor.wait(1.0):
            assert isinstance(event, Progress)
            assert event.host == "here"
            done |= {event.job} if event.done else set()
    assert done == {run.run_id for run in plan.runs}
    executor.scale(1)
    assert len(executor._actors) == 1
    executor.scale(0)
    assert executor._actors == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (WorkerCrashedError(), "killed or has crashed"),
        (torch.OutOfMemoryError("CUDA out of memory"), "OutOfMemoryError: CUDA out of memory"),
    ],
)
def test_a_lost_actor_is_one_loss_and_the_jobs_of_others_go_on(
    executor, plan, error, reason, monkeypatch
):
    begin(executor, plan.runs)
    lost, other = executor._actors
    if is_gpu_failure(error):
        monkeypatch.setattr(lost.handle.group._workers[1], "advancing", lambda: raising(error))
    else:
        lost.handle.error = error
    events = executor.wait(1.0)
    failures = [each for each in events if isinstance(each, Failure)]
    done = {each.job for each in events if isinstance(each, Progress) and each.done}
    assert {each.job for each in failures} == {run.run_id for run in plan.runs[:4]} - done
    assert all(each.died and reason in each.reason for each in failures)
    # The node had other runs, so that fewer is a way out where its memory was not enough.
    assert failures[0].out_of_memory == is_gpu_failure(error)
    assert not any(each.out_of_memory for each in failures[1:])
    assert executor._actors == [other]
    assert {each.job for each in events if isinstance(each, Progress)} >= set(other.jobs.values())


def test_interrupted_actors_report_the_states_of_all_jobs(executor, plan, monkeypatch):
    begin(executor, plan.runs[:5])
    for actor in executor._actors:
        for worker in actor.handle.group._workers:
            monkeypatch.setattr(
                worker, "advancing", lambda worker=worker: type(worker).advancing(worker, 0.0)
            )
    executor.wait(1.0)
    events = executor.interrupt()
    states = {event.job for event in events if event.state is not None}
    assert states == {run.run_id for run in plan.runs[:5]}
    assert executor.idle() == []
