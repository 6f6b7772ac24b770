"""Where each run stands and how far it is."""

from dataclasses import dataclass, field
from typing import Any, Literal

from alray.settings.run import RunSpec

Status = Literal["waiting", "running", "finished", "failed"]


@dataclass
class RunStatus:
    """Where a run stands: status, attempts and errors are the schedule's to change, the rest is the driver's.

    Attributes:
        run: The run.
        parameters: Trained numbers of its network, None where unknown.
        run_id: Its name; to hash all settings anew whenever it is needed would take longer than a round's records.
        status: waiting, running, finished or failed.
        attempts: How often it was started.
        error: Why it failed, in a line.
        traceback: The same in full.
        rounds_done: The last round that is done, -1 before the passive phase.
        kept: The last round that a checkpoint holds, -1 where none does.
        seconds: Seconds that its recorded rounds took.
        host: Where it ran last.
        machine: The machines of its rounds.
        software: The software that has made them.
    """

    run: RunSpec
    parameters: int | None = None
    run_id: str = field(init=False)
    status: Status = "waiting"
    attempts: int = 0
    error: str = ""
    traceback: str = ""
    rounds_done: int = -1
    kept: int = -1
    seconds: float = 0.0
    host: str = ""
    machine: str = ""
    software: str = ""

    def __post_init__(self) -> None:
        self.run_id = self.run.run_id

    @property
    def finished(self) -> bool:
        """Whether all rounds are done."""
        return self.status == "finished"

    def add_maker(self, machine: str, software: str) -> None:
        """Rounds have come from this machine and software."""
        self.machine = _with(self.machine, machine)
        self.software = _with(self.software, software)

    def values(self) -> dict[str, Any]:
        """Return the columns of the run's row of `runs` that say where it stands and how far it is."""
        settled = self.status if self.status in ("finished", "failed") else "unfinished"
        names = (
            "error",
            "traceback",
            "attempts",
            "rounds_done",
            "seconds",
            "host",
            "machine",
            "software",
        )
        values = {name: getattr(self, name) for name in names}
        described = {name: getattr(self.run, name) for name in ("against", "initial", "query")}
        described["parameters"] = self.parameters
        return {**described, "status": settled, "asked": True, "rounds": self.run.rounds, **values}


def _with(names: str, name: str) -> str:
    """Return names with another one, if it is another one."""
    known = names.split("; ") if names else []
    return names if name in known else "; ".join([*known, name])
