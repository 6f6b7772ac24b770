"""What tests of other libraries' strategies have in common: a choice, and small-text beside the tests' own package."""

import sys
from dataclasses import replace
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from alray.strategies import parse
from alray.strategies.signals import Request
from benchmarks.harness.programs import ProgramError, folder_of
from benchmarks.strategies.rows import SMALL_TEXT
from tests.helpers.strategy_cases import K, make_signals


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
    try:
        found = folder_of("small_text", SMALL_TEXT, folder)
    except ProgramError as error:
        if "(from versions: none)" in str(error):
            pytest.skip("no package registry can be reached to install small-text")
        raise
    sys.path.append(str(found))
    invalidate_caches()
