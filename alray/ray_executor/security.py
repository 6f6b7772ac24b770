"""Whether a cluster asks for a token: who reaches one that does not can run code on all its nodes."""

import os
import subprocess
import sys
from pathlib import Path

from alray.errors import ClusterError

PROBE_SECONDS = 30.0
"""How long the question may take: a Python with Ray has to start."""

OPEN, LOCKED = 0, 3

_PROBE = f"""
import sys
from ray._raylet import GcsClient
from ray.exceptions import AuthenticationError
try:
    GcsClient(address=sys.argv[1]).internal_kv_exists(b"alray", namespace=b"alray", timeout=10)
except AuthenticationError:
    sys.exit({LOCKED})
"""
"""A program that asks the cluster's head something without a token."""


def require_token(address: str) -> None:
    """Refuse a cluster that answers whoever asks.

    The environment (RAY_AUTH_MODE) is this side's only. So the head is asked without a token, by a process of
    its own, as Ray takes the mode up once per process: a head that answers does not ask for one.

    Raises:
        ClusterError: It is open, or it cannot be found out.
    """
    answer = probe(address)
    if answer == OPEN:
        raise ClusterError(
            f"the Ray cluster at {address} asks for no token: who reaches its ports can run code on all nodes. Start "
            "Ray on every node with RAY_AUTH_MODE=token and the same RAY_AUTH_TOKEN_PATH (a file of mode 0600; "
            "ray get-auth-token --generate makes one), or say --insecure if nobody else can reach it"
        )
    if answer != LOCKED:
        raise ClusterError(
            f"cannot find out whether the Ray cluster at {address} asks for a token; if nobody else can reach it, say "
            "--insecure"
        )


def probe(address: str) -> int | None:
    """Ask the head without a token; return `OPEN`, `LOCKED`, or something else where that is not known."""
    environment = {
        name: text
        for name, text in os.environ.items()
        if name not in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
    }
    environment["RAY_AUTH_MODE"] = "disabled"
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, address],
            env=environment,
            capture_output=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode


def token_warning() -> str | None:
    """Return a warning if others than their owner can read the token's file."""
    if os.environ.get("RAY_AUTH_TOKEN"):
        return None
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if not mode & 0o077:
        return None
    return f"others may read the token in {path} (mode {mode & 0o777:04o}): chmod 600 {path}"
