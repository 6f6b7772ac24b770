"""Runs of a group, alone and beside others."""

from typing import Any

import numpy as np

from alray.settings.run import RunSpec
from alray.studies.sweep.jobs import Job, Progress
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.records import TIMING_COLUMNS
from alray.studies.sweep.run_group import RunGroup


def group_for(plan: Plan, **options):
    """Return a group for the runs of a plan."""
    return RunGroup(plan.shared, plan.shared.checksum(), plan.study.execution, "here", **options)


def job_of(run: RunSpec, until: int | None = None) -> Job:
    return Job(run.run_id, run, run.rounds if until is None else until, None)


def complete(group: RunGroup, starts: Any) -> Any:
    """Run jobs, (row, job, state), to their ends; return their results and last states by row."""
    results: dict[int, Any] = {row: ([], None) for row in starts}
    waiting, rows = dict(starts), set(starts)
    while rows:
        found = group.advance(waiting, rows)
        waiting = {}
        for row, progress in found.items():
            assert isinstance(progress, Progress), progress
            results[row] = [*results[row][0], *progress.results], progress.state
            rows -= {row} if progress.done else set()
    return results


def assert_equal_alone_and_together(plan: Plan, run: RunSpec, others, **options) -> None:
    """Compare a run that goes on in another row beside others with the same run alone."""
    ((expected, _),) = complete(group_for(plan, **options), {0: (job_of(run), None)}).values()
    group = group_for(plan, **options)
    beside = [each for each in others if each is not run][: len(group) - 1]
    starts = {row: (job_of(each), None) for row, each in enumerate(beside, start=1)}
    ((begun, state),) = complete(group_for(plan, **options), {1: (job_of(run, 3), None)}).values()
    last = len(starts) + 1 if len(starts) + 1 < len(group) else 0
    results = complete(group, {last: (job_of(run), state), **starts})
    found = [*begun, *results[last][0]]
    assert [each.record["round"] for each in found] == list(range(run.rounds + 1))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.indices, other.indices)
        record, wanted = (
            {name: value for name, value in each.record.items() if name not in TIMING_COLUMNS}
            for each in (one, other)
        )
        np.testing.assert_equal(record, wanted)
