"""Which job starts next and on which host, from where, and whatever else can happen in any order; without a pool."""

from collections import Counter, defaultdict

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSplitSpec
from alray.studies.events import Failure
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.schedule import RunSchedule
from alray.studies.sweep.status import RunStatus

ROUNDS = 3
HOSTS = frozenset(["a", "b"])


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
        split=SweepSplitSpec(),
        model=ModelSpec(),
        training=TrainingSpec.model_validate(training),
        initial=10,
        query=2,
        rounds=ROUNDS,
        metric_split="test",
        threads=1,
    )


def lose(
    schedule: RunSchedule, name: str, reason: str = "killed", host: str = ""
) -> list[RunStatus]:
    """Let a job's worker die."""
    return schedule.fail(Failure(name, reason, host), HOSTS)


def fail(
    schedule: RunSchedule, name: str, host: str = "", hosts: frozenset[str] = frozenset()
) -> list[RunStatus]:
    """Let a job end with an error of its own."""
    failure = Failure(name, "ValueError: no", host, "Traceback ...", died=False)
    return schedule.fail(failure, hosts)


def drain(schedule: RunSchedule) -> list[Job]:
    """Start every job that can be started now."""
    started: list[Job] = []
    while (job := schedule.next()) is not None:
        started.append(job)
        assert len(started) < 100, "the same jobs again and again"
    return started


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


def test_other_jobs_take_the_host_that_one_avoids():
    first, other = run("random"), run("margin")
    schedule = RunSchedule([first, other], attempts=3, checkpoints=frozenset([first.passive_id]))

    def start(host, hosts=HOSTS):
        job = schedule.next(host, hosts)
        return None if job is None else job.name

    assert start("a") == first.run_id
    lose(schedule, first.run_id, host="a")
    assert schedule.avoided(HOSTS) == frozenset()
    assert start("a") == other.run_id
    assert schedule.avoided(HOSTS) == {"a"}
    assert start("a") is None
    assert start("b") == first.run_id
    lose(schedule, first.run_id, host="b")
    assert schedule.avoided(HOSTS) == frozenset()
    assert start("a", frozenset(["a"])) == first.run_id


class Cluster(RuleBasedStateMachine):
    """Runs a schedule with workers that finish, fail, die and write checkpoints in any order."""

    ATTEMPTS = 2

    def __init__(self) -> None:
        super().__init__()
        runs = [run(name, seed) for seed in range(3) for name in ("random", "margin")]
        at_hand = frozenset([runs[0].run_id, runs[2].passive_id])
        self.passives = {each.passive_id for each in runs}
        self.checkpoints = set(at_hand)
        self.schedule = RunSchedule(
            runs,
            attempts=self.ATTEMPTS,
            finished=frozenset([runs[1].run_id]),
            checkpoints=at_hand,
        )
        self.running: dict[str, str] = {}
        self.settled = {runs[0].passive_id, runs[1].run_id, runs[2].passive_id}
        self.starts: Counter[str] = Counter()
        self.deaths: defaultdict[str, set[str]] = defaultdict(set)

    @rule(host=st.sampled_from(sorted(HOSTS)))
    def start(self, host):
        avoided, upcoming = self.schedule.avoided(HOSTS), self.schedule.upcoming
        job = self.schedule.next(host, HOSTS)
        if job is None:
            assert host in avoided or upcoming == 0 or self.running
            return
        assert upcoming > 0, "a job that was hidden"
        assert host not in avoided
        assert host not in self.deaths[job.name] or self.deaths[job.name] == HOSTS
        assert job.name not in self.running, "two workers for one job"
        assert job.name not in self.settled, "a job that had ended"
        if job.name in self.passives:
            assert job.start_from is None
        else:
            assert job.start_from in self.checkpoints
            own = job.name in self.checkpoints
            assert (job.start_from == job.name) == own
        self.starts[job.name] += 1
        self.running[job.name] = host

    def end_well(self, name: str) -> None:
        del self.running[name]
        if name in self.passives:
            self.checkpoints.add(name)
            self.schedule.checkpointed(name)
        self.schedule.done(name)
        self.settled.add(name)

    def pick(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.running)))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def checkpoint(self, data):
        name = self.pick(data)
        if name not in self.passives:
            self.checkpoints.add(name)
            self.schedule.checkpointed(name)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def finish(self, data):
        self.end_well(self.pick(data))

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def fail(self, data):
        name = self.pick(data)
        del self.running[name]
        self.settled |= {name, *(s.run_id for s in fail(self.schedule, name))}

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def die(self, data):
        name = self.pick(data)
        host = self.running.pop(name)
        self.deaths[name].add(host)
        victims = lose(self.schedule, name, host=host)
        assert bool(victims) == (self.starts[name] == self.ATTEMPTS)
        if victims:
            self.settled |= {name, *(status.run_id for status in victims)}

    @invariant()
    def attempts_are_bounded(self):
        assert max(self.starts.values(), default=0) <= self.ATTEMPTS

    @invariant()
    def it_is_over_when_every_run_has_ended(self):
        assert self.schedule.over == (self.schedule.runs.keys() <= self.settled)
        if self.schedule.over:
            assert not self.running
            assert self.schedule.upcoming == 0

    @override
    def teardown(self):
        """Whatever has happened, finishing what can be started ends the study."""
        for _ in range(20):
            for host in HOSTS:
                self.start(host)
            for name in list(self.running):
                self.end_well(name)
        assert self.schedule.over


TestCluster = Cluster.TestCase
