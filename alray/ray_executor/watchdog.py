"""The last resort: ends a program that hangs in a call to a cluster that is gone, with the reason."""

import os
import sys
import threading
import time
from dataclasses import dataclass, field

from alray.errors import ClusterError
from alray.ray_executor.liveness import Endpoint

GRACE_SECONDS = 10.0
"""How much longer than its own limit an endpoint may be unreachable: time for the program to notice and release Ray."""


@dataclass
class Watchdog:
    """A thread that tries the endpoints that have to answer while the program does something else.

    A worker that dies together with the head may be replaced before the head is missed. That call would not return, and
    Ray would end the program after a minute, its own words being kept away. All that is finished is on disk by then.
    """

    endpoints: tuple[Endpoint, ...]
    every: float = 1.0
    grace: float = GRACE_SECONDS
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Watch until `stop`."""
        threading.Thread(target=self._watch, name="alray-watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._over.set()

    def _watch(self) -> None:
        reached = dict.fromkeys(self.endpoints, time.monotonic())
        while not self._over.wait(self.every):
            for endpoint in self.endpoints:
                if endpoint.answers():
                    reached[endpoint] = time.monotonic()
                elif time.monotonic() - reached[endpoint] > endpoint.limit_seconds + self.grace:
                    self._end(endpoint)

    def _end(self, endpoint: Endpoint) -> None:
        if not self._over.is_set():
            sys.stderr.write(f"\nerror: {endpoint.message}\n")
            sys.stderr.flush()
            os._exit(ClusterError.exit_code)
