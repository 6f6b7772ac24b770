"""What holds for every test: one thread, every warning each time, and no clock that a busy machine could run out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

from alray import api
from alray.networks import kernels
from alray.networks.products import SCORING, TRAINING
from tests.helpers import sharing, studies

torch.set_num_threads(1)
torch.set_warn_always(True)
settings.register_profile("alray", deadline=None)
settings.load_profile("alray")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, begin with those on Ray: one process runs them, and mostly waits."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(sharing.RAY))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return how several processes share the tests; None leaves it to the command line."""
    return sharing.scheduler(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def pool(tmp_path_factory):
    """Return the file of a small pool, which no test changes."""
    return studies.write_pool(tmp_path_factory.mktemp("pool") / "pool.parquet")


@pytest.fixture(scope="session")
def undisturbed(pool, tmp_path_factory):
    """Return a finished sweep over the pool, which no test changes: others that come to the same end must equal it."""
    return api.sweep(studies.settings(pool), results=tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(params=["onednn", "blas", "a build without oneDNN"])
def products(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a test with matrix products by oneDNN, and by PyTorch's own."""
    if request.param == "blas":
        for phase in (SCORING, TRAINING):
            monkeypatch.setattr(phase, "library", "blas")
    elif request.param != "onednn":
        monkeypatch.setitem(kernels.FOUND, "onednn_linear", None)
    elif not kernels.has_onednn():
        pytest.skip("this build of PyTorch has no oneDNN")


@pytest.fixture(autouse=True)
def product_libraries() -> Iterator[None]:
    """Begin with oneDNN's matrix products: workers follow their study's settings, in this process too.

    And end with them: what several tests share is made before the next one begins.
    """
    SCORING.library = TRAINING.library = "onednn"
    yield
    SCORING.library = TRAINING.library = "onednn"


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is measured on this machine out of the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder whose modules can be imported; a module that is written again there counts as another."""
    found = tmp_path / "modules"
    found.mkdir()
    monkeypatch.syspath_prepend(found)
    # A file that is written twice within a second looks unchanged to Python.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield found
    for name, module in [*sys.modules.items()]:
        if str(found) in str(getattr(module, "__file__", None)):
            del sys.modules[name]
