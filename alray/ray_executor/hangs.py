"""Workers that have not been heard of for far too long: when to say so, and when to give them up."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class HangLimits:
    """How long silence is borne, in seconds.

    Attributes:
        times: Of a job's own longest time between two reports.
        least: At least this long.
        first: Before a job's first report, which may take any time, people are told each time this has passed.
    """

    times: float = 20.0
    least: float = 300.0
    first: float = 600.0


@dataclass(frozen=True)
class Hang:
    """A job that has been silent for too long.

    Attributes:
        job: Its name.
        seconds: For how long.
        longest: The longest time between two reports, its own or, before the first, that of jobs alike; None where none is
            known.
        give_up: Whether its worker should be given up.
    """

    job: str
    seconds: float
    longest: float | None
    give_up: bool

    def told(self, host: str) -> str:
        """Return what people are told, `host` being where its worker is."""
        said = f"{host}: nothing heard of {self.job} for {self.seconds:.0f} s"
        if self.longest is None:
            return f"{said}, since it started; waiting"
        said += f", and never before for more than {self.longest:.0f} s"
        if self.give_up:
            return f"{said}; its worker is ended"
        return f"{said}; its worker is ended if this lasts as long again"

    def reason(self) -> str:
        """Return why a job ended that was hopeless."""
        return f"it was ended after {self.seconds:.0f} s of silence"


@dataclass
class _Heard:
    last: float
    longest: float | None = None
    told: int = field(default=0)


class HangDetector:
    """Keeps the times at which jobs were heard of.

    Args:
        patience: How long silence is borne.
        alike: Whether jobs are so alike that the pace of one says how long another may be silent before its first report.
    """

    def __init__(self, patience: HangLimits, *, alike: bool = False) -> None:
        self._patience = patience
        self._alike = alike
        self._jobs: dict[str, _Heard] = {}
        self._longest: float | None = None

    def started(self, job: str, now: float) -> None:
        """A job was handed over."""
        self._jobs[job] = _Heard(now)

    def heard(self, job: str, now: float) -> None:
        """A job has reported."""
        heard = self._jobs[job]
        heard.longest = max(now - heard.last, heard.longest or 0.0)
        heard.last, heard.told = now, 0
        if self._alike:
            self._longest = max(heard.longest, self._longest or 0.0)

    def ended(self, job: str) -> None:
        """Nothing more is expected of a job."""
        self._jobs.pop(job, None)

    def too_long(self, now: float) -> list[Hang]:
        """Return what has been silent for too long, each once per stage: first to be named, then to be given up."""
        return [
            Hang(job, now - heard.last, self._pace(heard), give_up=self._hopeless(heard))
            for job, heard in self._jobs.items()
            if self._is_due(heard, now)
        ]

    def _is_due(self, heard: _Heard, now: float) -> bool:
        """Count the stages that have passed, and return whether there is a new one."""
        stages = int((now - heard.last) / self._stage(heard))
        if self._pace(heard) is not None:
            stages = min(stages, 2)
        due, heard.told = stages > heard.told, max(stages, heard.told)
        return due

    def _stage(self, heard: _Heard) -> float:
        pace = self._pace(heard)
        if pace is None:
            return self._patience.first
        return max(self._patience.least, self._patience.times * pace)

    def _pace(self, heard: _Heard) -> float | None:
        return self._longest if heard.longest is None else heard.longest

    def _hopeless(self, heard: _Heard) -> bool:
        return self._pace(heard) is not None and heard.told >= 2
