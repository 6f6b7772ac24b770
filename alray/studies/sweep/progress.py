"""How far runs are, as far as the driver knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alray.settings.run import RunSpec
from alray.studies.sweep.schedule import RunStatus


@dataclass
class RunProgress:
    """How far a run is.

    Attributes:
        status: Where it stands in the schedule.
        rounds_done: The last round that is done, -1 before the passive phase.
        kept: The last round that a checkpoint holds, -1 where none does.
        seconds: Seconds that its recorded rounds took.
        host: Where it ran last.
    """

    status: RunStatus
    rounds_done: int = -1
    kept: int = -1
    seconds: float = 0.0
    host: str = ""

    @property
    def run(self) -> RunSpec:
        """The run."""
        return self.status.run

    @property
    def finished(self) -> bool:
        """Whether all rounds are done."""
        return self.status.status == "finished"

    def values(self) -> dict[str, Any]:
        """Return the columns of the run's row of `runs` that say where it stands and how far it is."""
        status = self.status
        settled = status.status if status.status in ("finished", "failed") else "unfinished"
        return {
            "status": settled,
            "error": status.error,
            "traceback": status.traceback,
            "attempts": status.attempts,
            "rounds_done": self.rounds_done,
            "seconds": self.seconds,
            "host": self.host,
        }


@dataclass
class RunRows:
    """Records of a run in progress.

    Attributes:
        name: The columns that name the run in each of them.
        rounds: Its rounds.
        queries: The objects that it has queried.
    """

    name: Mapping[str, Any]
    rounds: list[dict[str, Any]] = field(default_factory=list)
    queries: list[dict[str, Any]] = field(default_factory=list)
