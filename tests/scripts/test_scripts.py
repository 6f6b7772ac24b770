"""The scripts: what they import is there."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"
LOAD = "import runpy, sys\nfor path in sys.argv[1:]:\n    runpy.run_path(path, run_name='loaded')"


def test_every_script_can_be_loaded():
    paths = [path for path in SCRIPTS.iterdir() if path.is_file()]
    scripts = [path for path in paths if path.read_bytes().startswith(b"#!/usr/bin/env python3")]
    assert len(scripts) > 8
    command = [sys.executable, "-c", LOAD, *map(str, sorted(scripts))]
    # As if each were started by its name: its own folder is where it imports from.
    done = subprocess.run(
        command, env={"PYTHONPATH": str(SCRIPTS)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
