"""How several processes of pytest-xdist share the tests."""

from typing import Any

import pytest

RAY = "tests/ray/"
"""Tests that use one Ray; two at a time would disturb each other."""


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Return the scheduler that gives each file to one process, and all files of tests on Ray to the same one.

    (`--dist loadgroup` is made for this, but xdist 3.8 does not find the groups of pytest 9.2.)
    """
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 -- only where xdist runs

    found = LoadFileScheduling(config, log)
    file_of = found._split_scope
    found._split_scope = lambda test: RAY if test.startswith(RAY) else file_of(test)
    return found
