"""The lowest versions that are declared, of all dependencies but the two largest: `scripts/lowest` tries these too."""

import os
import subprocess
import sys
import tomllib

import pytest

from tests.helpers.processes import ROOT

LARGE = ("torch", "ray")


def lowest() -> list[str]:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return [
        requirement.replace(">=", "==")
        for requirement in declared
        if requirement.partition(">=")[0] not in LARGE
    ]


def compiling(folder) -> dict[str, str]:
    """Return variables with which one process compiles what it imports, and others read that."""
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    return {**os.environ, **compiled}


def run(*words: object, path: str, folder) -> str:
    result = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", *map(str, words)],
        cwd=folder,
        env={**compiling(folder), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result.stdout


@pytest.mark.install
def test_a_study_and_its_report_work_with_the_lowest_versions(tmp_path):
    overlay = tmp_path / "packages"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    # Few of the modules are ever imported.
    installed = subprocess.run(
        [*pip, "--no-warn-conflicts", "--no-compile", "--target", overlay, *lowest()],
        env=compiling(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    if "(from versions: none)" in installed.stderr:
        pytest.skip("no package registry can be reached")
    assert installed.returncode == 0, installed.stderr[-2000:]

    def alray(*words: object) -> str:
        return run("-m", "alray", *words, path=f"{overlay}:{ROOT}", folder=tmp_path)

    used = run("-c", "import pyarrow; print(pyarrow.__file__)", path=str(overlay), folder=tmp_path)
    assert used.startswith(str(overlay))
    assert "5,726" in alray("pool", "describe", "openclipart")
    alray(
        "pool",
        "make",
        "synthetic",
        "posts.parquet",
        "--objects",
        1500,
        "--classes",
        4,
        "--families",
        2,
    )
    sizes = ("--initial", 40, "--rounds", 2, "--seeds", 2, "--strategies", "random,margin")
    table = alray("sweep", "--pool", "posts.parquet", "--executor", "inline", *sizes)
    assert "margin" in table
    written = alray("report", "results/posts", "--format", "html,svg,csv")
    assert "results/posts/report.html" in written
    assert "nan" not in (tmp_path / "results/posts/findings/summary.csv").read_text()
