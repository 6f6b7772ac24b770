"""Studies to which one fault after the other happens, until none is left."""

import math
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.cluster import STATE, Cluster, FaultsError
from faults.disk import Disk
from faults.journal import Journal, again
from faults.kinds import KINDS
from faults.outcome import Outcome
from faults.plan import Fault
from faults.scene import Scene
from faults.strike import GO_ON_SECONDS, begin, can_strike, judge, strike
from faults.study import Undisturbed, differences

STUDY_SECONDS = 600.0
"""Within this time a study must end after its last fault."""

TRIES = 3
"""How often the same command is typed again where it ends although it should not."""


@dataclass
class Ground:
    """Where all studies are played.

    Attributes:
        cluster: The nodes.
        disk: Where results go.
        journal: What workers take down.
        work: Folder for everything else.
        plan: The study's plan.
        undisturbed: How it ends where nothing happens.
        say: Told, a line each, what happens.
    """

    cluster: Cluster
    disk: Disk
    journal: Journal
    work: Path
    plan: object
    undisturbed: Undisturbed
    say: Callable[[str], None]


@dataclass
class Sweep:
    """A study that was played.

    Attributes:
        outcomes: What has become of the faults.
        problems: What was not as it should be at its end.
        seconds: How long it took.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


def play_all(ground: Ground, faults: Sequence[Fault], most: int) -> list[Sweep]:
    """Play studies until every fault has happened, at most so many to each."""
    left = deque(faults)
    studies: list[Sweep] = []
    while left:
        before = len(left)
        studies.append(_play(ground, left, most, len(studies) + 1))
        if len(left) == before:
            studies[-1].problems.append("no fault could happen in it")
            break
    return studies


def _play(ground: Ground, left: deque[Fault], most: int, number: int) -> Sweep:
    work = ground.work / f"study-{number}"
    work.mkdir()
    shutil.copy(ground.work / "study.yaml", work)
    ground.cluster.up()
    scene = Scene(ground.cluster, ground.disk, ground.journal, work, ground.plan)
    study = Sweep()
    try:
        if begin(scene, scene.begin) is None:
            study.problems.append(f"it did not begin within {GO_ON_SECONDS:.0f} s")
        while left and len(study.outcomes) < most and _moment(scene, left[0]):
            _happen(ground, scene, study, left.popleft(), number)
        _finish(ground, scene, study)
    except FaultsError as error:
        study.problems.append(str(error))
        ground.cluster.call("down")
    finally:
        scene.command.kill()
    _pass_on(scene, study)
    if study.problems:
        _keep(scene, work)
    shutil.rmtree(scene.results, ignore_errors=True)
    study.seconds = time.monotonic() - scene.begin
    ground.say(
        f"study {number}: {'; '.join(study.problems) or 'equal to the undisturbed one to the bit'}; "
        f"{len(study.outcomes)} faults, {study.seconds:.0f} s"
    )
    return study


def _moment(scene: Scene, fault: Fault) -> bool:
    """Wait for the moment of a fault; return whether it comes before the command ends."""
    scene.await_end(fault.delay)
    return scene.until(lambda: can_strike(scene, fault), STUDY_SECONDS) and (
        scene.command.exit_code is None
    )


def _happen(ground: Ground, scene: Scene, study: Sweep, fault: Fault, number: int) -> None:
    outcome = strike(scene, fault, number)
    if study.outcomes:
        judge(scene, study.outcomes[-1], outcome.struck, outcome.lines)
    study.outcomes.append(outcome)
    result = "; ".join(outcome.problems) or "went on"
    after = "" if outcome.seconds is None else f" after {outcome.seconds:.1f} s"
    ended = "" if outcome.exit_code is None else f", exit code {outcome.exit_code}"
    where = f", node{fault.node}" if len(KINDS[fault.kind].nodes) > 1 else ""
    ground.say(f"study {number}: {KINDS[fault.kind].title}{where}{ended}: {result}{after}")


def _finish(ground: Ground, scene: Scene, study: Sweep) -> None:
    """Let the study end; a command that ends with an error is typed again, as people would."""
    for _ in range(TRIES):
        code = scene.await_end(STUDY_SECONDS)
        if code is None:
            study.problems.append(f"it did not end within {STUDY_SECONDS:.0f} s")
            return
        if code == 0:
            break
        study.problems.append(f"the command has ended with {code}: {scene.said()[-1]}")
        ground.cluster.up()
        begin(scene, time.monotonic())
    if scene.command.exit_code == 0:
        study.problems += differences(scene.folder, ground.undisturbed)


def _pass_on(scene: Scene, study: Sweep) -> None:
    """Complete the last outcome; what is wrong with a study is held against all its faults."""
    if study.outcomes:
        judge(scene, study.outcomes[-1], math.inf, len(scene.said()))
        moments = [outcome.struck for outcome in study.outcomes]
        counts = again(scene.journal.since(scene.begin), moments)
        for outcome, count in zip(study.outcomes, counts, strict=True):
            outcome.again = count
    for outcome in study.outcomes:
        outcome.problems += study.problems
    study.problems = (
        list(dict.fromkeys(problem for outcome in study.outcomes for problem in outcome.problems))
        or study.problems
    )


def _keep(scene: Scene, work: Path) -> None:
    """Keep what was seen: the study's folder, and what Ray's programs have written on the nodes."""
    shutil.copytree(scene.folder, work / "results", ignore=shutil.ignore_patterns(".*"))
    for logs in STATE.glob("node*/ray/session_*/logs"):
        node = logs.parents[2].name
        shutil.copytree(logs, work / "ray" / node / logs.parent.name, dirs_exist_ok=True)
