"""An actor that is up, as the driver knows it: its workers, their jobs, and the call in progress."""

from typing import Any

from alray.studies.sweep.jobs import Job


class RunningActor:
    """One actor with some workers.

    Attributes:
        handle: Ray's.
        host: Its node's name.
        jobs: The name alone of each worker's job, as its state, some megabytes, is the actor's.
        call: The reference of the call in progress, None where there is none.
    """

    def __init__(self, handle: Any, host: str, workers: int = 1) -> None:
        self.handle = handle
        self.host = host
        self.workers = workers
        self.jobs: dict[int, str] = {}
        self.call: Any = None
        self._starting: dict[int, tuple[Job, bytes | None]] = {}

    @property
    def free(self) -> int:
        """Workers that have no job."""
        return self.workers - len(self.jobs)

    def submit(self, job: Job, start_from: bytes | None) -> None:
        """Give a job to a worker that has none; it starts with the next call."""
        row = next(row for row in range(self.workers) if row not in self.jobs)
        self.jobs[row] = job.name
        self._starting[row] = job, start_from

    def go_on(self) -> None:
        """Let its jobs go on where no call is in progress."""
        if self.jobs and self.call is None:
            starts, self._starting = self._starting, {}
            self.call = self.handle.advance.remote(starts, list(self.jobs))

    def called(self) -> dict[int, str]:
        """Return the jobs that the call in progress runs."""
        return {row: job for row, job in self.jobs.items() if row not in self._starting}

    def end(self, row: int) -> None:
        """A worker's job is over."""
        del self.jobs[row]
