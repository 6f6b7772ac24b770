"""What holds for every test: one thread, every warning each time, and no clock that a busy machine could run out."""

import pytest
import torch
from hypothesis import settings

from alray import api
from tests.helpers import studies

torch.set_num_threads(1)
torch.set_warn_always(True)
settings.register_profile("alray", deadline=None)
settings.load_profile("alray")


@pytest.fixture(scope="session")
def pool(tmp_path_factory):
    """Return the file of a small pool, which no test changes."""
    return studies.write_pool(tmp_path_factory.mktemp("pool") / "pool.parquet")


@pytest.fixture(scope="session")
def undisturbed(pool, tmp_path_factory):
    """Return a finished sweep over the pool, which no test changes: others that come to the same end must equal it."""
    return api.sweep(studies.settings(pool), results=tmp_path_factory.mktemp("undisturbed"))
