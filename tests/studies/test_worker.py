import pytest
import torch

from alray import api
from alray.studies.events import Failure, describe
from alray.studies.retries import HERE
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.worker import RunWorker
from tests.helpers import plugins
from tests.helpers.plugins import misbehaving
from tests.helpers.studies import ROUNDS, inline, settings


def plan_of(pool, strategy: str = "margin", **execution) -> Plan:
    return api.plan_sweep(settings(pool, strategies=[strategy], execution=execution))


@pytest.fixture
def plan(pool):
    return plan_of(pool)


def worker_for(plan: Plan) -> RunWorker:
    shared = plan.shared
    return RunWorker(shared, shared.checksum(), plan.study.execution, "here")


def run_job(plan: Plan) -> tuple[Job, bytes]:
    """Return the job of the plan's first run, and the state after its passive phase."""
    worker, run = worker_for(plan), plan.runs[0]
    worker.start(Job(run.passive_id, run, 0, None), None)
    state = worker.advance().state
    assert state is not None
    return Job(run.run_id, run, ROUNDS, run.passive_id), state


def started(plan: Plan) -> RunWorker:
    """Return a worker that has taken the job of the plan's first run."""
    worker = worker_for(plan)
    worker.start(*run_job(plan))
    return worker


def rounds_of(progress: Progress) -> list[int]:
    return [result.record["round"] for result in progress.results]


@pytest.mark.parametrize(("seconds", "due"), [(0, True), (1000, False)])
def test_rounds_come_once_each_and_a_checkpoint_when_it_is_due_and_at_the_end(pool, seconds, due):
    """The passive phase is reported as round 0 of the run."""
    worker = started(plan_of(pool, checkpoint_seconds=seconds))
    reports = [worker.advance(seconds=0.0) for _ in range(ROUNDS)]
    assert [rounds_of(each) for each in reports] == [[0, 1], [2], [3], [4]]
    assert [each.done for each in reports] == [False, False, False, True]
    assert [each.state is not None for each in reports] == [due] * (ROUNDS - 1) + [True]


def test_the_final_report_holds_what_was_not_reported(plan):
    report = started(plan).final_report()
    assert rounds_of(report) == [0]
    assert report.state is not None
    assert not report.done


def test_after_an_error_there_is_no_state_to_report(pool):
    """Half a round must never become a checkpoint: the round that failed would be missing from the records."""
    worker = started(plan_of(pool, misbehaving(pool, "raise", 2)))
    with pytest.raises(ValueError, match="no more than"):
        worker.advance(seconds=60.0)
    with pytest.raises(RuntimeError, match="no job"):
        worker.report(with_state=True)


def test_a_pool_that_was_written_into_is_noticed_before_a_state_is_given_away(plan):
    worker = started(plan)
    plugins.corrupt_pools()
    with pytest.raises(RuntimeError, match="pool's content has changed during the run"):
        worker.advance(seconds=0.0)
    with pytest.raises(RuntimeError, match=r"no job|has changed"):
        worker.report(with_state=True)


def test_threads_are_those_of_the_settings_and_put_back(pool):
    plan = plan_of(pool, cpus_per_run=2)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with inline(plan):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_an_error_is_described_in_one_line():
    assert describe(ValueError("first\nsecond")) == "ValueError: first"
    assert describe(RuntimeError()) == "RuntimeError: "


@pytest.mark.usefixtures("round_by_round")
def test_the_inline_executor_runs_one_job_at_a_time_and_is_interrupted(plan):
    with inline(plan) as executor:
        assert executor.wait(0.0) == executor.interrupt() == []
        executor.submit(*run_job(plan), HERE)
        assert not executor.idle()
        assert executor.interrupt() == []
        executor.submit(*run_job(plan), HERE)
        executor.wait(0.0)
        (event,) = executor.interrupt()
        assert isinstance(event, Progress)
        assert (event.results, event.round, event.done) == ([], 1, False)
        assert event.state is not None
        assert list(executor.idle()) == [HERE]
        executor.submit(*run_job(plan), HERE)
        executor.wait(0.0)
        plugins.corrupt_pools()
        (event,) = executor.interrupt()
        assert isinstance(event, Failure)
        assert "has changed" in event.reason
