"""What a tracker is: a place beside a study's own records that keeps runs with their metrics."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from alray.settings.run import RunSpec

Ending = Literal["finished", "failed"]

Row = Mapping[str, Any]
"""A round: the columns of `rounds` that are numbers of that round."""


@dataclass(frozen=True)
class TrackedRun:
    """A run of a sweep.

    Attributes:
        study: The study's name.
        run_id: Its name in the study's records; the same settings have the same one.
        arm: What is compared.
        seed: Its run seed.
        settings: All of its settings by name, such as `model.width`.
    """

    study: str
    run_id: str
    arm: str
    seed: int
    settings: Mapping[str, Any]


class Tracker(ABC):
    """Keeps the runs of one study. Methods are called by one thread, in order; what they raise is shown as a notice.

    The same command again meets a tracker that knows the study already: `begin` and `start` go on with what is there.
    """

    @abstractmethod
    def begin(self, study: str) -> None:
        """Get ready for a study."""

    @abstractmethod
    def start(self, run: TrackedRun, rounds: Sequence[Row]) -> None:
        """Go on with a run, or begin it, and keep those of its rounds up to now that are not there yet."""

    @abstractmethod
    def log(self, run: TrackedRun, row: Row) -> None:
        """Keep a round of a run that was started."""

    @abstractmethod
    def end(self, run: TrackedRun, ending: Ending) -> None:
        """A run that was started is over."""

    @abstractmethod
    def keep_files(self, files: Mapping[str, bytes]) -> None:
        """Keep files of the study, by name; one of the same name is replaced."""

    def close(self) -> None:  # noqa: B027 -- most have nothing to close
        """Let go of what is open."""


def tracked(run: RunSpec, study: str) -> TrackedRun:
    """Return what a tracker learns of a run."""
    settings = flat(run.model_dump(mode="json"))
    return TrackedRun(study, run.run_id, run.arm, run.seed, settings)


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by dotted names, without those that are not set."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif value is not None:
            found[f"{prefix}{name}"] = value
    return found


def metrics_of(row: Row) -> dict[str, float]:
    """Return the finite numbers of a round by name."""
    numbers = {
        name: float(value)
        for name, value in row.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def step_of(row: Row) -> int:
    """Return where a round lies along the curve: the labels known after it, or the answers bought for them."""
    answers = row.get("answers")
    bought = row["labels"] if answers is None or math.isnan(answers) else answers
    return int(bought)
