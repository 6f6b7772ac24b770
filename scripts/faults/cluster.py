"""A cluster of three nodes out of namespaces, and what can be done to it."""

import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.harness.processes import WORKER
from benchmarks.harness.processes import command_line as command
from faults import processes

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "cluster" / "local" / "nodes"
STATE = Path("/run/alray-nodes")
NODES = 3
STORE = 256
"""MiB of a node's object store."""

END_SECONDS = 60.0
"""How long Ray may take to end on a node that was called dead."""


class FaultsError(Exception):
    """What keeps faults from being tried, in a line."""


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
    """The nodes; as a context manager they are ended.

    Args:
        environment: What Ray on the nodes and commands there are given.

    Attributes:
        environment: The same.
        address: Of the cluster, once it is up.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.address = ""

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.call("down")

    def up(self, store: int = STORE) -> None:
        """Start the nodes that are not up, with so many MiB of object store; those that run are left alone."""
        self.call("up", str(NODES), "--cpus", "1", "--store", str(store))
        self.address = self.call("address").strip()

    def restart(self) -> None:
        """End the head and what hangs on it, and start a new cluster."""
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
        """End Ray on a node as people do, so that the others know at once; its processes are all below the node."""
        self.on(node, str(ROOT / ".venv" / "bin" / "ray"), "stop")

    def call(self, *words: str) -> str:
        """Run a command of the script for nodes.

        Raises:
            FaultsError: It fails.
        """
        done = subprocess.run(
            [SCRIPT, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise FaultsError(f"nodes {' '.join(words)}: {done.stderr.strip() or done.stdout}")
        return done.stdout

    def on(self, node: int, *words: str) -> str:
        """Run a command on a node."""
        return self.call("exec", str(node), "--", *words)

    def players(self, node: int) -> list[int]:
        """Return the processes on a node that play runs."""
        return processes.named(self._first(node), WORKER)

    def raylets(self, node: int) -> list[int]:
        """Return Ray's process for a node, if it runs."""
        return processes.running(self._first(node), "raylet")

    def heads(self) -> list[int]:
        """Return Ray's process for the cluster, if it runs."""
        return processes.running(self._first(0), "gcs_server")

    def drivers(self, words: str) -> list[int]:
        """Return the processes on the first node whose command holds these words and is Python's."""
        first = self._first(0)
        found = processes.running(first, "python") + processes.running(first, "python3")
        return [one for one in sorted(found) if words in command(one)]

    def _first(self, node: int) -> int:
        """Return a node's first process, 0 where it is not up: then its number may be another's by now."""
        try:
            first = int((STATE / f"node{node}" / "pid").read_text(encoding="utf-8"))
            network = Path(f"/run/netns/alray-node{node}")
            return first if network.samefile(f"/proc/{first}/ns/net") else 0
        except (OSError, ValueError):
            return 0
