"""`scripts/chaos` in short, where a cluster of namespaces can be made: a worker and the driver killed."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]


@pytest.fixture
def possible(monkeypatch):
    """Skip where no nodes can be made, or somebody else's are up."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "scripts"), *sys.path])
    if reason := import_module("faults.cluster").obstacle():
        pytest.skip(reason)


@pytest.mark.usefixtures("possible")
def test_two_faults_are_survived():
    words = ["--faults", "2", "--kinds", "worker,driver", "--seeds", "2", "--rounds", "20"]
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "chaos", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Faults: 2 tried, 2 survived", done.stdout)
    assert not Path("/run/alray-nodes").exists()
