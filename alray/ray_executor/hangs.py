"""Workers that hang: when to report it, and when to give them up."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HangLimits:
    """How long a worker may take to report, in seconds.

    Attributes:
        times: So many times a job's own longest time between two reports.
        least: At least this long.
        first: Before a job's first report, which may take any time, it is reported each time this has passed.
    """

    times: float = 20.0
    least: float = 300.0
    first: float = 600.0


@dataclass(frozen=True)
class Hang:
    """A job that has not reported for too long.

    Attributes:
        job: Its name.
        seconds: For how long.
        longest: The longest time between two reports, its own or, before the first, that of jobs alike; None where
            there is none.
        give_up: Whether its worker should be given up.
    """

    job: str
    seconds: float
    longest: float | None
    give_up: bool

    def message(self, host: str) -> str:
        """Return the notice about it, `host` being where its worker is."""
        text = f"{host}: {self.job} has not reported for {self.seconds:.0f} s"
        if self.longest is None:
            return f"{text}, since it started; waiting"
        text += f", and never took more than {self.longest:.0f} s before"
        if self.give_up:
            return f"{text}; its worker is ended"
        return f"{text}; its worker is ended if this lasts as long again"

    def reason(self) -> str:
        """Return why a job that was given up has ended."""
        return f"it was ended after {self.seconds:.0f} s without a report"


@dataclass
class _Reports:
    last: float
    longest: float | None = None
    stages: int = 0


class HangDetector:
    """Keeps the times at which jobs reported.

    Args:
        limits: How long a worker may take to report.
        alike: Whether jobs are so alike that the pace of one says how long another may take to its first report.
    """

    def __init__(self, limits: HangLimits, *, alike: bool = False) -> None:
        self._limits = limits
        self._alike = alike
        self._jobs: dict[str, _Reports] = {}
        self._longest: float | None = None

    def started(self, job: str, now: float) -> None:
        """A job was handed over."""
        self._jobs[job] = _Reports(now)

    def reported(self, job: str, now: float) -> None:
        """A job has reported."""
        reports = self._jobs[job]
        reports.longest = max(now - reports.last, reports.longest or 0.0)
        reports.last, reports.stages = now, 0
        if self._alike:
            self._longest = max(reports.longest, self._longest or 0.0)

    def ended(self, job: str) -> None:
        """Nothing more is expected of a job."""
        self._jobs.pop(job, None)

    def due(self, now: float) -> list[Hang]:
        """Return the jobs that hang, each once per stage: first to be named, then to be given up."""
        hangs = [self._hang(job, reports, now) for job, reports in self._jobs.items()]
        return [hang for hang in hangs if hang is not None]

    def _hang(self, job: str, reports: _Reports, now: float) -> Hang | None:
        """Count the stages that have passed, and return the hang where there is a new one."""
        pace = self._longest if reports.longest is None else reports.longest
        seconds, limits = now - reports.last, self._limits
        if pace is None:
            stages = int(seconds / limits.first)
        else:
            stages = min(2, int(seconds / max(limits.least, limits.times * pace)))
        if stages <= reports.stages:
            return None
        reports.stages = stages
        return Hang(job, seconds, pace, give_up=pace is not None and stages == 2)
