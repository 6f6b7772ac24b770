"""A worker's hang is measured by the pace of its job."""

import pytest

from alray.ray_executor.hangs import Hang, HangDetector, HangLimits

LIMITS = HangLimits(times=20.0, least=300.0, first=600.0)


def after(*reports: float) -> HangDetector:
    """Return the detector of a job that started at 0 and reported at these times."""
    detector = HangDetector(LIMITS)
    detector.started("job", 0.0)
    for report in reports:
        detector.reported("job", report)
    return detector


def two_jobs(report: float, *, alike: bool) -> HangDetector:
    """Return the detector of two jobs that started at 0, of which one reported and has ended."""
    detector = HangDetector(LIMITS, alike=alike)
    for job in ("quick", "slow"):
        detector.started(job, 0.0)
    detector.reported("quick", report)
    detector.ended("quick")
    return detector


def test_a_job_that_reports_in_time_is_left_alone():
    detector = after()
    for now in range(10, 5000, 10):
        detector.reported("job", float(now))
        assert detector.due(now + 9.0) == []


@pytest.mark.parametrize(
    ("reports", "checks", "hangs"),
    [
        # A fast job is named after the least time, and given up after twice that.
        ((1, 2), (301, 303, 500, 603, 5000), {303: (1.0, False), 603: (1.0, True)}),
        # A slow one has twenty times its longest pause.
        ((100, 110), (110 + 1999, 110 + 2001), {110 + 2001: (100.0, False)}),
        # One that was not checked for long is given up at once.
        ((1,), (10_000,), {10_000: (1.0, True)}),
        # Before its first report it is named from time to time, and never given up.
        ((), range(0, 2500, 100), {600 * number: (None, False) for number in (1, 2, 3, 4)}),
    ],
)
def test_a_job_is_named_and_given_up_at_its_own_pace(reports, checks, hangs):
    detector = after(*map(float, reports))
    last = max(reports, default=0)
    found = {now: due for now in checks if (due := detector.due(float(now)))}
    assert found == {now: [Hang("job", float(now - last), *hang)] for now, hang in hangs.items()}


def test_a_report_ends_the_alarm_and_the_next_hang_is_named_anew():
    detector = after(1.0)
    assert detector.due(302.0)
    detector.reported("job", 310.0)
    assert detector.due(310.0 + 20 * 309.0 - 1) == []
    assert detector.due(310.0 + 20 * 309.0 + 1)


def test_among_jobs_alike_the_pace_of_one_holds_for_the_others():
    detector = two_jobs(30.0, alike=True)
    assert detector.due(599.0) == []
    assert detector.due(601.0) == [Hang("slow", 601.0, 30.0, give_up=False)]
    assert detector.due(1201.0) == [Hang("slow", 1201.0, 30.0, give_up=True)]
    assert detector.due(5000.0) == []


def test_among_others_each_job_has_its_own_pace():
    detector = two_jobs(1.0, alike=False)
    assert detector.due(599.0) == []
    assert detector.due(1201.0) == [Hang("slow", 1201.0, None, give_up=False)]


@pytest.mark.parametrize(
    ("longest", "give_up", "end"),
    [
        (None, False, ", since it started; waiting"),
        (
            2.0,
            False,
            ", and never took more than 2 s before; its worker is ended if this lasts as long again",
        ),
        (2.0, True, ", and never took more than 2 s before; its worker is ended"),
    ],
)
def test_a_message_says_what_comes_next(longest, give_up, end):
    message = Hang("job", 301.4, longest, give_up=give_up).message("node1")
    assert message == f"node1: job has not reported for 301 s{end}"


def test_a_job_that_has_ended_is_forgotten():
    detector = after(1.0)
    detector.ended("job")
    detector.ended("job")
    assert detector.due(10_000.0) == []
