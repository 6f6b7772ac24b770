"""A cluster of three nodes out of namespaces: starting and ending nodes and processes, and commands on nodes."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.harness.processes import WORKER
from benchmarks.harness.programs import ROOT
from chaos_study import processes

SCRIPT = ROOT / "cluster" / "local" / "nodes"
STATE = Path("/run/alray-nodes")
NODES = 3
STORE = 256
"""MiB of a node's object store."""

END_SECONDS = 60.0
"""How long Ray may take to end on a node that was called dead."""

KILLED = 137
"""The exit code that a shell reports of a command that was ended by `kill -9`."""


class ClusterError(Exception):
    """A reason, in a line, why no faults can be injected."""


def obstacle() -> str:
    """Return why no nodes can be made here, "" where they can."""
    if os.geteuid() != 0:
        return "namespaces need root"
    missing = [name for name in ("ip", "nsenter", "unshare", "pgrep") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} not found"
    if STATE.exists():
        return "nodes are up already: cluster/local/nodes down"
    words = ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "true"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return f"no namespaces: {done.stderr.strip()}" if done.returncode else ""


class Cluster:
    """The nodes, which are ended on exit; Ray and commands there have the variables of the environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.address = ""

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.call("down")

    def up(self, store: int = STORE) -> None:
        """Start the nodes that are not up, with this many MiB of object store; those that run are left alone."""
        self.call("up", str(NODES), "--cpus", "1", "--store", str(store))
        self.address = self.call("address").strip()

    def restart(self) -> None:
        """End the head and all that depends on it, and start a new cluster."""
        if self._first(0):
            self.call("kill", "0")
        self.up()

    def await_end(self, node: int) -> None:
        """Give Ray on a node that was called dead time to see that it is; end it where it does not."""
        deadline = time.monotonic() + END_SECONDS
        while self.raylets(node):
            if time.monotonic() > deadline:
                self.call("kill", str(node))
            time.sleep(1.0)

    def stop_ray(self, node: int) -> None:
        """End Ray on a node by its own command, so that the others know at once."""
        self.on(node, str(ROOT / ".venv" / "bin" / "ray"), "stop")

    def call(self, *words: str) -> str:
        """Run a command of the script for nodes.

        Raises:
            ClusterError: It fails.
        """
        command = [str(SCRIPT), *words]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ClusterError(f"nodes {' '.join(words)}: {done.stderr.strip() or done.stdout}")
        return done.stdout

    def on(self, node: int, *words: str) -> str:
        return self.call("exec", str(node), "--", *words)

    def workers(self, node: int) -> list[int]:
        """Return the processes on a node that run alray's runs."""
        commands = processes.commands(self._first(node))
        return [one for one, command in commands.items() if command.startswith(WORKER)]

    def raylets(self, node: int) -> list[int]:
        """Return Ray's process for a node, if it runs."""
        return list(self._running(node, "raylet"))

    def heads(self, node: int) -> list[int]:
        """Return Ray's process for the cluster, if it runs on this node."""
        return list(self._running(node, "gcs_server"))

    def drivers(self, words: str) -> list[int]:
        """Return the processes on the first node whose command holds these words and is Python's."""
        commands = self._running(0, "python", "python3")
        return [one for one, command in commands.items() if words in command]

    def _running(self, node: int, *programs: str) -> dict[int, str]:
        """Return the commands of processes on a node that run one of these programs."""
        ends = tuple(f"/{program}" for program in programs)
        commands = processes.commands(self._first(node))
        return {
            one: command
            for one, command in commands.items()
            if command.partition(" ")[0].endswith(ends)
        }

    def _first(self, node: int) -> int:
        """Return a node's first process, 0 where it is not up: then its number may be another's by now."""
        try:
            first = int((STATE / f"node{node}" / "pid").read_text(encoding="utf-8"))
            network = Path(f"/run/netns/alray-node{node}")
            return first if network.samefile(f"/proc/{first}/ns/net") else 0
        except (OSError, ValueError):
            return 0


class Command:
    """A command that a user has started on the first node; the names of its two log files begin like `log`."""

    def __init__(self, cluster: Cluster, words: Sequence[str], log: Path) -> None:
        self._cluster = cluster
        self._errors = log.with_suffix(".err")
        self._words = " ".join(words[1:])
        with log.with_suffix(".out").open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [SCRIPT, "exec", "0", "--", *words],
                env=cluster.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
            )

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def error_lines(self) -> list[str]:
        """Return the whole lines of its standard error up to now, without the shell's line on how it ended."""
        text = self._errors.read_text(encoding="utf-8", errors="replace")
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [line for line in lines if line.strip() and not line.startswith(f"{SCRIPT}: line ")]

    def interrupt(self) -> None:
        """Send the signal of Ctrl-C."""
        self._send(signal.SIGINT)

    def kill(self) -> None:
        """Send the signal of `kill -9`."""
        self._send(signal.SIGKILL)

    def _send(self, number: int) -> None:
        for process in self._cluster.drivers(self._words):
            processes.send(process, number)
