"""Runs that share a process, as on a GPU; their stacks work on the CPU here."""

import pytest
import torch

from alray.errors import ScoreError
from alray.settings.common import ExecutionSpec
from alray.studies.events import Failure
from alray.studies.sweep import worker
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.group_executor import GroupExecutor
from alray.studies.sweep.jobs import Progress
from tests.helpers.builders import make_pool, plan_of
from tests.helpers.groups import assert_equal_alone_and_together, complete, group_for, job_of

CPU = torch.device("cpu")
POOL = make_pool(300, absent=0.3)


@pytest.fixture(scope="module")
def plan():
    return plan_of(
        POOL,
        strategies=["margin", "bald:members=3", "learning_loss", "random"],
        seeds=2,
        rounds=6,
        execution={"gpus_per_run": 0.25},
    )


@pytest.mark.parametrize(
    ("share", "rows"), [(0, 1), (1, 1), (0.5, 2), (0.3, 3), (0.1, 5), (0.0625, 8), (0.01, 7)]
)
def test_as_many_runs_share_a_process_as_fit_on_a_gpu(share, rows):
    assert ExecutionSpec(gpus_per_run=share).runs_of_worker == rows


@pytest.mark.parametrize("strategy", ["margin", "learning_loss"])
def test_a_run_ends_with_the_same_bits_alone_and_beside_others(plan, strategy):
    run = next(run for run in plan.runs if run.strategy == strategy)
    assert_equal_alone_and_together(plan, run, plan.runs, device=CPU)


def test_rounds_that_start_from_fresh_weights_are_the_same_too():
    fresh = plan_of(
        POOL,
        seeds=2,
        training={"mode": "scratch", "passive_epochs": 2},
        execution={"gpus_per_run": 0.5},
    )
    assert_equal_alone_and_together(fresh, fresh.runs[0], fresh.runs, device=CPU)


def test_runs_that_take_their_steps_themselves_have_turns_too(plan, monkeypatch):
    """One that trains a loss predictor is in no stack; it must not keep the others waiting until it reports."""
    order = []

    def next_epochs(self):
        order.append(self.run.strategy)
        return (yield from original(self))

    original = Experiment.next_epochs
    monkeypatch.setattr(Experiment, "next_epochs", next_epochs)
    advancing = worker.RunWorker.advancing
    monkeypatch.setattr(worker.RunWorker, "advancing", lambda self: advancing(self, 1e9))
    runs = [next(r for r in plan.runs if r.strategy == s) for s in ("learning_loss", "margin")]
    complete(group_for(plan, device=CPU), {row: (job_of(r), None) for row, r in enumerate(runs)})
    rounds = runs[0].rounds
    assert len(order) == 2 * rounds
    assert 2 <= order[: rounds + 1].count("margin") < rounds


def test_an_error_of_one_run_leaves_the_others_alone(plan, monkeypatch):
    broken, well = (next(r for r in plan.runs if r.strategy == s) for s in ("margin", "random"))

    def next_epochs(self):
        if self.run is broken:
            raise ScoreError("not finite")
        return (yield from original(self))

    original = Experiment.next_epochs
    monkeypatch.setattr(Experiment, "next_epochs", next_epochs)
    executor = GroupExecutor(lambda: group_for(plan, device=CPU))
    assert len(executor.idle()) == 4
    for run in (broken, well):
        executor.submit(job_of(run), None, executor.idle()[0])
    events = list(executor.wait(1.0))
    while len(executor.idle()) < 4:
        events += executor.wait(1.0)
    failures = [each for each in events if isinstance(each, Failure)]
    assert [(each.job, each.died) for each in failures] == [(broken.run_id, False)]
    assert failures[0].reason == "ScoreError: not finite"
    assert "next_epochs" in failures[0].traceback
    last = [each for each in events if isinstance(each, Progress)][-1]
    assert (last.job, last.done) == (well.run_id, True)


def test_an_interrupted_group_reports_what_it_has(plan, monkeypatch):
    advancing = worker.RunWorker.advancing
    monkeypatch.setattr(worker.RunWorker, "advancing", lambda self: advancing(self, 0.0))
    executor = GroupExecutor(lambda: group_for(plan, device=CPU), parallel=2)
    assert len(executor.idle()) == 2
    executor.submit(job_of(plan.runs[0]), None, executor.idle()[0])
    executor.wait(1.0)
    executor.submit(job_of(plan.runs[1]), None, executor.idle()[0])
    assert executor.idle() == []
    (progress,) = executor.interrupt()
    assert isinstance(progress, Progress)
    assert progress.job == plan.runs[0].run_id
    assert progress.state is not None
    assert len(executor.idle()) == 2


def test_the_number_of_threads_is_set_back(plan):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with GroupExecutor(lambda: group_for(plan, device=CPU)):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_job_that_cannot_start_is_a_failure(plan):
    executor = GroupExecutor(lambda: group_for(plan, device=CPU))
    executor.submit(job_of(plan.runs[0]), b"no checkpoint", executor.idle()[0])
    (failure,) = executor.wait(1.0)
    assert isinstance(failure, Failure)
    assert len(executor.idle()) == 4


def test_complete_runs_report_every_round(plan):
    ((results, state),) = complete(
        group_for(plan, device=CPU), {2: (job_of(plan.runs[0]), None)}
    ).values()
    assert [each.record["round"] for each in results] == list(range(7))
    assert state is not None
