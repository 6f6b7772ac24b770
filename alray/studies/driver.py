"""The driver of a study, its only writer: hands a schedule's jobs to an executor and keeps their results."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Generic, TypeVar

from alray.errors import ClusterError, Interrupted
from alray.studies.events import Failure, Notice
from alray.studies.executor import Executor, JobT, ResultT
from alray.studies.folder import Folder
from alray.studies.interrupts import stop_requested
from alray.studies.manifest import WORKERS
from alray.studies.observer import StudyObserver
from alray.studies.retries import NOWHERE
from alray.studies.schedule import Schedule

WAIT_SECONDS = 0.2
"""How long the driver waits for events before it looks at Ctrl-C and updates displays again."""

ObserverT = TypeVar("ObserverT", bound=StudyObserver[Any])


class Driver(ABC, Generic[JobT, ResultT, ObserverT]):
    """Runs the jobs of a schedule; nobody else writes to the folder, if there is one.

    Each observer in turn learns what happens.
    """

    def __init__(
        self, schedule: Schedule[JobT], folder: Folder | None, observers: Sequence[ObserverT]
    ) -> None:
        self._schedule = schedule
        self._folder = folder
        self._observers = observers
        self._running: dict[str, tuple[JobT, str]] = {}
        self._hosts = NOWHERE
        self._most_at_a_time = 0

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self._schedule.over

    @property
    def pace(self) -> dict[str, int]:
        """The manifest's entry for the most jobs that ran at a time; empty where none did."""
        return {WORKERS: self._most_at_a_time} if self._most_at_a_time else {}

    def drive(self, start_executor: Callable[[], Executor[JobT, ResultT]]) -> None:
        """Run everything; an executor is started only if something is left to do.

        Raises:
            Interrupted: After Ctrl-C, everything of use being on disk.
        """
        try:
            self._begin()
            if not self.complete:
                self._run(start_executor)
        finally:
            self._notify(lambda observer: observer.end())

    def _run(self, start_executor: Callable[[], Executor[JobT, ResultT]]) -> None:
        """Run what is left; neither the start of an executor nor its end is broken off by a first Ctrl-C.

        An executor may put handlers of signals in the place of ours when it starts, as Ray does.
        """
        with (
            stop_requested(self._say_that_it_stops) as stop_at_start,
            start_executor() as executor,
            stop_requested() as stop,
        ):
            self._loop(executor, lambda: stop() or stop_at_start())

    def _say_that_it_stops(self) -> None:
        text = "stopping; Ctrl-C again ends the program at once"
        self._notify(lambda observer: observer.notice(text))

    def _loop(self, executor: Executor[JobT, ResultT], stop: Callable[[], bool]) -> None:
        try:
            while not self.complete:
                if stop():
                    self._stop(executor)
                self._start_jobs(executor)
                self._take_all(executor.wait(WAIT_SECONDS))
                self._after_turn()
                self._notify(lambda observer: observer.tick())
        except ClusterError:
            self._save()
            raise
        self._save()

    def _start_jobs(self, executor: Executor[JobT, ResultT]) -> None:
        hosts = self._hosts = executor.hosts()
        executor.scale(self._schedule.upcoming, self._schedule.avoided(hosts))
        for host in executor.idle():
            job = self._schedule.next(host, hosts)
            if job is not None:
                self._start(executor, job, host)

    def _start(self, executor: Executor[JobT, ResultT], job: JobT, host: str) -> None:
        self._running[job.name] = job, host
        self._most_at_a_time = max(self._most_at_a_time, len(self._running))
        avoid = self._schedule.avoided_by(job.name, self._hosts)
        executor.submit(job, self._start_from(job), host, avoid)
        self._notify(lambda observer: observer.started(job, host))

    def _stop(self, executor: Executor[JobT, ResultT]) -> None:
        self._notify(lambda observer: observer.notice(self.stop_notice))
        self._take_all(executor.interrupt())
        self._save(due=True)
        raise Interrupted("stopped")

    def _take_all(self, events: Sequence[ResultT | Failure | Notice]) -> None:
        with nullcontext() if self._folder is None else self._folder.batch():
            for event in events:
                self._take(event)

    def _take(self, event: ResultT | Failure | Notice) -> None:
        match event:
            case Failure():
                self._take_failure(event)
            case Notice():
                text = event.text
                self._notify(lambda observer: observer.notice(text))
            case _:
                self._take_result(event)

    def _end(self, name: str) -> None:
        """Take a job that has ended well off the list."""
        self._running.pop(name)
        self._schedule.done(name)

    def _take_failure(self, failure: Failure) -> None:
        job, _ = self._running.pop(failure.job)
        failed = self._schedule.fail(failure, self._hosts)
        if failure.died:
            resumes_after = None if failed else self._resumes_after(failure.job)
            self._notify(lambda observer: observer.lost(job, failure, resumes_after))
        elif not failed:
            self._notify(lambda observer: observer.moved(job, failure))
        for each in failed:
            self._give_up(each)

    def _notify(self, call: Callable[[ObserverT], None]) -> None:
        for observer in self._observers:
            call(observer)

    stop_notice: str
    """The notice that observers get after Ctrl-C."""

    @abstractmethod
    def _begin(self) -> None:
        """Tell observers what there is to do."""

    @abstractmethod
    def _start_from(self, job: JobT) -> bytes | None:
        """Return the content of the file that a job starts from."""

    @abstractmethod
    def _take_result(self, result: ResultT) -> None:
        """Keep what a job has yielded."""

    @abstractmethod
    def _give_up(self, failed: Any) -> None:
        """Tell observers of something that has failed for good, as the schedule names it."""

    def _resumes_after(self, name: str) -> int:  # noqa: ARG002 -- a job that keeps checkpoints knows
        """Return the round after which a job starts again, -1 for from the start."""
        return -1

    def _after_turn(self) -> None:
        """Do what is due from time to time."""

    def _save(self, *, due: bool = False) -> None:
        """Write what has waited to be written; where it is `due`, also what has changed little."""
