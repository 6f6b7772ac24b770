"""What reaches the terminal while Ray is joined, seen in processes of their own, which load the one module."""

import subprocess
import sys

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


def said(inside="pass", **environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(inside=inside, path=str(log_filter.__file__))],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    return done.returncode, done.stderr.splitlines()


def test_rays_level_is_set_within_and_its_own_lines_are_left_out():
    assert said() == (0, ["before", "level fatal", "after none"])


def test_a_crash_within_stays_visible():
    code, lines = said("say('dying'); os.abort()")
    assert code < 0
    assert lines == ["before", "level fatal", "dying"]


def test_an_error_within_is_told_and_everything_is_as_before():
    code, lines = said("raise OSError('no')")
    assert code == 1
    assert lines[-1] == "OSError: no"


def test_a_level_that_people_have_set_is_left_alone():
    _, lines = said(RAY_BACKEND_LOG_LEVEL="debug")
    assert len(lines) == 5
    assert lines[-2:] == ["level debug", "after debug"]
