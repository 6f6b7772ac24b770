"""Calls of a tracker in a thread of their own: one that is slow, or down, keeps nobody waiting."""

import logging
import queue
import threading
from collections.abc import Callable

_logger = logging.getLogger(__name__)

Call = Callable[[], None]

PATIENCE = 30.0
"""Seconds that the end of a study waits for one call of a tracker."""


class Delivery:
    """Makes calls in order, in the background. After one that fails there is a notice, and later ones are left out.

    Attributes:
        failed: Whether a call has failed, or takes too long.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: queue.SimpleQueue[Call | threading.Event] = queue.SimpleQueue()
        self._progress = threading.Event()
        self._thread: threading.Thread | None = None
        self._hangs = self._noticed = False
        self.failed = False

    def put(self, call: Call) -> None:
        """Make a call when those before are done."""
        if self._thread is None:
            # Not waited for when the program ends: a call may hang.
            name = f"tracker {self._name}"
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()
        self._calls.put(call)

    def wait(self) -> None:
        """Wait until all calls were made, or one takes too long."""
        if self._hangs or self._thread is None:
            return
        done = threading.Event()
        self._calls.put(done)
        while not done.is_set():
            if not self._progress.wait(PATIENCE):
                self._hangs = True
                self._fail(f"no answer within {PATIENCE:g} s")
                return
            self._progress.clear()

    def try_again(self) -> None:
        """Make calls again after one has failed; a second notice would say the same."""
        self.failed = False

    def _work(self) -> None:
        while True:
            call = self._calls.get()
            if isinstance(call, threading.Event):
                call.set()
            elif not self.failed:
                try:
                    call()
                except Exception as error:  # noqa: BLE001 -- whatever a tracker's library raises
                    self._fail(_in_a_line(error))
            self._hangs = False
            self._progress.set()

    def _fail(self, reason: str) -> None:
        self.failed = True
        if not self._noticed:
            self._noticed = True
            _logger.warning(
                "tracker %s: %s; the study goes on without it, and the same command sends what is missing",
                self._name,
                reason,
            )


def _in_a_line(error: Exception, most: int = 200) -> str:
    """Return an error's type and the beginning of its text."""
    text = " ".join(str(error).split())
    shown = text if len(text) <= most else f"{text[:most]}..."
    return f"{type(error).__name__}: {shown}" if shown else type(error).__name__
