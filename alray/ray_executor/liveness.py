"""The nodes that are up, and whether the cluster still answers: Ray itself would hang, then end the program."""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray

from alray.errors import ClusterError

NEWS_SECONDS = 0.5
"""How old the list of nodes may get."""

TRY_SECONDS = 0.1
"""How long the last check of the endpoints holds: several checks in one turn of the driver try them once."""

CONNECT_SECONDS = 1.0
"""How long an endpoint may take to accept a connection."""

SAFE = "what is finished is safe in the results folder, and the same command"


@dataclass(frozen=True)
class Endpoint:
    """Something of Ray that has to answer.

    Attributes:
        host: Its address.
        port: The port that it listens on.
        limit_seconds: How long it may be unreachable; Ray ends its programs after 60 (head) and 15 (own node).
        message: What it means when it stays unreachable.
    """

    host: str
    port: int
    limit_seconds: float
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
    """The nodes that are up, as Ray last listed them.

    Asking Ray blocks while the head is gone, for a minute, and then Ray ends the program without a message of ours. So
    the endpoints are tried first, and Ray is asked only if they answer.

    Attributes:
        endpoints: What has to answer, most important first.
        ask: Asks Ray for its nodes.
    """

    endpoints: tuple[Endpoint, ...]
    ask: Callable[[], list[dict[str, Any]]]
    _nodes: list[dict[str, Any]] = field(default_factory=list)
    _listed: float = float("-inf")
    _tried: float = float("-inf")
    _unreachable: dict[Endpoint, float] = field(default_factory=dict)

    @property
    def unreachable(self) -> bool:
        """Whether something did not answer when last tried; nothing that asks Ray should be started then."""
        return bool(self._unreachable)

    def nodes(self) -> list[dict[str, Any]]:
        """Return Ray's entry of each node that is up, or the last ones while it does not answer.

        Raises:
            ClusterError: The head, or Ray on this node, has been unreachable for too long.
        """
        self._try_endpoints()
        if not self._unreachable and time.monotonic() - self._listed >= NEWS_SECONDS:
            self._nodes = [node for node in self.ask() if node["Alive"]]
            self._listed = time.monotonic()
        return self._nodes

    def _try_endpoints(self) -> None:
        now = time.monotonic()
        if now - self._tried < TRY_SECONDS:
            return
        self._tried = now
        for endpoint in self.endpoints:
            if endpoint.answers():
                self._unreachable.pop(endpoint, None)
            elif now - self._unreachable.setdefault(endpoint, now) >= endpoint.limit_seconds:
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
    """Return Ray's entry of each node that is up or was."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]  # not typed in Ray
    return nodes


def free_resources() -> dict[str, float]:
    """Return the resources that are free over all nodes, by Ray's names for them."""
    free: dict[str, float] = ray.available_resources()  # type: ignore[no-untyped-call]  # not typed in Ray
    return free
