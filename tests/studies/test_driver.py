"""What holds for the driver of both kinds of study: after each interruption the same command comes to the same end."""

import itertools
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from alray import api
from alray.errors import Interrupted, StoreError
from alray.reporting.api import report
from alray.studies.correlation.results import load_correlation
from alray.studies.events import Failure
from alray.studies.folder import Folder
from alray.studies.sweep.results import load
from tests.helpers.correlation_studies import Listener, assert_same_study, quick_settings
from tests.helpers.imports import table_of
from tests.helpers.pools_fixtures import write_table
from tests.helpers.studies import (
    ROUNDS,
    Recorder,
    assert_same_records,
    disturb,
    files,
    settings,
    start_with,
)

pytestmark = pytest.mark.usefixtures("round_by_round")


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    Attributes:
        expected: The fixture that is a finished one.
        steps: Its rounds and passive phases, or tasks.
        other: Settings of a smaller one that cannot lie in the same folder.
    """

    run: Callable[..., Any]
    load: Callable[..., Any]
    settings: Callable[..., dict[str, Any]]
    observer: type[Any]
    assert_same: Callable[[Any, Any], None]
    expected: str
    steps: int
    other: dict[str, Any]


KINDS = {
    "sweep": Kind(
        api.sweep,
        load,
        settings,
        Recorder,
        assert_same_records,
        "undisturbed",
        1 + 1 + ROUNDS,
        {"rounds": 1, "seeds": [5]},
    ),
    "correlation": Kind(
        api.correlate,
        load_correlation,
        quick_settings,
        Listener,
        assert_same_study,
        "correlated",
        2 + 2 * 2 * 4,
        {"bases": 1, "group_size": 5},
    ),
}


def steps(observer: Any) -> int:
    """Return how many steps a study has made while this observer listened."""
    return len(observer.of("progressed") or observer.of("performed"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def expected(kind, request):
    return request.getfixturevalue(kind.expected)


def test_a_finished_study_starts_no_executor_and_stays_as_it_is(kind, expected, pool, monkeypatch):
    start_with(monkeypatch, lambda _: pytest.fail("an executor was started"))
    begun, observer = Folder(expected.path).read_manifest(), kind.observer()
    again = kind.run(
        kind.settings(pool), results=expected.path.parent, observer=observer, command="again"
    )
    kind.assert_same(expected, again)
    assert observer.of("started") == []
    assert Folder(again.path).read_manifest() == begun


@pytest.mark.parametrize(
    ("kind", "moment", "left"),
    [("sweep", ("passive", 0), 5), ("sweep", ("run", 2), 2), ("correlation", 7, 11)],
    indirect=["kind"],
)
def test_a_signal_stops_a_study_with_everything_on_disk(
    kind, moment, left, expected, pool, tmp_path
):
    spec = kind.settings(pool, execution={"checkpoint_seconds": 1000})
    observer = kind.observer(moment, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted):
        kind.run(spec, results=tmp_path, observer=observer)
    assert observer.events[-1] == ("end", None)
    (notice,) = observer.of("notice")
    assert notice.startswith("stopping")
    after = kind.observer()
    kind.assert_same(expected, kind.run(spec, results=tmp_path, observer=after))
    assert steps(after) == left


@pytest.mark.parametrize("starts", ["start_executor", "start_tasks"])
def test_a_signal_while_an_executor_starts_stops_the_study_after_it(
    starts, pool, tmp_path, monkeypatch
):
    """To break off the start of Ray can end the program by a segmentation fault."""
    name = {"start_executor": "sweep", "start_tasks": "correlation"}[starts]
    kind, start, ended = KINDS[name], getattr(api, starts), []

    def slow_start(plan):
        os.kill(os.getpid(), signal.SIGINT)
        ended.append("started")
        return start(plan)

    monkeypatch.setattr(api, starts, slow_start)
    observer = kind.observer()
    with pytest.raises(Interrupted):
        kind.run(kind.settings(pool), results=tmp_path, observer=observer)
    assert ended == ["started"]
    assert observer.of("started") == []
    assert observer.of("notice")[0].startswith("stopping; Ctrl-C again")


@pytest.mark.parametrize("content", [b"", b'{"schema": 1', b"null", None], ids=repr)
def test_a_study_whose_manifest_is_lost_is_read_reported_and_goes_on(
    kind, expected, pool, tmp_path, content, caplog
):
    copy = tmp_path / expected.path.name
    shutil.copytree(expected.path, copy)
    file = copy / "manifest.json"
    if content is None:
        file.unlink()
    else:
        file.write_bytes(content)
    kind.assert_same(expected, kind.load(copy))
    assert (
        report(copy, formats=("csv",)).verdict
        == report(expected, out=tmp_path / "x", formats=("csv",)).verdict
    )
    caplog.clear()
    observer = kind.observer()
    kind.assert_same(expected, kind.run(kind.settings(pool), results=tmp_path, observer=observer))
    assert observer.of("started") == []
    warnings = [record.getMessage() for record in caplog.records]
    assert [text.partition(" (")[0] for text in warnings] == [f"{file} is damaged"] * (
        content is not None
    )
    assert Folder(copy).read_manifest()["pool"] == "pool"


def test_without_its_manifest_a_study_of_another_pool_is_refused(kind, expected, pool, tmp_path):
    copy = tmp_path / expected.path.name
    shutil.copytree(expected.path, copy)
    (copy / "manifest.json").write_bytes(b"")
    table = table_of(pool)
    labels = pa.array(table["label"].to_pylist()[::-1])
    place = table.column_names.index("label")
    other = tmp_path / "pool.parquet"
    write_table(table.set_column(place, "label", labels), other)
    with pytest.raises(StoreError, match=r"its pool is not known: manifest\.json is lost"):
        kind.run(kind.settings(other), results=tmp_path)


def test_a_full_disk_stops_a_study_and_loses_nothing(kind, expected, pool, tmp_path, monkeypatch):
    flush, calls = os.fsync, itertools.count()

    def full(descriptor):
        if next(calls) >= 12:
            raise OSError(28, "No space left on device")
        flush(descriptor)

    observer, again = kind.observer(), kind.observer()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"No space left on device.*free disk space"):
            kind.run(kind.settings(pool), results=tmp_path, observer=observer)
    assert observer.events[-1] == ("end", None)
    kind.assert_same(expected, kind.run(kind.settings(pool), results=tmp_path, observer=again))
    assert 0 < steps(again) < kind.steps - 1


def test_a_jobs_first_kill_for_want_of_memory_is_not_counted(
    kind, expected, pool, tmp_path, monkeypatch
):
    """Three attempts are allowed, and each first job is lost three times: once for want of memory."""
    losses: dict[str, int] = {}

    def happens(job):
        losses[job.name] = losses.get(job.name, 0) + 1
        if len(losses) > 1 or losses[job.name] > 3:
            return None
        return Failure(job.name, "killed", out_of_memory=losses[job.name] == 1)

    disturb(monkeypatch, happens)
    observer = kind.observer()
    kind.assert_same(expected, kind.run(kind.settings(pool), results=tmp_path, observer=observer))
    assert len(observer.of("lost")) == 3
    assert observer.of("notice") == ["a worker is lost"] * 3
    assert observer.of("failed") == []


@pytest.mark.parametrize(
    ("kind", "period", "checkpoint_seconds"),
    [("sweep", 2, 0), ("sweep", 5, 1000), ("correlation", 3, 0)],
    indirect=["kind"],
)
def test_lost_workers_change_nothing(
    kind, period, checkpoint_seconds, expected, pool, tmp_path, monkeypatch
):
    """Rows from after the last checkpoint, which the driver has in memory, are made again and not kept twice."""
    calls = itertools.count(1)
    disturb(monkeypatch, lambda job: None if next(calls) % period else Failure(job.name, "killed"))
    observer = kind.observer()
    spec = kind.settings(
        pool, execution={"attempts": 50, "checkpoint_seconds": checkpoint_seconds}
    )
    found = kind.run(spec, results=tmp_path, observer=observer)
    assert len(observer.of("lost")) >= 1
    kind.assert_same(expected, found)


@pytest.mark.parametrize("fresh", [False, True])
def test_a_study_is_not_taken_for_one_of_the_other_kind(kind, expected, fresh, pool):
    (other,) = (each for each in KINDS.values() if each is not kind)
    with pytest.raises(StoreError, match=r"holds a \w+ study; choose another --name"):
        other.run(other.settings(pool), results=expected.path.parent, fresh=fresh)
    with pytest.raises(StoreError, match=f"study: read it with alray.{kind.load.__name__}$"):
        other.load(expected.path)


def test_a_fresh_start_throws_the_earlier_study_away_and_nothing_else(
    kind, expected, pool, tmp_path
):
    results = shutil.copytree(expected.path.parent, tmp_path / "results")
    (results / "study" / "mine.txt").write_text("kept")
    spec = kind.settings(pool, **kind.other)
    with pytest.raises(StoreError, match=r" there, .* now\n.*another --name"):
        kind.run(spec, results=results)
    found = kind.run(spec, results=results, fresh=True)
    alone = kind.run(spec, results=tmp_path)
    kind.assert_same(alone, found)
    assert files(found.path) == files(alone.path) | {"mine.txt"}
