"""The bar that every study's progress is drawn with."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from alray.analysis import wording
from alray.studies.retries import Failure
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.schedule import Assignment, RunStatus

count = wording.count


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


def rounds_left(statuses: Iterable[RunStatus]) -> int:
    """Return how many rounds, the passive phase counted as one, unfinished runs still have to play."""
    return sum(
        status.run.rounds - status.rounds_done
        for status in statuses
        if status.status != "finished"
    )


def loss(assignment: Assignment, failure: Failure, kept: int | None) -> str:
    """Return what is said of a dead worker: where, why, and how its job goes on (`kept` as observers are told)."""
    again = "starts again" if kept is not None else "is given up"
    if kept is not None and kept > 0:
        again += f" after round {kept}"
    return died(failure.host, failure.reason, f"{assignment.title} {again}")


def died(host: str, reason: str, then: str) -> str:
    """Return the sentence about a worker's death, of which the host may not be known."""
    where = f"{host}: " if host else ""
    return f"{where}worker died ({reason.rstrip('.')}); {then}"


def move(host: str, reason: str, title: str) -> str:
    """Return what is said of a job that is tried on another node after an error."""
    where = f"{host}: " if host else ""
    return f"{where}{reason}; {title} is tried on another node"


def failure(status: RunStatus) -> str:
    """Return what is said of a run that has failed."""
    return f"failed: {status.run.arm}, seed {status.run.seed}: {status.error}"


class Placement:
    """Where jobs are playing; worth a word once more than one host is in play."""

    def __init__(self) -> None:
        self._running: dict[str, str] = {}
        self._seen: set[str] = set()

    def started(self, assignment: Assignment) -> None:
        """A job has started."""
        self._running[assignment.name] = assignment.host
        self._seen.add(assignment.host)

    def ended(self, name: str) -> None:
        """A job plays no longer."""
        self._running.pop(name, None)

    def of(self, host: str) -> str:
        """Return a host, "" where only one is in play."""
        return host if len(self._seen) > 1 else ""

    def counts(self) -> str:
        """Return how many jobs play on each host, "" where only one is in play."""
        if len(self._seen) < 2:
            return ""
        playing = sorted(Counter(self._running.values()).items())
        return ", ".join(f"{number} on {host}" for host, number in playing)


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
