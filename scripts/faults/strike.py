"""One fault: done, ridden out by the command or by the same command again, and looked at."""

import math
import re
import time

from faults.cluster import FaultsError
from faults.journal import needless, went_on
from faults.kinds import KINDS, Kind
from faults.lines import foreign, telling
from faults.outcome import Outcome
from faults.plan import Fault
from faults.scene import Scene

GO_ON_SECONDS = 180.0
"""Within this time runs must go on after a fault, or after the same command was typed again."""

END_SECONDS = 150.0
"""Within this time a command must have ended that cannot go on."""


def strike(scene: Scene, fault: Fault, study: int) -> Outcome:
    """Let a fault happen, and wait until runs go on."""
    kind = KINDS[fault.kind]
    now = time.monotonic()
    outcome = Outcome(fault, study, now, len(scene.said()), now, scene.files.kept())
    act = _refuse if kind.refused else _ride_out if kind.exit_code is None else _end
    try:
        act(scene, kind, outcome)
    except FaultsError as error:  # the nodes could not be brought to where they should be
        outcome.problems.append(str(error))
    return outcome


def can_strike(scene: Scene, fault: Fault) -> bool:
    """Whether the fault would hit anything: a worker dies for nothing where none plays."""
    return KINDS[fault.kind].exit_code is not None or bool(scene.playing(fault.node))


def _ride_out(scene: Scene, kind: Kind, outcome: Outcome) -> None:
    """See the command go on by itself."""
    node, struck = outcome.fault.node, outcome.struck
    victims = scene.playing(node)
    kind.strike(scene, node)
    scene.await_end(kind.lasts)
    kind.repair(scene, node)
    # A worker that must die may begin a last round, which is no sign that its run goes on.
    mended = math.inf if kind.says else time.monotonic()

    def is_over() -> bool:
        times = went_on(scene.journal.since(struck), victims, mended)
        told = any(re.search(kind.says, line) for line in scene.said()[outcome.lines :])
        return scene.all_done(victims, times) and (told or not kind.says)

    if not scene.until(is_over, GO_ON_SECONDS):
        outcome.problems.append(_unfinished(scene, kind, outcome))
    times = went_on(scene.journal.since(struck), victims, mended)
    outcome.seconds = max(times.values()) - struck if times else None
    kind.restore(scene, node)


def _unfinished(scene: Scene, kind: Kind, outcome: Outcome) -> str:
    if scene.command.exit_code is not None:
        return f"the command has ended with {scene.command.exit_code}"
    if kind.says and not any(re.search(kind.says, line) for line in scene.said()[outcome.lines :]):
        return f"nothing was said of it within {GO_ON_SECONDS:.0f} s"
    return f"its runs did not go on within {GO_ON_SECONDS:.0f} s"


def _end(scene: Scene, kind: Kind, outcome: Outcome) -> None:
    """See the command end, and go on when typed again."""
    kind.strike(scene, outcome.fault.node)
    _expect_end(scene, kind, outcome)
    kind.repair(scene, outcome.fault.node)
    _type_again(scene, outcome)


def _refuse(scene: Scene, kind: Kind, outcome: Outcome) -> None:
    """Stop the command, and see it refused before any work until the fault is made good."""
    scene.command.interrupt()
    if scene.await_end(END_SECONDS) != 130:
        outcome.problems.append("Ctrl-C did not end the command with 130")
    kind.strike(scene, outcome.fault.node)
    files, begun = scene.files.state(), len(scene.journal.entries())
    scene.type()
    _expect_end(scene, kind, outcome)
    if files != scene.files.state() or begun != len(scene.journal.entries()):
        outcome.problems.append("work was done before it was refused")
    kind.repair(scene, outcome.fault.node)
    _type_again(scene, outcome)


def _expect_end(scene: Scene, kind: Kind, outcome: Outcome) -> None:
    code = outcome.exit_code = scene.await_end(END_SECONDS)
    if code == 0 and not kind.refused:
        return  # The study was over before the fault could matter; its records are looked at.
    if code is None:
        outcome.problems.append(f"the command did not end within {END_SECONDS:.0f} s")
        scene.command.kill()
        scene.await_end(END_SECONDS)
    elif code != kind.exit_code:
        outcome.problems.append(f"the command has ended with {code} instead of {kind.exit_code}")
    said = scene.said()[outcome.lines :]
    if kind.says and not any(re.search(kind.says, line) for line in said):
        outcome.problems.append("what should have been said was not")


def _type_again(scene: Scene, outcome: Outcome) -> None:
    """Type the same command again; what is safe by now must not be played again."""
    outcome.kept, outcome.looked = scene.files.kept(), time.monotonic()
    outcome.seconds = begin(scene, outcome.struck)
    if outcome.seconds is None and scene.command.exit_code != 0:
        outcome.problems.append(f"the same command did not go on within {GO_ON_SECONDS:.0f} s")


def begin(scene: Scene, since: float) -> float | None:
    """Type the command, and return the seconds from a moment until new processes play, None where they never do."""
    before, typed = scene.processes(), time.monotonic()
    scene.type()
    scene.until(lambda: scene.plays_on(typed, before) is not None, GO_ON_SECONDS)
    first = scene.plays_on(typed, before)
    return None if first is None else first - since


def judge(scene: Scene, outcome: Outcome, until: float, lines: int) -> None:
    """Add what can be said only once the next fault comes or the study is over.

    Args:
        scene: The scene.
        outcome: What becomes complete.
        until: When the next fault was looked at.
        lines: Lines on the standard error up to then.
    """
    said = scene.said()[outcome.lines : lines]
    outcome.seen = [line.replace(str(scene.folder), "RESULTS") for line in telling(said)]
    outcome.problems += [f"a line of others: {line}" for line in foreign(said)]
    entries = [entry for entry in scene.journal.since(outcome.looked) if entry.time <= until]
    for entry in needless(entries, outcome.kept):
        strategy, seed = entry.run
        outcome.problems.append(
            f"{strategy}, seed {seed}: round {entry.round} was played again, "
            f"though round {outcome.kept[entry.run]} was safe"
        )
