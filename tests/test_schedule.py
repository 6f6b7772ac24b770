from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from alray.schedule import Assignment, Schedule
from alray.spec import ModelSpec, RunSpec, SplitSpec, TrainingSpec

ROUNDS = 3


def run(strategy: str = "random", seed: int = 0, **training: object) -> RunSpec:
    return RunSpec(
        arm=strategy,
        strategy=strategy,
        strategy_options=strategy,
        variant="",
        oracle=False,
        seed=seed,
        study_seed=0,
        pool_fingerprint="pool",
        pool_dtype="float32",
        split=SplitSpec(),
        model=ModelSpec(),
        training=TrainingSpec.model_validate(training),
        initial=10,
        query=2,
        rounds=ROUNDS,
        metric_split="test",
        threads=1,
    )


def drain(schedule: Schedule) -> list[Assignment]:
    """Start every job that can be started now."""
    started: list[Assignment] = []
    while (assignment := schedule.next()) is not None:
        started.append(assignment)
        assert len(started) < 100, "the same jobs again and again"
    return started


def test_the_passive_phase_comes_first_and_is_shared():
    runs = [run("random"), run("margin"), run("entropy", batch_norm="frozen")]
    schedule = Schedule(runs, attempts=1)
    (passive,) = drain(schedule)
    assert (passive.name, passive.until, passive.start_from) == (runs[0].passive_id, 0, None)
    schedule.done(passive.name)
    started = drain(schedule)
    assert [each.name for each in started] == [each.run_id for each in runs]
    assert {each.start_from for each in started} == {passive.name}
    assert {each.until for each in started} == {ROUNDS}


def test_a_different_passive_phase_is_not_shared():
    schedule = Schedule([run(seed=0), run(seed=1), run(lr=0.5)], attempts=1)
    assert len({each.name for each in drain(schedule)}) == 3


def test_a_ready_run_comes_before_another_passive_phase():
    runs = [run(seed=0), run(seed=1)]
    schedule = Schedule(runs, attempts=1, checkpoints=frozenset([runs[0].passive_id]))
    assert [each.name for each in drain(schedule)] == [runs[0].run_id, runs[1].passive_id]


def test_what_is_at_hand_is_not_played_again():
    runs = [run("random"), run("margin"), run("entropy")]
    schedule = Schedule(
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
    assert schedule.runs[runs[0].run_id].rounds_done == ROUNDS


def test_nothing_to_do():
    runs = [run()]
    schedule = Schedule(runs, attempts=1, finished=frozenset([runs[0].run_id]))
    assert schedule.over
    assert schedule.upcoming == 0
    assert schedule.next() is None


def test_upcoming_counts_waiting_runs_and_startable_passive_phases():
    runs = [run("random"), run("margin"), run(seed=1)]
    schedule = Schedule(runs, attempts=1)
    assert schedule.upcoming == 3 + 2
    first, _ = drain(schedule)
    assert schedule.upcoming == 3
    schedule.done(first.name)
    drain(schedule)
    assert schedule.upcoming == 1


def test_a_lost_run_goes_on_before_others_from_its_own_checkpoint_once_there_is_one():
    runs = [run("random"), run("margin")]
    schedule = Schedule(runs, attempts=3, checkpoints=frozenset([runs[0].passive_id]))
    first = schedule.next()
    assert first is not None
    assert schedule.lost(first.name, "killed") == []
    again = schedule.next()
    assert again == first
    schedule.checkpointed(first.name)
    schedule.lost(first.name, "killed")
    last = schedule.next()
    assert last is not None
    assert (last.name, last.start_from) == (first.name, first.name)


def test_a_job_that_loses_every_worker_fails_with_the_reason():
    schedule = Schedule([run()], attempts=2, checkpoints=frozenset([run().passive_id]))
    name = drain(schedule)[0].name
    schedule.lost(name, "killed")
    drain(schedule)
    (status,) = schedule.lost(name, "killed again")
    assert (status.status, status.attempts) == ("failed", 2)
    assert status.error == "its worker died 2 times: killed again"
    assert schedule.over


def test_a_failed_passive_phase_fails_the_runs_that_wait_for_it_alone():
    runs = [run("random"), run("margin"), run("entropy"), run(seed=1)]
    schedule = Schedule(runs, attempts=1, checkpoints=frozenset([runs[2].run_id]))
    own, passive, other = drain(schedule)
    assert own.name == runs[2].run_id
    victims = schedule.failed(passive.name, "ValueError: no", "Traceback ...")
    assert [status.run for status in victims] == runs[:2]
    assert {(status.error, status.traceback) for status in victims} == {
        ("ValueError: no", "Traceback ...")
    }
    schedule.done(own.name)
    schedule.done(other.name)
    schedule.done(schedule.next().name)  # type: ignore[union-attr]
    assert schedule.over


def test_a_passive_phase_that_loses_every_worker_fails_its_runs():
    schedule = Schedule([run("random"), run("margin")], attempts=1)
    name = drain(schedule)[0].name
    assert len(schedule.lost(name, "killed")) == 2
    assert schedule.over


class Cluster(RuleBasedStateMachine):
    """Plays a schedule with workers that finish, fail, die and write checkpoints in any order."""

    ATTEMPTS = 2

    def __init__(self) -> None:
        super().__init__()
        runs = [run(name, seed) for seed in range(3) for name in ("random", "margin")]
        at_hand = frozenset([runs[0].run_id, runs[2].passive_id])
        self.passives = {each.passive_id for each in runs}
        self.checkpoints = set(at_hand)
        self.schedule = Schedule(
            runs,
            attempts=self.ATTEMPTS,
            finished=frozenset([runs[1].run_id]),
            checkpoints=at_hand,
        )
        self.playing: dict[str, Assignment] = {}
        self.settled: set[str] = {runs[1].run_id}
        self.starts: Counter[str] = Counter()

    @rule()
    def start(self):
        assignment = self.schedule.next()
        if assignment is None:
            return
        assert assignment.name not in self.playing, "two workers for one job"
        assert assignment.name not in self.settled, "a job that had ended"
        if assignment.name in self.passives:
            assert assignment.start_from is None
        else:
            assert assignment.start_from in self.checkpoints
            own = assignment.name in self.checkpoints
            assert (assignment.start_from == assignment.name) == own
        self.starts[assignment.name] += 1
        self.playing[assignment.name] = assignment

    def pick(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.playing)))

    @precondition(lambda self: self.playing)
    @rule(data=st.data())
    def checkpoint(self, data):
        name = self.pick(data)
        if name not in self.passives:
            self.checkpoints.add(name)
            self.schedule.checkpointed(name)

    @precondition(lambda self: self.playing)
    @rule(data=st.data())
    def finish(self, data):
        name = self.pick(data)
        del self.playing[name]
        if name in self.passives:
            self.checkpoints.add(name)
            self.schedule.checkpointed(name)
        self.schedule.done(name)
        self.settled.add(name)

    @precondition(lambda self: self.playing)
    @rule(data=st.data())
    def fail(self, data):
        name = self.pick(data)
        del self.playing[name]
        self.settled |= {name, *(s.run.run_id for s in self.schedule.failed(name, "error", ""))}

    @precondition(lambda self: self.playing)
    @rule(data=st.data())
    def die(self, data):
        name = self.pick(data)
        del self.playing[name]
        victims = self.schedule.lost(name, "killed")
        assert bool(victims) == (self.starts[name] == self.ATTEMPTS)
        if victims:
            self.settled |= {name, *(status.run.run_id for status in victims)}

    @invariant()
    def attempts_are_bounded(self):
        assert max(self.starts.values(), default=0) <= self.ATTEMPTS

    @invariant()
    def it_is_over_when_every_run_has_ended(self):
        assert self.schedule.over == (self.schedule.runs.keys() <= self.settled)
        if self.schedule.over:
            assert not self.playing
            assert self.schedule.upcoming == 0

    @override
    def teardown(self):
        """Whatever has happened, finishing what can be started ends the study."""
        for _ in range(20):
            self.start()
            for name in list(self.playing):
                del self.playing[name]
                self.checkpoints.add(name)
                self.schedule.checkpointed(name)
                self.schedule.done(name)
                self.settled.add(name)
        assert self.schedule.over


TestCluster = Cluster.TestCase


@given(st.integers(1, 4))
def test_upcoming_never_hides_a_job(attempts):
    schedule = Schedule([run("random"), run("margin")], attempts=attempts)
    for _ in range(attempts):
        assert schedule.upcoming > 0
        (assignment,) = drain(schedule)
        schedule.lost(assignment.name, "killed")
    assert schedule.upcoming == 0


@pytest.mark.parametrize("status", ["finished", "failed"])
def test_a_run_that_has_ended_is_not_upcoming(status):
    schedule = Schedule([run()], attempts=1, checkpoints=frozenset([run().passive_id]))
    name = drain(schedule)[0].name
    if status == "finished":
        schedule.done(name)
    else:
        schedule.failed(name, "error", "")
    assert schedule.runs[name].status == status
    assert schedule.upcoming == 0
