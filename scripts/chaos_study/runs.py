"""Studies into which one fault after the other is injected, until none is left."""

import math
import shutil
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos_study.cluster import STATE, ClusterError
from chaos_study.faults import KINDS, Fault
from chaos_study.injection import RESUME_SECONDS, Outcome, can_inject, complete, inject, start
from chaos_study.journal import count_repeated
from chaos_study.running import RunningStudy, Setup
from chaos_study.study import differences

STUDY_SECONDS = 600.0
"""Within this time a study must end after its last fault."""

ATTEMPTS = 3
"""How often the same command is started again where it ends although it should not."""


@dataclass
class StudyReport:
    """The outcomes of the faults of a study, deviations from what is expected in it or at its end, and its seconds."""

    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


def run_all(setup: Setup, faults: Sequence[Fault], most: int) -> list[StudyReport]:
    """Run studies until every fault was injected, at most `most` into each."""
    left = deque(faults)
    studies: list[StudyReport] = []
    while left:
        before = len(left)
        studies.append(_run(setup, left, most, len(studies) + 1))
        if len(left) == before:
            studies[-1].problems.append("no fault could be injected")
            break
    return studies


def _run(setup: Setup, left: deque[Fault], most: int, number: int) -> StudyReport:
    work = setup.work / f"study-{number}"
    work.mkdir()
    shutil.copy(setup.work / "study.yaml", work)
    setup.cluster.up()
    study = RunningStudy(setup, work)
    report = StudyReport()
    try:
        if start(study, study.begin) is None:
            report.problems.append(f"it did not begin within {RESUME_SECONDS:.0f} s")
        while left and len(report.outcomes) < most and _await_moment(study, left[0]):
            _inject(study, report, left.popleft(), number)
        _finish(setup, study, report)
    except ClusterError as error:
        report.problems.append(str(error))
        setup.cluster.call("down")
    finally:
        study.command.kill()
    _complete(study, report)
    if report.problems:
        _keep(study, work)
    shutil.rmtree(study.results, ignore_errors=True)
    report.seconds = time.monotonic() - study.begin
    result = "; ".join(report.problems) or "equal to the undisturbed one to the bit"
    print(
        f"study {number}: {result}; {len(report.outcomes)} faults, {report.seconds:.0f} s",
        flush=True,
    )
    return report


def _await_moment(study: RunningStudy, fault: Fault) -> bool:
    """Wait for the moment of a fault; return whether it comes before the command ends."""
    study.await_end(fault.delay)
    return study.wait_until(lambda: can_inject(study, fault), STUDY_SECONDS) and (
        study.command.exit_code is None
    )


def _inject(study: RunningStudy, report: StudyReport, fault: Fault, number: int) -> None:
    outcome = inject(study, fault, number)
    if report.outcomes:
        complete(study, report.outcomes[-1], outcome.injected, outcome.lines)
    report.outcomes.append(outcome)
    result = "; ".join(outcome.problems) or "went on"
    after = "" if outcome.seconds is None else f" after {outcome.seconds:.1f} s"
    ended = "" if outcome.exit_code is None else f", exit code {outcome.exit_code}"
    kind = KINDS[fault.kind]
    where = f", node{fault.node}" if len(kind.nodes) > 1 else ""
    print(f"study {number}: {kind.title}{where}{ended}: {result}{after}", flush=True)


def _finish(setup: Setup, study: RunningStudy, report: StudyReport) -> None:
    """Let the study end; a command that ends with an error is started again, as a user would."""
    for _ in range(ATTEMPTS):
        code = study.await_end(STUDY_SECONDS)
        if code is None:
            report.problems.append(f"it did not end within {STUDY_SECONDS:.0f} s")
            return
        if code == 0:
            break
        last = study.error_lines()[-1]
        report.problems.append(f"the command has ended with {code}: {last}")
        setup.cluster.up()
        start(study, time.monotonic())
    if study.command.exit_code == 0:
        report.problems += differences(study.folder, setup.undisturbed)


def _complete(study: RunningStudy, report: StudyReport) -> None:
    """Complete the last outcome; a study's problems count against all its faults, and the faults' against it."""
    if report.outcomes:
        complete(study, report.outcomes[-1], math.inf, len(study.error_lines()))
        moments = [outcome.injected for outcome in report.outcomes]
        counts = count_repeated(study.journal.since(study.begin), moments)
        for outcome, count in zip(report.outcomes, counts, strict=True):
            outcome.repeated = count
    for outcome in report.outcomes:
        outcome.problems += report.problems
    problems = [problem for outcome in report.outcomes for problem in outcome.problems]
    report.problems = list(dict.fromkeys(problems)) or report.problems


def _keep(study: RunningStudy, work: Path) -> None:
    """Keep the evidence: the study's folder, and the logs of Ray's programs on the nodes."""
    shutil.copytree(study.folder, work / "results", ignore=shutil.ignore_patterns(".*"))
    for logs in STATE.glob("node*/ray/session_*/logs"):
        node = logs.parents[2].name
        shutil.copytree(logs, work / "ray" / node / logs.parent.name, dirs_exist_ok=True)
