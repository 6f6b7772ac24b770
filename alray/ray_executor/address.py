"""Which Ray cluster a study joins, if any, and what helps where that or a start fails."""

import os
import re
import socket
from pathlib import Path

from ray.exceptions import AuthenticationError

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


def start_remedy(error: Exception) -> str:
    """Return what helps where Ray could not be started or joined."""
    inline = "--executor inline needs no Ray"
    # A wrong token also shows only as a failed connection.
    if isinstance(error, AuthenticationError | ConnectionError):
        return (
            "if it asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH to the file with the "
            "cluster's token"
        )
    if "AF_UNIX path length" in str(error):
        return f"set RAY_TMPDIR to a folder with a short name, such as /tmp, in the place of TMPDIR; {inline}"
    if (
        isinstance(error, OSError)
        and error.filename
        and _is_on_the_way_to_the_token(error.filename)
    ):
        return f"Ray keeps a token below the home folder: set HOME to a folder that can be written; {inline}"
    return inline


def _is_on_the_way_to_the_token(name: str | bytes) -> bool:
    token = Path("~", ".ray", "auth_token")
    return token.expanduser().is_relative_to(os.fsdecode(name))
