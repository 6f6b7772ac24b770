import os
import signal
import subprocess
import threading

import pytest

from alray.studies.interrupts import hangup_blocked, stop_requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_a_wish(number):
    # Tests that run under `nohup` begin with hangups ignored.
    before = signal.signal(number, signal.default_int_handler)
    try:
        with stop_requested() as stop:
            assert not stop()
            os.kill(os.getpid(), number)
            assert stop()
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_stops_at_once(second):
    with stop_requested(), pytest.raises(KeyboardInterrupt):  # noqa: PT012 -- the first kill must not raise
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), second)


def test_the_first_signal_alone_is_announced():
    announced = []
    with stop_requested(lambda: announced.append("stopping")):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert announced == ["stopping"]


def test_a_hangup_that_is_ignored_stays_ignored():
    """As under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requested() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_processes_that_are_started_with_hangups_blocked_live_on():
    command = ["sh", "-c", "kill -HUP $$; echo lives"]
    with hangup_blocked():
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "lives\n"
    assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


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
