"""More rounds for runs that were made with fewer: each goes on from the checkpoint that the shorter run has left.

`rounds` is a part of a run's identity. So a longer run has another name, and it takes over the records and the
checkpoint of the run that equals it in everything but `rounds`: its rounds do not depend on how many there will be.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from alray.analysis.wording import count
from alray.settings.run import RunSpec
from alray.studies.sweep.run_rows import RunRows
from alray.studies.sweep.state import RunState
from alray.studies.sweep.store import SweepStore


@dataclass(frozen=True)
class Extension:
    """A run, and the shorter ones that are on record in its place; of these the longest is first.

    Attributes:
        run_id: The longer run.
        shorter: The runs that equal it but for fewer rounds.
        rounds: How many rounds of the first of them are on record.
        goes_on: Whether the first of them has a checkpoint.
        finished: Whether the longer run needs none of them any more.
    """

    run_id: str
    shorter: tuple[str, ...]
    rounds: int
    goes_on: bool
    finished: bool


def find_extensions(
    store: SweepStore, runs: Sequence[RunSpec], counts: Mapping[str, int]
) -> list[Extension]:
    """Return the runs that are shorter on record; `counts` are the rounds of all runs on record."""
    wanted = {run.run_id: run for run in runs if not run.full_data}
    strangers: dict[str, set[str]] = {}
    for run_id in counts.keys() - wanted.keys():
        strangers.setdefault(_without_hash(run_id), set()).add(run_id)
    if not strangers:
        return []
    lengths, checkpoints = _lengths(store, counts), store.checkpoints()
    found = []
    for run_id, run in wanted.items():
        near = strangers.get(_without_hash(run_id), set())
        shorter = [each for each in _shorter(run, lengths) if each in near] if near else []
        if shorter:
            shorter.sort(key=lambda each: (each in checkpoints, counts[each]), reverse=True)
            first, finished = shorter[0], counts.get(run_id) == run.rounds + 1
            rounds = counts[first] - 1
            found.append(Extension(run_id, tuple(shorter), rounds, first in checkpoints, finished))
    return found


def holds_some(store: SweepStore, runs: Sequence[RunSpec]) -> bool:
    """Return whether there are records of one of these runs, or of one that equals it but for fewer rounds.

    A run's name stands for its pool's content too.
    """
    if store.holds_any(run.run_id for run in runs):
        return True
    return bool(find_extensions(store, runs, store.counts()))


def take_over(store: SweepStore, extensions: Sequence[Extension]) -> dict[str, tuple[str, ...]]:
    """Give longer runs the records and checkpoints of shorter ones, which are removed after that.

    A kill in between leaves both, and the next command takes over again.

    Returns:
        Run: the shorter runs that it could not go on from. They can be removed when it is finished.
    """
    taken: list[str] = []
    superseded: dict[str, tuple[str, ...]] = {}
    present = store.checkpoints()
    with store.batch():
        for each in extensions:
            begun = each.finished or each.run_id in present
            if begun or (each.goes_on and _take(store, each)):
                taken += each.shorter
            else:
                superseded[each.run_id] = each.shorter
    with store.batch():
        for run_id in taken:
            store.remove_run(run_id)
    return superseded


def explain(extensions: Sequence[Extension]) -> list[str]:
    """Return what becomes of runs that were made with fewer rounds, a line each for those that go on and for others."""
    open_ones = [each for each in extensions if not each.finished]
    going_on = [each for each in open_ones if each.goes_on]
    lines = []
    if going_on:
        ends = [each.rounds for each in going_on]
        first, last = min(ends), max(ends)
        after = f"round {first}" if first == last else f"rounds {first} to {last}"
        lines.append(
            f"{count(len(going_on), 'run')} of fewer rounds: more are added after {after}"
        )
    if begun_anew := len(open_ones) - len(going_on):
        lines.append(
            f"{count(begun_anew, 'run')} of fewer rounds kept no checkpoint, so the passive phase comes first again"
        )
    return lines


def _take(store: SweepStore, extension: Extension) -> bool:
    """Write the first shorter run's records and checkpoint under the longer one's name, if they belong together."""
    shorter, run_id = extension.shorter[0], extension.run_id
    content = store.read_checkpoint(shorter)
    try:
        last = RunState.from_bytes(content).round
    except Exception:  # noqa: BLE001 -- content that cannot be read, for any reason, is of no use
        return False
    recorded = RunRows.recorded(store, shorter, last)
    if recorded is None or len(recorded.rounds) <= last:
        return False
    for row in (*recorded.rounds, *recorded.queries, *recorded.answers):
        row["run_id"] = run_id
    recorded.write(store, run_id)
    store.write_checkpoint(run_id, content)
    return True


def _lengths(store: SweepStore, counts: Mapping[str, int]) -> Collection[int]:
    """Return how many rounds the runs on record may have been made for."""
    lengths = {rounds - 1 for rounds in counts.values()}
    if store.exists():
        lengths.add(int(store.read_study().get("rounds", 0)))
    if store.has_runs():
        # Older files have no such column.
        recorded = store.read_runs().reindex(columns=["rounds"])["rounds"].dropna()
        lengths |= {int(rounds) for rounds in recorded}
    return sorted(lengths, reverse=True)


def _shorter(run: RunSpec, lengths: Collection[int]) -> list[str]:
    return [
        run.model_copy(update={"rounds": rounds}).run_id
        for rounds in lengths
        if rounds < run.rounds
    ]


def _without_hash(run_id: str) -> str:
    return run_id.rpartition("__")[0]
