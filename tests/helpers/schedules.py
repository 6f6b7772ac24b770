"""Runs without a pool, and what can happen to them, for the tests of what schedules them."""

from alray.settings.common import ModelSpec, SplitSpec, TrainingSpec
from alray.settings.run import RunSpec
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
        split=SplitSpec(),
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
