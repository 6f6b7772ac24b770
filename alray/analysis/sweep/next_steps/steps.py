"""What a step is, and what is known of how a study can go on."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from alray.analysis.sweep.arms import ArmCurves
from alray.analysis.sweep.full_data import FullDataSplit
from alray.analysis.sweep.next_steps.pace import Pace
from alray.analysis.wording import Row, about_time

Kind = Literal["finish", "choose", "more seeds", "compare", "more labels", "stop", "own data"]

NEXT_COLUMNS: Mapping[str, str] = {
    "step": "finish (runs are missing), choose (a strategy or random, and compare no further), more seeds, compare "
    "(arms are missing), more labels, stop (where a stopping rule says so), or own data",
    "sentence": "what to do, and why",
    "command": "the command that does it; null where there is none",
    "seconds": "about how long it takes, by the recorded seconds of rounds, with as many runs at a time as the study "
    "had; null where that is not known",
}
"""Columns of `findings/next_steps.csv`, in order, each with what it holds."""

Changes = Mapping[str, str]
"""Setting, as options are named: its new value."""


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        kind: Which.
        sentence: What to do, and why.
        command: What does it, "" where there is no such command.
        seconds: About how long that takes; NaN where it is not known.
    """

    kind: Kind
    sentence: str
    command: str = ""
    seconds: float = math.nan


@dataclass(frozen=True)
class GoingOn:
    """How a study can go on.

    Attributes:
        again: Returns the command that made the study, with changed settings.
        strategies: Their texts.
        seeds: Run seeds.
        initial: Labels that runs begin with.
        query: Labels that a round adds.
        rounds: Rounds of a run.
        evaluate_every: Rounds from one evaluation to the next.
        train: Objects of the train part; None where unknown.
        workers: Runs at a time; None where unknown.
        ended: Whether every run of the study is in the table of runs.
        of_alray: Whether its pool is one that comes with alray.
    """

    again: Callable[[Changes], str]
    strategies: tuple[str, ...]
    seeds: tuple[int, ...]
    initial: int
    query: int
    rounds: int
    evaluate_every: int = 1
    train: int | None = None
    workers: int | None = None
    ended: bool = True
    of_alray: bool = False

    @property
    def budget(self) -> int:
        """Labels at the end of a run."""
        return self.initial + self.rounds * self.query

    def seeds_text(self, number: int) -> str:
        """Return so many seeds, those of the study among them, as the option takes them."""
        more = number - len(self.seeds)
        if self.seeds == tuple(range(len(self.seeds))):
            return str(number)
        unused = [seed for seed in range(number + len(self.seeds)) if seed not in self.seeds]
        return ",".join(map(str, [*self.seeds, *unused[:more]]))


@dataclass(frozen=True, eq=False)
class Known:
    """What steps are derived from.

    Attributes:
        rows: The rows of a summary.
        split: The records.
        arms: Name: curves, along what the summary is.
        reference: What arms are compared with.
        going_on: How the study can go on; None of curves that were made elsewhere.
        pace: How long rounds take.
    """

    rows: Sequence[Row]
    split: FullDataSplit
    arms: Mapping[str, ArmCurves]
    reference: str
    going_on: GoingOn | None
    pace: Pace


def time_said(step: Step) -> str:
    """Return ` That takes about 5 minutes at the pace so far.`, "" where it is not known."""
    if math.isnan(step.seconds):
        return ""
    return f" That takes {about_time(step.seconds)} at the pace so far."


def steps_frame(steps: Sequence[Step]) -> pd.DataFrame:
    """Return a row per step, with `NEXT_COLUMNS`."""
    rows = [(step.kind, step.sentence, step.command or None, step.seconds) for step in steps]
    return pd.DataFrame(rows, columns=list(NEXT_COLUMNS))
