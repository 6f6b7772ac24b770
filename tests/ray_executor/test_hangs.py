"""A worker's detector is judged by the job's own pace."""

from alray.ray_executor.hangs import Hang, HangDetector, HangLimits

LIMITS = HangLimits(times=20.0, least=300.0, first=600.0)


def after(*reports: float) -> HangDetector:
    """Return a job that started at 0 and reported at these times."""
    detector = HangDetector(LIMITS)
    detector.started("job", 0.0)
    for report in reports:
        detector.reported("job", report)
    return detector


def test_a_job_that_reports_in_time_is_left_alone():
    detector = after()
    for now in range(10, 5000, 10):
        detector.reported("job", float(now))
        assert detector.due(now + 9.0) == []


def test_a_fast_job_is_named_after_the_least_time_and_given_up_after_twice_that():
    detector = after(1.0, 2.0)
    assert detector.due(301.0) == []
    (named,) = detector.due(303.0)
    assert (named.job, named.seconds, named.longest, named.give_up) == ("job", 301.0, 1.0, False)
    assert detector.due(500.0) == []
    (lost,) = detector.due(603.0)
    assert lost.give_up
    assert detector.due(5000.0) == []


def test_a_slow_job_has_twenty_times_its_longest_pause():
    detector = after(100.0, 110.0)
    assert detector.due(110.0 + 1999.0) == []
    (named,) = detector.due(110.0 + 2001.0)
    assert named.longest == 100.0


def test_a_job_that_was_not_looked_at_for_long_is_given_up_at_once():
    (lost,) = after(1.0).due(10_000.0)
    assert lost.give_up


def test_before_its_first_report_a_job_is_named_from_time_to_time_and_never_given_up():
    detector = after()
    found = [(now, each) for now in range(0, 3000, 100) for each in detector.due(float(now))]
    assert [now for now, _ in found] == [600, 1200, 1800, 2400]
    assert not any(each.give_up for _, each in found)
    assert {each.longest for _, each in found} == {None}


def test_a_report_ends_the_alarm_and_the_next_silence_is_told_anew():
    detector = after(1.0)
    assert detector.due(302.0)
    detector.reported("job", 310.0)
    assert detector.due(310.0 + 20 * 309.0 - 1) == []
    assert detector.due(310.0 + 20 * 309.0 + 1)


def test_among_jobs_alike_the_pace_of_one_holds_for_the_others():
    detector = HangDetector(LIMITS, alike=True)
    detector.started("quick", 0.0)
    detector.started("stuck", 0.0)
    detector.reported("quick", 30.0)
    detector.ended("quick")
    assert detector.due(599.0) == []
    (named,) = detector.due(601.0)
    assert (named.job, named.longest, named.give_up) == ("stuck", 30.0, False)
    (lost,) = detector.due(1201.0)
    assert lost.give_up
    assert detector.due(5000.0) == []


def test_among_others_each_job_has_its_own_pace():
    detector = HangDetector(LIMITS)
    detector.started("quick", 0.0)
    detector.started("slow", 0.0)
    detector.reported("quick", 1.0)
    detector.ended("quick")
    assert detector.due(599.0) == []
    (named,) = detector.due(1201.0)
    assert (named.longest, named.give_up) == (None, False)


def test_a_message_says_what_comes_next():
    hang = Hang("job", 301.4, None, give_up=False)
    assert (
        hang.message("node1") == "node1: job has not reported for 301 s, since it started; waiting"
    )
    hang = Hang("job", 301.4, 2.0, give_up=False)
    assert hang.message("node1").endswith(
        "than 2 s before; its worker is ended if this lasts as long again"
    )
    hang = Hang("job", 601.4, 2.0, give_up=True)
    assert hang.message("node1").endswith("than 2 s before; its worker is ended")


def test_a_job_that_has_ended_is_forgotten():
    detector = after(1.0)
    detector.ended("job")
    detector.ended("job")
    assert detector.due(10_000.0) == []
