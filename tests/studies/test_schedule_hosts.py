"""On which host a job starts again, and whatever else can happen in any order."""

from collections import Counter, defaultdict

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from typing_extensions import override

from alray.studies.sweep.schedule import RunSchedule
from tests.helpers.schedules import HOSTS, fail, lose, run


def ready(*runs):
    """Return a schedule of these runs, whose passive phase is done."""
    return RunSchedule(runs, attempts=3, checkpoints=frozenset([runs[0].passive_id]))


def start(schedule, host, hosts=HOSTS):
    """Return the name of the next job on a host, None if there is none."""
    job = schedule.next(host, hosts)
    return None if job is None else job.name


def test_a_lost_job_goes_to_another_host_as_long_as_there_is_one():
    schedule, name = ready(run()), run().run_id
    assert start(schedule, "a") == name
    lose(schedule, name, host="a")
    assert schedule.avoided(HOSTS) == {"a"}
    assert start(schedule, "a") is None
    assert start(schedule, "b") == name
    lose(schedule, name, host="b")
    assert schedule.avoided(HOSTS) == frozenset()
    assert start(schedule, "a", frozenset(["a"])) == name


def test_other_jobs_take_the_host_that_one_avoids():
    first, other = run("random"), run("margin")
    schedule = ready(first, other)
    assert start(schedule, "a") == first.run_id
    lose(schedule, first.run_id, host="a")
    assert schedule.avoided(HOSTS) == frozenset()
    assert start(schedule, "a") == other.run_id
    assert schedule.avoided(HOSTS) == {"a"}


def test_an_error_is_tried_on_every_other_host_and_then_believed():
    schedule, name = ready(run()), run().run_id
    assert start(schedule, "a") == name
    assert fail(schedule, name, "a", HOSTS) == []
    assert schedule.runs[name].status == "waiting"
    assert start(schedule, "b") == name
    (status,) = fail(schedule, name, "b", HOSTS)
    assert status.error == "it failed 2 times (a, b): ValueError: no"
    assert status.traceback.count("Traceback ...") == 2
    assert "1. on a, an error: ValueError: no" in status.traceback


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
        self.settled: set[str] = {runs[1].run_id}
        self.starts: Counter[str] = Counter()
        self.deaths: defaultdict[str, set[str]] = defaultdict(set)

    @rule(host=st.sampled_from(sorted(HOSTS)))
    def start(self, host):
        avoided = self.schedule.avoided(HOSTS)
        job = self.schedule.next(host, HOSTS)
        if job is None:
            assert host in avoided or self.schedule.upcoming == 0 or self.running
            return
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
