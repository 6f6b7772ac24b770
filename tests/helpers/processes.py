"""Processes that the tests of clusters start, and those that Ray starts for this one."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).parents[2]


def ray_workers(word: str) -> list[psutil.Process]:
    """Return this process's Ray workers whose command line, which names their actor or task, has this word."""
    found = []
    for process in psutil.Process(os.getpid()).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended by now
            if word in " ".join(process.cmdline()):
                found.append(process)
    return found


def spec_file(folder: Path, spec: dict[str, Any]) -> str:
    """Write a study's settings into a file of this folder, and return its path."""
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(spec))
    return str(path)


def module_options(*words: object) -> dict[str, Any]:
    """Return what starts a module with these words by `subprocess`, in the checkout and with no cluster to join."""
    environment = {name: text for name, text in os.environ.items() if name != "RAY_ADDRESS"}
    command = [sys.executable, "-m", *map(str, words)]
    return {"args": command, "cwd": ROOT, "env": environment, "text": True}
