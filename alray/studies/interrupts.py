"""Ctrl-C, SIGTERM and a closed terminal as a request to stop between two rounds, not in the middle of one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_requested(on_request: Callable[[], None] | None = None) -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether a signal to stop has come; a second one raises KeyboardInterrupt at once.

    The signals are SIGINT, SIGTERM and SIGHUP; SIGHUP stays ignored where it is ignored already, as under `nohup`.
    `on_request` is called when the first one comes. Outside the main thread signals cannot be caught, and the function
    always returns False.
    """
    requested = threading.Event()

    def request(_signal: int, _frame: FrameType | None) -> None:
        if requested.is_set():
            raise KeyboardInterrupt
        requested.set()
        if on_request is not None:
            on_request()

    if threading.current_thread() is not threading.main_thread():
        yield requested.is_set
        return
    before = {
        number: signal.signal(number, request) for number in STOP_SIGNALS if not _ignored(number)
    }
    try:
        yield requested.is_set
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: a C library's own, which cannot be put back from here
                signal.signal(number, handler)


def _ignored(number: signal.Signals) -> bool:
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


@contextmanager
def hangup_blocked() -> Iterator[None]:
    """Put SIGHUP off within the block, for this thread; processes that are started within never get it.

    A terminal that is closed sends it to all processes of a study; only the driver is to decide what follows.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
