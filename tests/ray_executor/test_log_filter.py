"""What reaches the terminal while Ray is joined, seen in processes of their own, which load the one module."""

import signal
import subprocess
import sys

import pytest

from alray.ray_executor import log_filter

PROGRAM = """
import os, runpy
filtered_stderr = runpy.run_path({path!r})["filtered_stderr"]

def say(text):
    os.write(2, text.encode() + b"\\n")

say("before")
with filtered_stderr():
    say("[I] Set ray log level from environment variable RAY_BACKEND_LOG_LEVEL to 3")
    say("[W] gcs_client.cc:210: Failed to get cluster ID")
    say("level " + os.environ["RAY_BACKEND_LOG_LEVEL"])
    {inside}
say("after " + os.environ.get("RAY_BACKEND_LOG_LEVEL", "none"))
"""


def exit_code_and_lines(inside="pass", **environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(inside=inside, path=str(log_filter.__file__))],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("inside", "code", "last"),
    [
        ("pass", 0, "after none"),
        ("say('dying'); os.abort()", -signal.SIGABRT, "dying"),
        ("raise OSError('no')", 1, "OSError: no"),
    ],
)
def test_rays_own_lines_are_left_out_and_an_end_stays_visible(inside, code, last):
    found, lines = exit_code_and_lines(inside)
    assert found == code
    assert lines[:2] == ["before", "level fatal"]
    assert lines[-1] == last
    assert len(lines) == 3 or lines[2].startswith("Traceback")


def test_a_level_that_the_user_has_set_is_left_alone():
    _, lines = exit_code_and_lines(RAY_BACKEND_LOG_LEVEL="debug")
    assert len(lines) == 5
    assert lines[-2:] == ["level debug", "after debug"]
