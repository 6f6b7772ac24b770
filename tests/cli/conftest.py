"""A quick sweep as typed."""

import pytest

from tests.helpers.command import SMALL, alray


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def sweep(pool, results):
    """Return a function that types a quick sweep with these words."""
    return lambda *words: alray("sweep", *SMALL, "--pool", pool, "--results", results, *words)
