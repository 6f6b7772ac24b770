"""What tests of other libraries' strategies have in common: a choice, and small-text beside the tests' own package."""

import shutil
import subprocess
import sys
from dataclasses import replace
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from alray.strategies import parse
from alray.strategies.signals import Request
from tests.helpers.processes import ROOT
from tests.helpers.strategy_cases import K, make_signals

SMALL_TEXT = ("small-text", "dill", "tqdm")
"""small-text with what it needs and alray does not."""


def chosen(text, signals=None, k=K, seed=0):
    """Return the pool indices that a strategy chooses."""
    strategy = parse(text)
    shown = make_signals(strategy.needs) if signals is None else signals
    return strategy.select(shown, k, np.random.default_rng(seed)).indices.tolist()


def signals_for_all(seed=0):
    """Return signals that every strategy can choose by."""
    needs = Request(log_probs=True, features=True, labelled=True, pool_features=True)
    return make_signals(needs, seed=seed)


def alike(signals):
    """Return as many candidates, all of them like the first."""
    first = np.zeros(len(signals.candidates), dtype=np.int64)
    names = ("log_probs", "features", "pool_features")
    changed = {
        name: value[first] for name in names if (value := getattr(signals, name)) is not None
    }
    return replace(signals, candidates=np.arange(len(first)), **changed)


def install_beside(folder: Path) -> None:
    """Make small-text importable without its package `tests`, which hides every other one of this name."""
    if find_spec("small_text") is not None:
        return
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps")
    constraints = ROOT / "scripts" / "constraints.txt"
    done = subprocess.run(
        [*command, "--constraint", constraints, "--target", folder, *SMALL_TEXT],
        capture_output=True,
        text=True,
        check=False,
    )
    if "(from versions: none)" in done.stderr:
        pytest.skip("no package registry can be reached to install small-text")
    assert done.returncode == 0, done.stderr[-2000:]
    shutil.rmtree(folder / "tests")
    sys.path.append(str(folder))
    invalidate_caches()
