"""Workers that have not been heard of for far too long: when to say so, and when to give them up."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Patience:
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
class Silent:
    """A job that has been silent for too long.

    Attributes:
        job: Its name.
        seconds: For how long.
        longest: Its longest time between two reports; None before the first.
        hopeless: Whether its worker should be given up.
    """

    job: str
    seconds: float
    longest: float | None
    hopeless: bool


@dataclass
class _Heard:
    last: float
    longest: float | None = None
    told: int = field(default=0)


class Silence:
    """Keeps the times at which jobs were heard of."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._jobs: dict[str, _Heard] = {}

    def started(self, job: str, now: float) -> None:
        """A job was handed over."""
        self._jobs[job] = _Heard(now)

    def heard(self, job: str, now: float) -> None:
        """A job has reported."""
        heard = self._jobs[job]
        heard.longest = max(now - heard.last, heard.longest or 0.0)
        heard.last, heard.told = now, 0

    def ended(self, job: str) -> None:
        """Nothing more is expected of a job."""
        self._jobs.pop(job, None)

    def too_long(self, now: float) -> list[Silent]:
        """Return what has been silent for too long, each once per stage: first to be named, then to be given up."""
        return [
            Silent(job, now - heard.last, heard.longest, hopeless=self._hopeless(heard))
            for job, heard in self._jobs.items()
            if self._is_due(heard, now)
        ]

    def _is_due(self, heard: _Heard, now: float) -> bool:
        """Count the stages that have passed, and return whether there is a new one."""
        stages = int((now - heard.last) / self._stage(heard))
        if heard.longest is not None:
            stages = min(stages, 2)
        due, heard.told = stages > heard.told, max(stages, heard.told)
        return due

    def _stage(self, heard: _Heard) -> float:
        if heard.longest is None:
            return self._patience.first
        return max(self._patience.least, self._patience.times * heard.longest)

    @staticmethod
    def _hopeless(heard: _Heard) -> bool:
        return heard.longest is not None and heard.told >= 2
