"""Numbers and phrases as people read them."""

from collections.abc import Iterable

from alray.plan import Plan
from alray.schedule import RunStatus


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


def rounds_left(statuses: Iterable[RunStatus]) -> int:
    """Return how many rounds, the passive phase counted as one, unfinished runs still have to play."""
    return sum(
        status.run.rounds - status.rounds_done
        for status in statuses
        if status.status != "finished"
    )


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
