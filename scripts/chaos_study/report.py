"""The tables of faults, and the page that publishes them."""

import statistics
from collections.abc import Iterable, Sequence

from benchmarks.harness.programs import ROOT
from benchmarks.harness.tables import Table, machine, write_report
from chaos_study.faults import FIRST, KINDS, LAST
from chaos_study.injection import Outcome
from chaos_study.runs import StudyReport
from chaos_study.study import STRATEGIES, Size

PUBLISHED = ROOT / "results" / "reference" / "chaos.md"

INTRODUCTION = """# Faults, injected and counted

Written by `scripts/chaos {arguments}`. {machine}.

Three nodes out of namespaces, one CPU each (`cluster/local`); {studies} studies of {runs} runs of {rounds} rounds, a
checkpoint every 2 s, {minutes:.0f} minutes in all. A fault comes {first:g} to {last:g} s after runs went on. Each
strategy waits {pause:g} s in every round and records in a journal, on the worker, that the round was begun. A fault
counts as survived if the command goes on or ends with the expected exit code and message and the same command goes on,
or the study is over before it matters; if no program but alray writes to the standard error; if no round is begun
again that a checkpoint held; and if the study ends with the records of the undisturbed one to the bit. Times and
rounds are median and most; the time is from the fault until the runs that it hit go on, new nodes and the start of the
same command included. A round in progress counts as begun again.

Clocks that differ were not tried. A time namespace moves the monotonic clocks alone, and libfaketime 0.9.10 moves the
clock of the day, but then `time.sleep` of Python 3.11 fails, or hangs where the monotonic clock is moved too: Ray does
not start.
"""


def by_kind(outcomes: Sequence[Outcome]) -> Table:
    """Return a row per kind of fault; times and rounds as median and most."""
    rows, notes = [], []
    for name, kind in KINDS.items():
        chosen = [outcome for outcome in outcomes if outcome.fault.kind == name]
        if not chosen:
            continue
        rows.append(
            [
                kind.title,
                str(len(chosen)),
                ", ".join(sorted({_code(outcome) for outcome in chosen})),
                _median_and_most([one.seconds for one in chosen if one.seconds is not None]),
                _median_and_most([outcome.repeated for outcome in chosen]),
                str(sum(not outcome.problems for outcome in chosen)),
            ]
        )
        notes.append(f"{kind.title}: {_example(chosen)}")
    columns = ["fault", "tried", "exit code", "went on, s", "again", "survived"]
    total = sum(not outcome.problems for outcome in outcomes)
    return Table(f"Faults: {len(outcomes)} tried, {total} survived", columns, rows, notes)


def one_by_one(outcomes: Sequence[Outcome]) -> Table:
    rows = [
        [
            str(number),
            str(outcome.study),
            KINDS[outcome.fault.kind].title,
            f"node{outcome.fault.node}",
            _code(outcome),
            "-" if outcome.seconds is None else f"{outcome.seconds:.1f}",
            str(outcome.repeated),
            "; ".join(outcome.problems) or "survived",
        ]
        for number, outcome in enumerate(outcomes, 1)
    ]
    columns = ["", "study", "fault", "node", "exit code", "went on, s", "again", "outcome"]
    return Table("One by one", columns, rows)


def publish(arguments: str, size: Size, studies: Sequence[StudyReport]) -> None:
    """Write the tables, with the machine and the command."""
    outcomes = [outcome for study in studies for outcome in study.outcomes]
    introduction = INTRODUCTION.format(
        arguments=arguments,
        machine="; ".join(machine()),
        studies=len(studies),
        runs=len(STRATEGIES) * size.seeds,
        rounds=size.rounds,
        minutes=sum(study.seconds for study in studies) / 60,
        first=FIRST,
        last=LAST,
        pause=size.pause,
    )
    write_report(PUBLISHED, introduction, [by_kind(outcomes), one_by_one(outcomes)])


def _code(outcome: Outcome) -> str:
    return "-" if outcome.exit_code is None else str(outcome.exit_code)


def _median_and_most(numbers: Sequence[float]) -> str:
    if not numbers:
        return "-"
    return f"{statistics.median(numbers):.0f}, {max(numbers):.0f}"


def _example(outcomes: Iterable[Outcome]) -> str:
    """Return the messages of the first outcome that has any."""
    messages = next((outcome.messages for outcome in outcomes if outcome.messages), ["nothing"])
    return " / ".join(dict.fromkeys(messages))
