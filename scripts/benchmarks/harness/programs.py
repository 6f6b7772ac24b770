"""Programs that are started to be measured, and their virtual environments; imports the standard library alone."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
"""The checkout."""

CONSTRAINTS = ROOT / "scripts" / "constraints.txt"
ENVIRONMENTS = ROOT / ".bench"
LOG_CHARACTERS = 3000
"""How much of a failed program's log an error shows, from its end."""


class ProgramError(Exception):
    """A program has failed, or could not be installed; shows the end of its output."""


def python_of(name: str, requirements: Sequence[str], folder: Path = ENVIRONMENTS) -> Path:
    """Return the interpreter of an environment, after making it where it is missing or has other requirements.

    Args:
        name: Name of the environment's folder.
        requirements: Arguments of `pip install`; scripts/constraints.txt decides versions that they leave open.
        folder: Where environments lie.

    Raises:
        ProgramError: It could not be made.
    """
    environment = folder / name
    python, stamp = environment / "bin" / "python", environment / "requirements.stamp"
    wanted = "\n".join([str(sys.version_info[:2]), *requirements, CONSTRAINTS.read_text()])
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    folder.mkdir(parents=True, exist_ok=True)
    # The folder may lie in a checkout, whose tools and commits must not see it.
    (folder / ".gitignore").write_text("*\n")
    print(f"installing {name} into {environment} (minutes)", file=sys.stderr, flush=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [*pip, "--constraint", str(CONSTRAINTS), *requirements],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise ProgramError(f"{' '.join(command)} failed:\n{done.stderr}")
    stamp.write_text(wanted)
    return python


def folder_of(name: str, requirements: Sequence[str], folder: Path = ENVIRONMENTS) -> Path:
    """Return a folder that holds packages alone, to be put behind what is installed; made where it is missing.

    What a wheel brings besides its package goes: small-text's has one called `tests`, which hides every other.

    Raises:
        ProgramError: They could not be installed.
    """
    target = folder / name
    stamp, wanted = (
        target / "requirements.stamp",
        "\n".join([*requirements, CONSTRAINTS.read_text()]),
    )
    if stamp.exists() and stamp.read_text() == wanted:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n")
    shutil.rmtree(target, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [
        *pip,
        "--no-deps",
        "--constraint",
        str(CONSTRAINTS),
        "--target",
        str(target),
        *requirements,
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ProgramError(f"{' '.join(command)} failed:\n{done.stderr}")
    shutil.rmtree(target / "tests", ignore_errors=True)
    stamp.write_text(wanted)
    return target


class Program:
    """A module with its arguments that runs in its own process; its other output is kept in a log.

    The environment changes variables of this process; None removes one.
    """

    def __init__(
        self,
        name: str,
        python: Path,
        *words: str,
        environment: Mapping[str, str | None],
        log: Path,
    ) -> None:
        self._name, self._log = name, log
        variables = {**os.environ, **environment, "PYTHONPATH": str(ROOT / "scripts")}
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [str(python), "-P", "-m", *words],
                env={name: value for name, value in variables.items() if value is not None},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("a program needs pipes")
        self._requests, self._replies = self._process.stdin, self._process.stdout
        self.pid = self._process.pid

    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, request: Mapping[str, Any], *, last: bool = False) -> None:
        """Send a request; after the last one it ends."""
        with suppress(BrokenPipeError):  # it has ended: `receive` shows why
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()
        if last:
            self._requests.close()

    def receive(self) -> dict[str, Any]:
        """Return its next reply.

        Raises:
            ProgramError: It has ended without a reply.
        """
        line = self._replies.readline()
        if not line:
            self._process.wait()
            text = self._log.read_text(encoding="utf-8", errors="replace")
            raise ProgramError(f"{self._name} has failed:\n{text[-LOG_CHARACTERS:]}")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def ask(self, **request: object) -> dict[str, Any]:
        """Send a request, and return the reply."""
        self.send(request)
        return self.receive()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait()

    def kill(self) -> None:
        """End it, also in the middle of something."""
        self._process.kill()
        self._process.wait()


def serve(reply: Callable[[dict[str, Any]], Mapping[str, Any]], *first: object) -> None:
    """Be such a program: print the first replies, then one to each request, until there are no more."""
    # A library that prints must not disturb the replies: they keep the real standard output for themselves.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for value in first:
        print(json.dumps(value), file=replies, flush=True)
    for line in sys.stdin:
        print(json.dumps(reply(json.loads(line))), file=replies, flush=True)
