"""Ctrl-C and SIGTERM as a request to stop between two rounds, not as an exception in the middle of one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether SIGINT or SIGTERM has come; a second one raises KeyboardInterrupt at once.

    Outside the main thread signals cannot be caught, and the function always returns False.
    """
    requested = threading.Event()

    def request(_signal: int, _frame: FrameType | None) -> None:
        if requested.is_set():
            raise KeyboardInterrupt
        requested.set()

    if threading.current_thread() is not threading.main_thread():
        yield requested.is_set
        return
    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requested.is_set
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: a C library's own, which cannot be put back from here
                signal.signal(number, handler)
