"""Starts contestants of a sweep as programs of their own, and watches what their workers hold."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestants.task import Answer, Task
from benchmarks.memory import command, descendants, proportional

from alray.ray_executor.actor import RunActor

SCRIPTS = Path(__file__).resolve().parents[1]
WORKER = f"ray::{RunActor.__name__}"
"""How the command of a process that plays runs begins."""

LOOK_SECONDS = 0.7
"""Between two looks at the workers' memory: each costs them some milliseconds."""

ENVIRONMENT = {
    # Ray's workers would run with nice 15, joblib's with that of their parent.
    "RAY_worker_niceness": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(SCRIPTS),
}


@dataclass(frozen=True)
class Contestant:
    """A way to play a sweep.

    Attributes:
        name: For people.
        module: Below `benchmarks.contestants`.
        workers: Runs at a time.
        python: Its interpreter.
    """

    name: str
    module: str
    workers: int
    python: Path = Path(sys.executable)


def play(
    contestant: Contestant,
    study: Mapping[str, Any],
    look: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Play a study in a new process and return what the contestant told, with when it began and ended.

    Args:
        contestant: Who plays.
        study: Settings.
        look: Called again and again with the number of the process while it runs.

    Raises:
        RuntimeError: It failed; holds what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer, log = Path(folder) / "answer.json", Path(folder) / "log.txt"
        task = Task(study, contestant.workers, str(Path(folder) / "results"), str(answer))
        given = Path(folder) / "task.json"
        given.write_text(json.dumps(asdict(task)), encoding="utf-8")
        module = f"benchmarks.contestants.{contestant.module}"
        environment = {**os.environ, **ENVIRONMENT}
        environment.pop("RAY_ADDRESS", None)
        with log.open("wb") as output:
            begun = time.time()
            process = subprocess.Popen(
                [str(contestant.python), "-m", module, str(given)],
                env=environment,
                stdout=output,
                stderr=output,
            )
            try:
                _wait(process, look)
            finally:
                process.terminate()
        if process.returncode != 0:
            raise RuntimeError(f"{contestant.name} failed:\n{log.read_text()[-3000:]}")
        told = Answer(**json.loads(answer.read_text(encoding="utf-8")))
        return {**asdict(told), "begun": begun, "exited": time.time()}


def _wait(process: subprocess.Popen[bytes], look: Callable[[int], None] | None) -> None:
    if look is None:
        process.wait()
        return
    while process.poll() is None:
        look(process.pid)
        time.sleep(LOOK_SECONDS)


class WorkerMemory:
    """What the workers hold, looked at again and again while as many as wanted are alive.

    Attributes:
        own: Per look the megabytes beyond shared memory, of the worker that held most.
        share: Per look the megabytes of its share of shared memory, which is the pool, on average.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self.own: list[float] = []
        self.share: list[float] = []

    def __call__(self, process: int) -> None:
        """Look at the workers below this process."""
        workers = [each for each in descendants(process) if command(each).startswith(WORKER)]
        if len(workers) != self._workers:
            return
        try:
            found = [proportional(each) for each in workers]
        except (OSError, IndexError):  # one has ended meanwhile
            return
        # Before it has loaded PyTorch a worker makes the others look larger, since they share its pages with nobody.
        if min(each["Pss_Shmem"] for each in found) > 1:
            self.own.append(max(each["Pss"] - each["Pss_Shmem"] for each in found))
            self.share.append(sum(each["Pss_Shmem"] for each in found) / len(found))
