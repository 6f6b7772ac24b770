"""Which Ray cluster a study joins, if any."""

import os

from alray.settings.common import ExecutionSpec


def cluster_address(execution: ExecutionSpec) -> str | None:
    """Return the address that is given, else that of the environment; None for a Ray of the program's own.

    RAY_ADDRESS names the cluster in a job that was submitted to one. An address of HTTP there is a dashboard's: it
    is set for `ray job`, and cannot be joined.
    """
    if execution.address is not None:
        return execution.address
    address = os.environ.get("RAY_ADDRESS", "")
    return None if address in ("", "local") or address.startswith("http") else address


def starting_message(execution: ExecutionSpec) -> str:
    """Return the line that displays show while Ray starts, or is joined."""
    address = cluster_address(execution)
    if address is None:
        return "starting Ray"
    why = "" if execution.address else ", as RAY_ADDRESS says"
    return f"joining the Ray cluster at {address}{why}"
