"""What is exported as metrics: counted once each, and known to the dashboard; no Ray."""

import json
import re
from pathlib import Path

import pytest

from alray import api
from alray.errors import ClusterError
from alray.ray_executor import metrics
from alray.ray_executor.metrics import COUNTERS, METRICS, CorrelationCounter, SweepCounter
from alray.settings.common import ExecutionSpec
from alray.studies.correlation.driver import CorrelationDriver
from alray.studies.correlation.store import CorrelationStore
from alray.studies.manifest import CORRELATION, SWEEP
from alray.studies.sweep.driver import SweepDriver
from alray.studies.sweep.store import SweepStore
from tests.helpers.correlation_studies import Listener, quick_settings
from tests.helpers.studies import ROUNDS, Recorder, inline, settings

DASHBOARD = Path(__file__).parents[2] / "cluster" / "grafana" / "alray.json"


@pytest.fixture
def counted(monkeypatch):
    """Return the sums of what is counted, by name and tags."""
    sums: dict[tuple[str, ...], float] = {}

    class Counter:
        def __init__(self, name: str) -> None:
            self.name = name

        def inc(self, amount, tags):
            assert set(tags) == set(METRICS[self.name][1])
            key = (self.name, *tags.values())
            sums[key] = sums.get(key, 0.0) + amount

    monkeypatch.setattr(metrics, "counter", Counter)
    monkeypatch.setattr(metrics, "NEEDED", ())
    return sums


def test_a_sweep_is_counted_and_its_display_learns_the_same(pool, tmp_path, counted):
    recorder, plain = Recorder(), Recorder()
    spec = settings(pool, strategies=["random", "margin"])
    plan = api.plan_sweep(spec)
    with SweepStore(tmp_path / "counted") as store:
        SweepDriver(plan, store, [recorder, SweepCounter()]).drive(lambda: inline(plan))
    api.sweep(spec, results=tmp_path / "plain", observer=plain)
    assert [kind for kind, *_ in recorder.events] == [kind for kind, *_ in plain.events]
    name = str(plan.study.name)
    rounds = {key[2]: value for key, value in counted.items() if key[0] == "alray_rounds"}
    assert rounds == {"passive phase": 1, "random": ROUNDS + 1, "margin": ROUNDS + 1}
    assert counted["alray_runs_finished", name] == 2
    assert counted["alray_objects_scored", name, "margin"] > 0
    assert ("alray_objects_scored", name, "random") not in counted


def test_a_correlation_study_is_counted(pool, tmp_path, counted):
    listener = Listener()
    plan = api.plan_correlation(quick_settings(pool))
    with CorrelationStore(tmp_path) as store:
        driver = CorrelationDriver(plan, store, [listener, CorrelationCounter()])
        driver.drive(lambda: api.start_tasks(plan))
    done = counted["alray_tasks_done", str(plan.spec.name)]
    assert done == len(listener.of("performed")) > 0


@pytest.mark.parametrize("kind", [SWEEP, CORRELATION])
def test_counters_stand_beside_the_display_where_metrics_are_asked_for(kind, counted):
    display = object()
    on_ray = ExecutionSpec(metrics=True)
    assert api.observers_of(ExecutionSpec(), display, kind) == [display]
    assert api.observers_of(ExecutionSpec(metrics=True, executor="inline"), None, kind) == []
    first, second = api.observers_of(on_ray, display, kind)
    assert (first, type(second)) == (display, COUNTERS[kind])


def test_without_rays_agent_metrics_are_refused(monkeypatch):
    monkeypatch.setattr(metrics, "NEEDED", ("no_such_module",))
    with pytest.raises(
        ClusterError, match=r"no_such_module are not .*pip install 'ray\[default\]'"
    ):
        SweepCounter()


def test_the_dashboard_shows_every_metric_with_labels_that_it_has():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    shown = set()
    for query in queries:
        for labels, metric in re.findall(r"by \(([^)]*)\) \([^{]*?ray_(alray_\w+)_total", query):
            assert set(labels.split(", ")) <= set(METRICS[metric][1])
            shown.add(metric)
    assert shown == set(METRICS)
