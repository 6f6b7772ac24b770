"""Ctrl-C and a polite kill as a wish to stop between two rounds, not as an exception in the middle of one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether SIGINT or SIGTERM has come; a second one raises KeyboardInterrupt at once.

    Outside the main thread signals cannot be caught, and the function always says no.
    """
    wished = threading.Event()

    def take_note(_signal: int, _frame: FrameType | None) -> None:
        if wished.is_set():
            raise KeyboardInterrupt
        wished.set()

    if threading.current_thread() is not threading.main_thread():
        yield wished.is_set
        return
    before = {
        number: signal.signal(number, take_note) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield wished.is_set
    finally:
        for number, handler in before.items():
            if handler is not None:  # None: a C library's own, which cannot be put back from here
                signal.signal(number, handler)
