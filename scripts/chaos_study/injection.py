"""Injecting one fault: caused, survived by the command or by the same command again, and checked."""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos_study.cluster import ClusterError
from chaos_study.faults import KINDS, Fault, Kind
from chaos_study.journal import Run, repeated_although_saved, resumption_times
from chaos_study.messages import foreign, unusual
from chaos_study.running import RunningStudy

RESUME_SECONDS = 180.0
"""Within this time runs must go on after a fault, or after the same command was started again."""

END_SECONDS = 150.0
"""Within this time a command must have ended that cannot go on."""


@dataclass
class Outcome:
    """A fault that was injected, and its effects.

    Attributes:
        fault: The fault.
        study: Number of the study that it happened to.
        injected: When, on the machine's monotonic clock.
        lines: Lines on the standard error before it.
        checked: When `saved` was read.
        saved: The last round of each run that was on the disk then.
        exit_code: The command's; None where it went on.
        seconds: From the fault until the runs that it hit went on; None where they did not, or none was hit.
        repeated: Rounds that were begun again.
        messages: Lines for the user that alray does not print where nothing is wrong.
        problems: Deviations from what is expected; empty where the fault was survived.
    """

    fault: Fault
    study: int
    injected: float
    lines: int
    checked: float
    saved: Mapping[Run, int]
    exit_code: int | None = None
    seconds: float | None = None
    repeated: int = 0
    messages: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def inject(study: RunningStudy, fault: Fault, number: int) -> Outcome:
    """Inject a fault into a study of this number, and wait until runs go on."""
    kind = KINDS[fault.kind]
    now = time.monotonic()
    outcome = Outcome(fault, number, now, len(study.error_lines()), now, study.files.saved())
    if kind.prevents_start:
        act = _expect_refusal
    else:
        act = _expect_resumption if kind.exit_code is None else _expect_end
    try:
        act(study, kind, outcome)
    except ClusterError as error:  # the nodes could not be brought to where they should be
        outcome.problems.append(str(error))
    return outcome


def can_inject(study: RunningStudy, fault: Fault) -> bool:
    """Whether the fault would have an effect: the death of a worker without a run has none."""
    return KINDS[fault.kind].exit_code is not None or bool(study.runs_on(fault.node))


def _expect_resumption(study: RunningStudy, kind: Kind, outcome: Outcome) -> None:
    """Inject a fault, and see the command go on by itself."""
    node, injected = outcome.fault.node, outcome.injected
    interrupted = study.runs_on(node)
    kind.inject(study, node)
    study.await_end(kind.seconds)
    kind.repair(study, node)
    # A worker that must die may begin a last round, which is no sign that its run goes on.
    repaired = math.inf if kind.message else time.monotonic()

    def has_resumed() -> bool:
        times = resumption_times(study.journal.since(injected), interrupted, repaired)
        resumed = all(run in times or study.files.finished(run) for run in interrupted)
        return resumed and _has_message(study, kind, outcome)

    if not study.wait_until(has_resumed, RESUME_SECONDS):
        outcome.problems.append(_reason(study, kind, outcome))
    times = resumption_times(study.journal.since(injected), interrupted, repaired)
    outcome.seconds = max(times.values()) - injected if times else None
    kind.restore(study, node)


def _has_message(study: RunningStudy, kind: Kind, outcome: Outcome) -> bool:
    """Whether the kind's message was printed since the fault, where it has one."""
    lines = study.error_lines()[outcome.lines :]
    return not kind.message or any(re.search(kind.message, line) for line in lines)


def _reason(study: RunningStudy, kind: Kind, outcome: Outcome) -> str:
    """Return why runs did not go on."""
    if study.command.exit_code is not None:
        return f"the command has ended with {study.command.exit_code}"
    if not _has_message(study, kind, outcome):
        return f"no message about it within {RESUME_SECONDS:.0f} s"
    return f"its runs did not go on within {RESUME_SECONDS:.0f} s"


def _expect_end(study: RunningStudy, kind: Kind, outcome: Outcome) -> None:
    """Inject a fault, see the command end, and go on when started again."""
    kind.inject(study, outcome.fault.node)
    _check_end(study, kind, outcome)
    kind.repair(study, outcome.fault.node)
    _start_again(study, outcome)


def _expect_refusal(study: RunningStudy, kind: Kind, outcome: Outcome) -> None:
    """Stop the command, inject a fault, and see the command refused before any work until that is repaired."""
    study.command.interrupt()
    if study.await_end(END_SECONDS) != 130:
        outcome.problems.append("Ctrl-C did not end the command with 130")
    kind.inject(study, outcome.fault.node)
    files, begun = study.files.state(), len(study.journal.entries())
    study.start_command()
    _check_end(study, kind, outcome)
    if files != study.files.state() or begun != len(study.journal.entries()):
        outcome.problems.append("work was done before it was refused")
    kind.repair(study, outcome.fault.node)
    _start_again(study, outcome)


def _check_end(study: RunningStudy, kind: Kind, outcome: Outcome) -> None:
    code = outcome.exit_code = study.await_end(END_SECONDS)
    if code == 0 and not kind.prevents_start:
        return  # The study was over before the fault could matter; its records are compared.
    if code is None:
        outcome.problems.append(f"the command did not end within {END_SECONDS:.0f} s")
        study.command.kill()
        study.await_end(END_SECONDS)
    elif code != kind.exit_code:
        outcome.problems.append(f"the command has ended with {code} instead of {kind.exit_code}")
    if not _has_message(study, kind, outcome):
        outcome.problems.append("the expected message was not printed")


def _start_again(study: RunningStudy, outcome: Outcome) -> None:
    """Start the same command again; rounds that are saved by now must not be run again."""
    outcome.saved, outcome.checked = study.files.saved(), time.monotonic()
    outcome.seconds = start(study, outcome.injected)
    if outcome.seconds is None and study.command.exit_code != 0:
        outcome.problems.append(f"the same command did not go on within {RESUME_SECONDS:.0f} s")


def start(study: RunningStudy, since: float) -> float | None:
    """Start the command; return the seconds from a moment until new processes begin rounds, None where none does."""
    before, started = study.processes(), time.monotonic()
    study.start_command()
    study.wait_until(lambda: study.first_round(started, before) is not None, RESUME_SECONDS)
    first = study.first_round(started, before)
    return None if first is None else first - since


def complete(study: RunningStudy, outcome: Outcome, until: float, lines: int) -> None:
    """Complete an outcome, once the next fault comes or the study is over.

    Args:
        study: The study.
        outcome: Gets messages, and problems of the time up to the next fault.
        until: When the next fault was injected.
        lines: Lines on the standard error up to then.
    """
    printed = study.error_lines()[outcome.lines : lines]
    outcome.messages = [line.replace(str(study.folder), "RESULTS") for line in unusual(printed)]
    outcome.problems += [f"a line that is not alray's: {line}" for line in foreign(printed)]
    entries = [entry for entry in study.journal.since(outcome.checked) if entry.time <= until]
    for entry in repeated_although_saved(entries, outcome.saved):
        strategy, seed = entry.run
        outcome.problems.append(
            f"{strategy}, seed {seed}: round {entry.round} was run again, "
            f"though round {outcome.saved[entry.run]} was saved"
        )
