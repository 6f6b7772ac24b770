"""What is printed and published of the faults."""

import statistics
from collections.abc import Iterable, Sequence

from benchmarks.harness.tables import Table
from faults.kinds import KINDS
from faults.outcome import Outcome

NOTHING = "nothing"


def by_kind(outcomes: Sequence[Outcome]) -> Table:
    """Return a row per kind of fault; times and rounds as median and most."""
    rows, notes = [], []
    for name, kind in KINDS.items():
        mine = [outcome for outcome in outcomes if outcome.fault.kind == name]
        if not mine:
            continue
        seconds = [outcome.seconds for outcome in mine if outcome.seconds is not None]
        survived = sum(outcome.survived for outcome in mine)
        rows.append(
            [
                kind.title,
                str(len(mine)),
                ", ".join(sorted({_code(outcome) for outcome in mine})),
                _median_and_most(seconds),
                _median_and_most([outcome.again for outcome in mine]),
                str(survived),
            ]
        )
        notes.append(f"{kind.title}: {_example(mine)}")
    columns = ("fault", "tried", "exit code", "went on, s", "again", "survived")
    total = sum(outcome.survived for outcome in outcomes)
    title = f"Faults: {len(outcomes)} tried, {total} survived"
    return Table(title, columns, rows, notes)


def one_by_one(outcomes: Sequence[Outcome]) -> Table:
    """Return a row per fault."""
    rows = [
        [
            str(number),
            str(outcome.study),
            KINDS[outcome.fault.kind].title,
            f"node{outcome.fault.node}",
            _code(outcome),
            "-" if outcome.seconds is None else f"{outcome.seconds:.1f}",
            str(outcome.again),
            "survived" if outcome.survived else "; ".join(outcome.problems),
        ]
        for number, outcome in enumerate(outcomes, 1)
    ]
    columns = (
        "",
        "study",
        "fault",
        "node",
        "exit code",
        "went on, s",
        "again",
        "outcome",
    )
    return Table("One by one", columns, rows)


def _code(outcome: Outcome) -> str:
    return "-" if outcome.exit_code is None else str(outcome.exit_code)


def _median_and_most(numbers: Sequence[float]) -> str:
    if not numbers:
        return "-"
    return f"{statistics.median(numbers):.0f}, {max(numbers):.0f}"


def _example(outcomes: Iterable[Outcome]) -> str:
    """Return what the first of them that showed anything has shown."""
    seen = next((outcome.seen for outcome in outcomes if outcome.seen), [NOTHING])
    return " / ".join(dict.fromkeys(seen))
