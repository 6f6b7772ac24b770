from types import SimpleNamespace

import pytest

from alray.ray_executor import autoscaling


@pytest.fixture
def autoscaler(monkeypatch):
    """Return an autoscaler: `asked` lists the bundles it was asked for, `free` holds what is free on all nodes."""
    made = SimpleNamespace(asked=[], free={})
    monkeypatch.setattr(
        autoscaling, "request_resources", lambda *, bundles: made.asked.append(bundles)
    )
    monkeypatch.setattr(autoscaling, "free_resources", lambda: made.free)
    monkeypatch.setattr(autoscaling, "ASK_SECONDS", 0.0)
    return made
