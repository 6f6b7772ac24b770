"""A program that hangs while the cluster is gone is ended; seen in a process of its own, on a port without anybody."""

import subprocess
import sys
import time

from alray.ray_executor.liveness import Endpoint
from alray.ray_executor.watchdog import Watchdog

NOBODY = Endpoint("127.0.0.1", 1, 0.1, "the head is gone")

PROGRAM = """
import time
from alray.ray_executor.liveness import Endpoint
from alray.ray_executor.watchdog import Watchdog

Watchdog((Endpoint("127.0.0.1", 1, 0.1, "the head is gone"),), every=0.05, grace=0.1).start()
time.sleep(60)
"""


def test_a_program_that_hangs_ends_with_the_reason_and_the_code_of_a_cluster():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "\nerror: the head is gone\n"


def test_a_watchdog_that_was_stopped_ends_nothing():
    watchdog = Watchdog((NOBODY,), every=0.05, grace=0.0)
    watchdog.start()
    watchdog.stop()
    time.sleep(0.5)
