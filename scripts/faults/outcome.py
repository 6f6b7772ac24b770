"""What has become of a fault."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from faults.journal import Run
from faults.plan import Fault


@dataclass
class Outcome:
    """What has become of a fault.

    Attributes:
        fault: The fault.
        study: Number of the study that it happened to.
        struck: When, on the machine's monotonic clock.
        lines: Lines on the standard error before it.
        looked: When `kept` was read.
        kept: The last round of each run that was safe then.
        exit_code: The command's; None where it went on.
        seconds: From the fault until the runs that it hit went on; None where they did not, or none was hit.
        again: Rounds that were begun again.
        seen: What people saw: lines that are not said where nothing is wrong.
        problems: What was not as it should be; empty where the fault was survived.
    """

    fault: Fault
    study: int
    struck: float
    lines: int
    looked: float
    kept: Mapping[Run, int]
    exit_code: int | None = None
    seconds: float | None = None
    again: int = 0
    seen: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def survived(self) -> bool:
        """Whether everything was as it should be."""
        return not self.problems
