"""A finished correlation study, few resamples (all take seconds, and have tests of their own), frequent reports."""

import functools

import pytest

from alray import api
from alray.analysis.correlation import summary
from alray.studies.sweep.worker import RunWorker
from tests.helpers.correlation_studies import quick_settings


@pytest.fixture(scope="module", autouse=True)
def _short_resampling():
    with pytest.MonkeyPatch.context() as patch:
        quick = functools.partial(summary.summarise, permutations=200, bootstraps=100)
        patch.setattr(summary, "summarise", quick)
        yield


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of what was measured on this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def round_by_round():
    """Make workers report, and with `checkpoint_seconds: 0` checkpoint, after every round."""
    advance = RunWorker.advance
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunWorker, "advance", lambda worker, seconds=0.0: advance(worker, seconds))
        yield


@pytest.fixture(scope="module")
def correlated(pool, tmp_path_factory, _short_resampling):
    """Return a finished correlation study over the pool, which no test changes."""
    results = tmp_path_factory.mktemp("correlated")
    return api.correlate(quick_settings(pool), results=results)
