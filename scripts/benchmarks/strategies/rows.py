"""Which queries are measured, each in a process of its own, and what becomes of each."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from alray.strategies import STRATEGIES
from benchmarks.harness.programs import ENVIRONMENTS, ROOT, folder_of
from benchmarks.harness.timing import ONE_THREAD

SMALL_TEXT = ("small-text", "dill", "tqdm")
"""small-text with what it needs and alray does not."""

UNCERTAINTY = "skactiveml:UncertaintySampling"
COUNTERPARTS: Mapping[str, Sequence[str]] = {
    "random": ("skactiveml:RandomSampling", "small_text:RandomSampling"),
    "least_confidence": (UNCERTAINTY, "small_text:LeastConfidence"),
    "margin": (f"{UNCERTAINTY}:method=margin_sampling", "small_text:BreakingTies"),
    "entropy": (f"{UNCERTAINTY}:method=entropy", "small_text:PredictionEntropy"),
    "badge": ("skactiveml:Badge",),
    "coreset": ("skactiveml:CoreSet", "small_text:GreedyCoreset:normalize=false"),
    "typiclust": ("skactiveml:TypiClust",),
    "probcover": ("skactiveml:ProbCover",),
    "max_herding": ("skactiveml:MaxHerding",),
}
"""Strategy: the same of other libraries."""

MEMORY_WORDS = ("MemoryError", "can't allocate memory", "Memory allocation")
"""What the last line of an error says where memory was refused: Python, PyTorch, OpenBLAS."""

KEY = ["strategy", "objects", "query"]
FOR_SIGNALS, LATEST = 600, 10
"""Seconds of the clock that a process may take besides its query, and for each processor second of that one's limit: a
busy machine must not end it."""


def strategies() -> list[str]:
    """Return all strategies of the registry, each followed by the same of other libraries."""
    return [text for name in STRATEGIES for text in (name, *COUNTERPARTS.get(name, ()))]


def rows(
    texts: Sequence[str],
    sizes: Sequence[int],
    queries: Sequence[int],
    limits: tuple[float, float],
    known: pd.DataFrame,
) -> Iterator[dict[str, Any]]:
    """Measure what is not known yet, and yield a row for each, small pools first."""
    there = set(known[KEY].itertuples(index=False, name=None)) if len(known) else set()
    for objects, query, text in product(sizes, queries, texts):
        if (text, objects, query) not in there:
            key = dict(zip(KEY, (text, objects, query), strict=True))
            yield {**key, **measured(text, objects, query, limits)}


def measured(text: str, objects: int, query: int, limits: tuple[float, float]) -> dict[str, Any]:
    """Return a query's figures, and how it ended: `finished`, `not finished`, `out of memory` or with an error."""
    words = [text, str(objects), str(query), *map(str, limits)]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "benchmarks.strategies.worker", *words],
            env=_environment(text),
            capture_output=True,
            text=True,
            timeout=FOR_SIGNALS + LATEST * limits[0],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"ended": "not finished"}
    figures: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            figures |= json.loads(line)
    return {**figures, "ended": _end(done.returncode, done.stderr)}


def _end(code: int, errors: str) -> str:
    if code == 0:
        return "finished"
    if code == -signal.SIGPROF:
        return "not finished"
    last = errors.strip().splitlines()[-1] if errors.strip() else f"exit code {code}"
    if code == -signal.SIGKILL or any(word in last for word in MEMORY_WORDS):
        return "out of memory"
    return "refused" if "compares all candidates" in last else last[:200]


def _environment(text: str) -> dict[str, str]:
    """Return the variables of a worker: one thread, and small-text beside what is installed where it is asked."""
    paths = [str(ROOT / "scripts"), str(ROOT)]
    if of_small_text(text):
        paths.append(str(small_text_folder()))
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)}


def of_small_text(text: str) -> bool:
    """Return whether a strategy is of small-text."""
    return text.startswith("small_text:")


def small_text_folder() -> Path:
    """Return the folder that small-text lies in, after installing it there."""
    return folder_of("small_text_beside", SMALL_TEXT, ENVIRONMENTS)
