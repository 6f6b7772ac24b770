"""The browser in which tests open pages."""

import shutil

import pytest


def chromium() -> str:
    """Return the program; skip the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("needs chromium")
    return found
