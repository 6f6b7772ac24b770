"""Which Ray cluster a study joins, if any."""

import os
import re
import socket

from alray.errors import ClusterError
from alray.settings.common import ExecutionSpec

ANSWER_SECONDS = 10.0
"""How long to wait for a cluster's address to answer at all; Ray itself would try for minutes."""

LOCAL = "local"
"""The address, of a setting or in RAY_ADDRESS, that asks for a Ray of the program's own."""


def cluster_address(execution: ExecutionSpec) -> str | None:
    """Return the address that is given, else that of the environment; None for a Ray of the program's own.

    RAY_ADDRESS names the cluster in a job that was submitted to one. An address of HTTP there is a dashboard's: it
    is set for `ray job`, and cannot be joined.
    """
    if execution.address is not None:
        return None if execution.address == LOCAL else execution.address
    address = os.environ.get("RAY_ADDRESS", "")
    return None if address in ("", LOCAL) or address.startswith("http") else address


def require_answer(address: str | None) -> None:
    """Refuse an address behind which nothing listens.

    Raises:
        ClusterError: Nothing answers within `ANSWER_SECONDS`.
    """
    found = re.fullmatch(r"(?:ray://)?\[?([^/\s]+?)\]?:(\d+)", address or "")
    if found is None:  # `auto` and the like: Ray knows
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address!r}: {error}; {_remedy(address)}"
        ) from error


def _remedy(address: str | None) -> str:
    """Return what helps where there is no cluster at an address."""
    if address == os.environ.get("RAY_ADDRESS"):
        return (
            "the address is RAY_ADDRESS's: `unset RAY_ADDRESS` and --address local start a Ray on this machine, and "
            "--executor inline needs no Ray"
        )
    return "--address local starts a Ray on this machine, and --executor inline needs no Ray"


def starting_message(execution: ExecutionSpec) -> str:
    """Return the line that displays show while Ray starts, or is joined."""
    address = cluster_address(execution)
    if address is None:
        return "starting Ray"
    why = "" if execution.address else ", as RAY_ADDRESS says"
    return f"joining the Ray cluster at {address}{why}"
