"""Which fine-tunes a correlation study consists of, by its settings alone: what a base must have to be complete."""

from collections.abc import Collection, Iterable
from itertools import product

from alray.settings.correlation import CorrelationSpec

SHUFFLED_GROUPS = 10
"""Groups with shuffled labels: enough to see that harm is found where harm was done."""

SHUFFLED = "shuffled_labels"

CONTROL = "control"
"""Stands for the grouping in records of fine-tunes without a group."""

GROUPS_A_TASK = 20
"""Part of a task's name, so that a study that goes on finds what is done."""


def has_control(spec: CorrelationSpec) -> bool:
    """Whether outcomes are held against steps without a group; the published protocol has none."""
    return spec.compat is None


def grouping_names(spec: CorrelationSpec) -> list[tuple[str, str]]:
    """Return (grouping, sorted_by) of every grouping."""
    names = [
        (kind, score)
        for kind in ("score", "within_class")
        if kind in spec.grouping
        for score in spec.scores
    ]
    return [*names, *([("random", ""), (SHUFFLED, "")] if "random" in spec.grouping else [])]


def group_count(spec: CorrelationSpec, grouping: str) -> int:
    """Return how many groups a grouping has; sample and group size must be filled in."""
    if grouping == SHUFFLED:
        return SHUFFLED_GROUPS
    return int(spec.sample or 0) // int(spec.group_size or 1)


def task_name(base: int, grouping: str, sorted_by: str, seed: int, first: int) -> str:
    """Return the name of the task that fine-tunes the groups from `first` on; the control has no groups."""
    if grouping == CONTROL:
        return f"base-{base}__control__seed-{seed}"
    kind = f"{grouping}-{sorted_by}" if sorted_by else grouping
    return f"base-{base}__{kind}__seed-{seed}__group-{first}"


def task_parts(spec: CorrelationSpec) -> Iterable[tuple[int, tuple[str, str, int]]]:
    """Return (seed, (grouping, sorted_by, first group)) of each fine-tuning task of a base; -1 for the control.

    One seed after the other, so that a part of them is a smaller study.
    """
    parts = [
        (kind, by, first)
        for kind, by in grouping_names(spec)
        for first in range(0, group_count(spec, kind), GROUPS_A_TASK)
    ]
    if has_control(spec):
        parts.insert(0, (CONTROL, "", -1))
    return product(range(spec.fine_tune_seeds), parts)


def task_names(spec: CorrelationSpec, base: int) -> list[str]:
    """Return the names of a base's fine-tuning tasks in their order."""
    return [task_name(base, kind, by, seed, first) for seed, (kind, by, first) in task_parts(spec)]


def complete_bases(
    spec: CorrelationSpec, bases: Iterable[int], done: Collection[str]
) -> list[int]:
    """Return those of the trained bases whose every task is done, rising; `done` has the names of tasks on record."""
    done = frozenset(done)
    return sorted(int(base) for base in bases if done.issuperset(task_names(spec, int(base))))
