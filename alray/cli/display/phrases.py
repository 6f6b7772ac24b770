"""What all displays share: the bar, counts, durations, and the lines about jobs."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from alray.studies.executor import NamedJob
from alray.studies.retries import Failure
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.progress import RunProgress


def progress_bar(console: Console) -> Progress:
    """Return a bar over the console's width: what it is about, per cent done, time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(compact=True),
        console=console,
        expand=True,
    )


def count(number: int, noun: str, plural: str = "") -> str:
    """Return `1 run`, `3 runs`, `12,000 objects`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """Return `8 s`, `2 min 05 s`, `3 h 20 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count_of_bytes: int) -> str:
    """Return `4.2 MB` or `1.30 GB`."""
    if count_of_bytes < 1_000_000_000:
        return f"{count_of_bytes / 1e6:.1f} MB"
    return f"{count_of_bytes / 1e9:.2f} GB"


def rounds_left(runs: Iterable[RunProgress]) -> int:
    """Return how many rounds, the passive phase counted as one, unfinished runs still have to do."""
    return sum(run.run.rounds - run.rounds_done for run in runs if not run.finished)


def loss(job: NamedJob, failure: Failure, resumes_after: int | None) -> str:
    """Return the line about a dead worker: where, why, and how its job goes on (see `StudyObserver.lost`)."""
    again = "is given up" if resumes_after is None else "starts again"
    if resumes_after is not None and resumes_after > 0:
        again += f" after round {resumes_after}"
    return f"{_where(failure)}worker died ({failure.reason.rstrip('.')}); {job.title} {again}"


def move(job: NamedJob, failure: Failure) -> str:
    """Return the line about a job that is tried on another node after an error."""
    return f"{_where(failure)}{failure.reason}; {job.title} is tried on another node"


def _where(failure: Failure) -> str:
    return f"{failure.host}: " if failure.host else ""


def failed_run(run: RunProgress) -> str:
    """Return the line about a run that has failed."""
    return f"failed: {run.run.arm}, seed {run.run.seed}: {run.status.error}"


class Placement:
    """Where jobs run; shown once there is more than one host."""

    def __init__(self) -> None:
        self._running: dict[str, str] = {}
        self._seen: set[str] = set()

    def started(self, job: NamedJob, host: str) -> None:
        """A job has started."""
        self._running[job.name] = host
        self._seen.add(host)

    def ended(self, name: str) -> None:
        """A job runs no longer."""
        self._running.pop(name, None)

    def of(self, name: str) -> str:
        """Return the host of a running job, "" where there is only one host."""
        return self.shown(self._running.get(name, ""))

    def shown(self, host: str) -> str:
        """Return a host, "" where it is the only one."""
        return host if len(self._seen) > 1 else ""

    def counts(self) -> str:
        """Return how many jobs run on each host, "" where there is only one host."""
        if len(self._seen) < 2:
            return ""
        running = sorted(Counter(self._running.values()).items())
        return ", ".join(f"{number} on {host}" for host, number in running)


def headline(plan: Plan) -> list[str]:
    """Return three lines that say what the study is."""
    study, pool = plan.study, plan.pool
    modalities = " + ".join(
        f"{modality.name} {modality.dimension}" for modality in pool.modalities
    )
    parts = plan.prepared
    compared = len(plan.arms) * len(study.seeds)
    full = len(plan.runs) - compared
    on_full_data = f", and {full:,} on full data" if full else ""
    return [
        f"{study.name}: {count(len(pool), 'object')}, {count(len(pool.classes), 'class', 'classes')}, {modalities}",
        f"train {len(parts.train):,}, validation {len(parts.validation):,}, test {len(parts.test):,}",
        f"{count(len(plan.arms), 'arm')} x {count(len(study.seeds), 'seed')} = {count(compared, 'run')}{on_full_data}; "
        f"{study.initial:,} labels, then {count(study.rounds, 'round')} of {study.query:,} to {study.budget:,}",
    ]
