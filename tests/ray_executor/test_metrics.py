"""What is exported as metrics: counted once each, everything passed on, and known to the dashboard; no Ray."""

import json
import re
from pathlib import Path
from unittest.mock import Mock

import pytest

from alray import api
from alray.api import correlate
from alray.errors import ClusterError
from alray.ray_executor import metrics
from alray.ray_executor.metrics import METRICS, MeteredCorrelationObserver, MeteredObserver
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.sweep.observer import Observer
from tests.helpers.correlation_studies import Listener, correlation_settings
from tests.helpers.studies import ROUNDS, Recorder, settings, write_pool

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


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return write_pool(tmp_path_factory.mktemp("pool") / "pool.parquet")


def test_a_sweep_is_counted_and_its_display_hears_the_same(pool, tmp_path, counted):
    recorder, plain = Recorder(), Recorder()
    spec = settings(pool, strategies=["random", "margin"])
    api.sweep(spec, results=tmp_path / "metered", observer=MeteredObserver(recorder))
    api.sweep(spec, results=tmp_path / "plain", observer=plain)
    assert [kind for kind, *_ in recorder.events] == [kind for kind, *_ in plain.events]
    name = str(api.as_study(spec).name)
    rounds = {key[2]: value for key, value in counted.items() if key[0] == "alray_rounds"}
    assert rounds == {"passive phase": 1, "random": ROUNDS + 1, "margin": ROUNDS + 1}
    assert counted["alray_runs_finished", name] == 2
    assert counted["alray_objects_scored", name, "margin"] > 0
    assert ("alray_objects_scored", name, "random") not in counted


def test_a_correlation_study_is_counted(pool, tmp_path, counted):
    listener = Listener()
    spec = correlation_settings(pool)
    found = correlate(spec, results=tmp_path, observer=MeteredCorrelationObserver(listener))
    done = counted["alray_tasks_done", str(found.settings.name)]
    assert done == len(listener.of("performed")) > 0


@pytest.mark.parametrize(
    ("observer", "metered"),
    [(Observer, MeteredObserver), (CorrelationObserver, MeteredCorrelationObserver)],
)
def test_everything_that_a_display_hears_has_its_way_past(observer, metered, counted):
    heard = [name for name in vars(observer) if not name.startswith("_")]
    assert set(heard) <= set(vars(metered))
    inner = Mock(spec=observer)
    for name in ("tick", "end"):
        getattr(metered(inner), name)()
    metered(inner).notice("a word")
    assert [call[0] for call in inner.mock_calls] == ["tick", "end", "notice"]


def test_without_rays_agent_metrics_are_refused(monkeypatch):
    monkeypatch.setattr(metrics, "NEEDED", ("no_such_module",))
    with pytest.raises(
        ClusterError, match=r"no_such_module are not .*pip install 'ray\[default\]'"
    ):
        MeteredObserver(Observer())


def test_the_dashboard_shows_every_metric_with_labels_that_it_has():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    shown = set()
    for query in queries:
        for labels, metric in re.findall(r"by \(([^)]*)\) \([^{]*?ray_(alray_\w+)_total", query):
            assert set(labels.split(", ")) <= set(METRICS[metric][1])
            shown.add(metric)
    assert shown == set(METRICS)
