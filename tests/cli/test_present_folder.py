"""The user's modules are found in the present folder, and files there that are called like libraries hide nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alray.ray_executor import worker_path
from alray.studies.sweep.results import load
from tests.helpers.user_modules import MINE

SCRIPT = [str(Path(sys.executable).parent / "alray")]
MODULE = [sys.executable, "-m", "alray"]
SWEEP = (
    "sweep", "--initial", "20", "--query", "5", "--rounds", "1", "--seeds", "1", "--set", "training.passive_epochs=1",
    "--set", "model.width=4", "--no-report", "--strategies", "random,mine:Mine",
)  # fmt: skip


@pytest.fixture
def present(tmp_path):
    """Return a folder with a strategy, and with files called like modules of libraries."""
    for name in ("torch", "queue", "logging", "random", "pandas", "tables"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('this is no library')\n")
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def typed(folder, *words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("program", [SCRIPT, MODULE], ids=["alray", "python -m alray"])
def test_commands_read_no_libraries_there(pool, present, program):
    done = typed(present, *program, "pool", "describe", pool)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("executor", ["inline", pytest.param("ray", marks=pytest.mark.ray)])
def test_a_sweep_finds_the_strategy_there_and_no_libraries(pool, present, executor):
    words = ["--pool", pool, "--name", "study", "--executor", executor]
    done = typed(present, *SCRIPT, *SWEEP, *words)
    assert done.returncode == 0, done.stderr
    runs = load(present / "results" / "study").runs
    assert runs["status"].tolist() == ["finished", "finished"]


def test_workers_on_ray_look_where_the_driver_looks_first(tmp_path, monkeypatch):
    """A console script's driver does not look into the present folder at all; a notebook's does, and says so by ''."""
    monkeypatch.chdir(tmp_path)
    installed = [path for path in sys.path if "python3" in path]
    for first, expected in (
        (["/bin"], ["/bin"]),
        (["", "/of-a-script"], ["/of-a-script", str(tmp_path)]),
        (["/inherited", "/x"], ["/x"]),
    ):
        monkeypatch.setenv("PYTHONPATH", "/inherited")
        monkeypatch.setattr(sys, "path", [*first, *installed])
        config = worker_path.job_config()
        # Ray puts one after the other before all others, and asks this before it adds the present folder.
        assert config._py_driver_sys_path == expected
        assert config._runtime_env_has_working_dir()
