"""The user's code on Ray: workers run the driver's, and what a script or notebook defines is sent by value."""

import sys
from typing import Any

import pytest

from alray import api
from tests.helpers.studies import PRODUCTS, assert_same_records, settings
from tests.helpers.user_modules import MINE

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]
ON_RAY = {"executor": "ray", "parallel": 1, "products": PRODUCTS}


def test_a_class_of_a_script_runs_as_it_does_in_its_process(pool, tmp_path, monkeypatch):
    script = tmp_path / "script.py"
    script.write_text(MINE)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(MINE, str(script), "exec"), namespace)
    for name in ("Mine", "Request"):
        monkeypatch.setattr(sys.modules["__main__"], name, namespace[name], raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    strategies = ["random", namespace["Mine"](k=4)]
    study = settings(pool, strategies=strategies)
    expected = api.sweep(study, results=tmp_path / "inline")
    found = api.sweep({**study, "execution": ON_RAY}, results=tmp_path / "ray")
    assert found.settings.strategies == ("random", "__main__:Mine:k=4")
    assert found.runs["status"].tolist() == ["finished"] * 2
    assert_same_records(expected, found)


def test_code_that_is_not_the_drivers_fails_its_runs_alone(pool, tmp_path, folder, monkeypatch):
    (folder / "mine.py").write_text(MINE)
    plan = api.plan_sweep
    changed = MINE.replace("* self.k", "* -self.k")

    def planned(*arguments, **settings):
        made = plan(*arguments, **settings)
        (folder / "mine.py").write_text(changed)
        return made

    monkeypatch.setattr(api, "plan_sweep", planned)
    study = settings(pool, strategies=["mine:Mine", "margin"], execution=ON_RAY)
    runs = api.sweep(study, results=tmp_path).runs.set_index("strategy")
    assert runs["status"].to_dict() == {"mine:Mine": "failed", "margin": "finished"}
    assert (
        f"mine.py in {folder} is not as it was when the study started"
        in runs["error"]["mine:Mine"]
    )
