from hypothesis import given
from hypothesis import strategies as st

from alray.studies.sweep.schedule import RunSchedule
from tests.helpers.schedules import ROUNDS, drain, fail, lose, run


def test_the_passive_phase_comes_first_and_is_shared():
    runs = [run("random"), run("margin"), run("entropy", batch_norm="frozen")]
    schedule = RunSchedule(runs, attempts=1)
    (passive,) = drain(schedule)
    assert (passive.name, passive.until, passive.start_from) == (runs[0].passive_id, 0, None)
    schedule.done(passive.name)
    started = drain(schedule)
    assert [each.name for each in started] == [each.run_id for each in runs]
    assert {each.start_from for each in started} == {passive.name}
    assert {each.until for each in started} == {ROUNDS}


def test_a_different_passive_phase_is_not_shared():
    schedule = RunSchedule([run(seed=0), run(seed=1), run(lr=0.5)], attempts=1)
    assert len({each.name for each in drain(schedule)}) == 3


def test_a_ready_run_comes_before_another_passive_phase():
    runs = [run(seed=0), run(seed=1)]
    schedule = RunSchedule(runs, attempts=1, checkpoints=frozenset([runs[0].passive_id]))
    assert [each.name for each in drain(schedule)] == [runs[0].run_id, runs[1].passive_id]


def test_what_is_at_hand_is_not_run_again():
    runs = [run("random"), run("margin"), run("entropy")]
    schedule = RunSchedule(
        runs,
        attempts=1,
        finished=frozenset([runs[0].run_id]),
        checkpoints=frozenset([runs[1].run_id, runs[1].passive_id]),
    )
    started = drain(schedule)
    assert [(each.name, each.start_from) for each in started] == [
        (runs[1].run_id, runs[1].run_id),
        (runs[2].run_id, runs[2].passive_id),
    ]
    assert schedule.runs[runs[0].run_id].status == "finished"


def test_upcoming_counts_waiting_runs_and_startable_passive_phases():
    runs = [run("random"), run("margin"), run(seed=1)]
    schedule = RunSchedule(runs, attempts=1)
    assert schedule.upcoming == 3 + 2
    first, _ = drain(schedule)
    assert schedule.upcoming == 3
    schedule.done(first.name)
    drain(schedule)
    assert schedule.upcoming == 1


def test_a_lost_run_goes_on_before_others_from_its_own_checkpoint_once_there_is_one():
    runs = [run("random"), run("margin")]
    schedule = RunSchedule(runs, attempts=3, checkpoints=frozenset([runs[0].passive_id]))
    name = runs[0].run_id
    starts = []
    for _ in range(3):
        job = schedule.next()
        assert job is not None
        starts.append((job.name, job.start_from))
        if len(starts) == 2:
            schedule.checkpointed(name)
        assert bool(lose(schedule, name)) == (len(starts) == 3)
    assert starts == [(name, runs[0].passive_id)] * 2 + [(name, name)]


def test_a_job_that_loses_every_worker_fails_with_the_reason():
    schedule = RunSchedule([run()], attempts=2, checkpoints=frozenset([run().passive_id]))
    name = drain(schedule)[0].name
    lose(schedule, name)
    drain(schedule)
    (status,) = lose(schedule, name, "killed again")
    assert (status.status, status.attempts) == ("failed", 2)
    assert status.error == "its worker died 2 times: killed again"
    assert schedule.over


def test_a_failed_passive_phase_fails_the_runs_that_wait_for_it_alone():
    runs = [run("random"), run("margin"), run("entropy"), run(seed=1)]
    schedule = RunSchedule(runs, attempts=1, checkpoints=frozenset([runs[2].run_id]))
    own, passive, other = drain(schedule)
    assert own.name == runs[2].run_id
    victims = fail(schedule, passive.name)
    assert [status.run for status in victims] == runs[:2]
    assert {(status.error, status.traceback) for status in victims} == {
        ("ValueError: no", "Traceback ...")
    }
    schedule.done(own.name)
    schedule.done(other.name)
    (last,) = drain(schedule)
    schedule.done(last.name)
    assert schedule.over
    assert schedule.upcoming == 0
    assert schedule.next() is None


@given(st.integers(1, 4))
def test_upcoming_never_hides_a_job(attempts):
    schedule = RunSchedule([run("random"), run("margin")], attempts=attempts)
    for attempt in range(1, attempts + 1):
        assert schedule.upcoming > 0
        (job,) = drain(schedule)
        assert len(lose(schedule, job.name)) == (2 if attempt == attempts else 0)
    assert schedule.upcoming == 0
    assert schedule.over
