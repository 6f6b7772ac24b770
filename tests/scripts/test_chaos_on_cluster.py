"""`scripts/chaos` in short, where a cluster of namespaces can be made: a worker and the driver killed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chaos_study.cluster import obstacle

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]


@pytest.fixture
def possible():
    """Skip where no nodes can be made, or somebody else's are up."""
    if reason := obstacle():
        pytest.skip(reason)


@pytest.mark.usefixtures("possible")
def test_two_faults_are_survived():
    words = ["--faults", "2", "--kinds", "worker,driver", "--seeds", "2", "--rounds", "20"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "chaos_study", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Faults: 2 tried, 2 survived", done.stdout)
    assert not Path("/run/alray-nodes").exists()
