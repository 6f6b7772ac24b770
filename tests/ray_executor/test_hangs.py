"""A worker's silence is judged by the job's own pace."""

from alray.ray_executor.hangs import Hang, HangDetector, HangLimits

PATIENCE = HangLimits(times=20.0, least=300.0, first=600.0)


def after(*reports: float) -> HangDetector:
    """Return a job that started at 0 and reported at these times."""
    silence = HangDetector(PATIENCE)
    silence.started("job", 0.0)
    for report in reports:
        silence.heard("job", report)
    return silence


def test_a_job_that_reports_in_time_is_left_alone():
    silence = after()
    for now in range(10, 5000, 10):
        silence.heard("job", float(now))
        assert silence.too_long(now + 9.0) == []


def test_a_fast_job_is_named_after_the_least_time_and_given_up_after_twice_that():
    silence = after(1.0, 2.0)
    assert silence.too_long(301.0) == []
    (named,) = silence.too_long(303.0)
    assert (named.job, named.seconds, named.longest, named.give_up) == ("job", 301.0, 1.0, False)
    assert silence.too_long(500.0) == []
    (lost,) = silence.too_long(603.0)
    assert lost.give_up
    assert silence.too_long(5000.0) == []


def test_a_slow_job_has_twenty_times_its_longest_pause():
    silence = after(100.0, 110.0)
    assert silence.too_long(110.0 + 1999.0) == []
    (named,) = silence.too_long(110.0 + 2001.0)
    assert named.longest == 100.0


def test_a_job_that_was_not_looked_at_for_long_is_given_up_at_once():
    (lost,) = after(1.0).too_long(10_000.0)
    assert lost.give_up


def test_before_its_first_report_a_job_is_named_from_time_to_time_and_never_given_up():
    silence = after()
    found = [(now, each) for now in range(0, 3000, 100) for each in silence.too_long(float(now))]
    assert [now for now, _ in found] == [600, 1200, 1800, 2400]
    assert not any(each.give_up for _, each in found)
    assert {each.longest for _, each in found} == {None}


def test_a_report_ends_the_alarm_and_the_next_silence_is_told_anew():
    silence = after(1.0)
    assert silence.too_long(302.0)
    silence.heard("job", 310.0)
    assert silence.too_long(310.0 + 20 * 309.0 - 1) == []
    assert silence.too_long(310.0 + 20 * 309.0 + 1)


def test_among_jobs_alike_the_pace_of_one_holds_for_the_others():
    silence = HangDetector(PATIENCE, alike=True)
    silence.started("quick", 0.0)
    silence.started("stuck", 0.0)
    silence.heard("quick", 30.0)
    silence.ended("quick")
    assert silence.too_long(599.0) == []
    (named,) = silence.too_long(601.0)
    assert (named.job, named.longest, named.give_up) == ("stuck", 30.0, False)
    (lost,) = silence.too_long(1201.0)
    assert lost.give_up
    assert silence.too_long(5000.0) == []


def test_among_others_each_job_has_its_own_pace():
    silence = HangDetector(PATIENCE)
    silence.started("quick", 0.0)
    silence.started("slow", 0.0)
    silence.heard("quick", 1.0)
    silence.ended("quick")
    assert silence.too_long(599.0) == []
    (named,) = silence.too_long(1201.0)
    assert (named.longest, named.give_up) == (None, False)


def test_what_is_told_says_what_comes_next():
    silent = Hang("job", 301.4, None, give_up=False)
    assert (
        silent.told("node1") == "node1: nothing heard of job for 301 s, since it started; waiting"
    )
    silent = Hang("job", 301.4, 2.0, give_up=False)
    assert silent.told("node1").endswith(
        "than 2 s; its worker is ended if this lasts as long again"
    )
    silent = Hang("job", 601.4, 2.0, give_up=True)
    assert silent.told("node1").endswith("than 2 s; its worker is ended")


def test_a_job_that_has_ended_is_forgotten():
    silence = after(1.0)
    silence.ended("job")
    silence.ended("job")
    assert silence.too_long(10_000.0) == []
