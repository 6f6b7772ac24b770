"""What is known of the cluster's nodes, and whether the cluster still answers: Ray itself would hang, then end us."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray

from alray.errors import ClusterError

NEWS_SECONDS = 0.5
"""How old what is known of the nodes may get."""

TRY_SECONDS = 0.1
"""How long an answer of the cluster's endpoints holds: several looks of one turn of the driver try them once."""

CONNECT_SECONDS = 1.0
"""How long a endpoint may take to accept a connection."""

SAFE = "what is finished is safe in the results folder, and the same command"


@dataclass(frozen=True)
class Endpoint:
    """Something of Ray that has to answer.

    Attributes:
        host: Its address.
        port: The port that it listens on.
        patience: For how many seconds it may be silent; Ray ends its programs after 60 (head) and 15 (own node).
        message: What it means when it stays silent.
    """

    host: str
    port: int
    patience: float
    message: str

    def answers(self) -> bool:
        """Whether something listens there."""
        try:
            socket.create_connection((self.host, self.port), timeout=CONNECT_SECONDS).close()
        except OSError:
            return False
        return True


def head_endpoint(host: str, port: int) -> Endpoint:
    """Return the cluster's head; it is given time to come back, as one with a memory of its own does."""
    text = (
        f"the cluster's head ({host}:{port}) is gone: {SAFE} goes on from there on a new cluster"
    )
    return Endpoint(host, port, 15.0, text)


def own_endpoint(host: str, port: int) -> Endpoint:
    """Return Ray on this program's own node; it never comes back."""
    text = f"Ray on this program's own node ({host}) has ended: {SAFE} goes on from there when it runs again"
    return Endpoint(host, port, 3.0, text)


@dataclass
class ClusterView:
    """The nodes that are up, as last heard.

    Asking Ray blocks while the head is gone, for a minute, and then Ray ends the program without a word of ours. So
    the endpoints are tried first, and Ray is asked only if they answer.

    Attributes:
        endpoints: What has to answer, most important first.
        ask: Asks Ray for its nodes.
    """

    endpoints: tuple[Endpoint, ...]
    ask: Callable[[], list[dict[str, Any]]]
    _nodes: list[dict[str, Any]] = field(default_factory=list)
    _heard: float = float("-inf")
    _tried: float = float("-inf")
    _silent: dict[Endpoint, float] = field(default_factory=dict)

    @property
    def silent(self) -> bool:
        """Whether something did not answer when last tried; nothing that asks Ray should be started then."""
        return bool(self._silent)

    def nodes(self) -> list[dict[str, Any]]:
        """Return what Ray says about each node that is up, or what it said last while it does not answer.

        Raises:
            ClusterError: The head, or Ray on this node, has been silent for too long.
        """
        self._try_endpoints()
        if not self._silent and time.monotonic() - self._heard >= NEWS_SECONDS:
            self._nodes = [node for node in self.ask() if node["Alive"]]
            self._heard = time.monotonic()
        return self._nodes

    def _try_endpoints(self) -> None:
        now = time.monotonic()
        if now - self._tried < TRY_SECONDS:
            return
        self._tried = now
        for endpoint in self.endpoints:
            if endpoint.answers():
                self._silent.pop(endpoint, None)
            elif now - self._silent.setdefault(endpoint, now) >= endpoint.patience:
                raise ClusterError(endpoint.message)

    def end(self) -> str | None:
        """Return what has ended if something does not answer at this moment."""
        return next(
            (endpoint.message for endpoint in self.endpoints if not endpoint.answers()), None
        )


def view_of_ray() -> ClusterView:
    """Return the view of the cluster that this process has joined."""
    context = ray.get_runtime_context()
    host, _, port = context.gcs_address.rpartition(":")
    nodes = all_nodes()
    own = [
        own_endpoint(node["NodeManagerAddress"], node["NodeManagerPort"])
        for node in nodes
        if node["NodeID"] == context.get_node_id()
    ]
    return ClusterView((*own, head_endpoint(host.strip("[]"), int(port))), all_nodes)


def all_nodes() -> list[dict[str, Any]]:
    """Return what Ray says about each node that is up or was."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # not typed in Ray
    return nodes


def free_resources() -> dict[str, float]:
    """Return what nobody takes, by the names that Ray has for resources, over all nodes."""
    free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]  # not typed in Ray
    return free
