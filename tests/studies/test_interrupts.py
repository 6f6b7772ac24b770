import os
import signal
import threading

import pytest

from alray.studies.interrupts import stop_requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_wish(number):
    with stop_requested() as stop:
        assert not stop()
        os.kill(os.getpid(), number)
        assert stop()


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_stops_at_once(second):
    with stop_requested(), pytest.raises(KeyboardInterrupt):  # noqa: PT012 -- the first kill must not raise
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), second)


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_requested():
        assert signal.getsignal(signal.SIGINT) not in before
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_handler_that_python_does_not_know_is_left_alone(monkeypatch):
    """`signal.signal` returns None where a C library has installed the handler, and refuses it."""
    install = signal.signal
    monkeypatch.setattr(
        signal, "signal", lambda number, handler: install(number, handler) and None
    )
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with stop_requested():
            pass
    finally:
        for number, handler in before.items():
            install(number, handler)


def test_outside_the_main_thread_there_is_no_wish():
    answers = []

    def ask():
        with stop_requested() as stop:
            answers.append(stop())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert answers == [False]
