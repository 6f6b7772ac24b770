import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typing_extensions import override

import alray
from alray import api
from alray.errors import SpecError, StoreError
from alray.settings.files import as_settings
from alray.settings.sweep import SweepSpec
from alray.studies import machine, made_elsewhere
from alray.studies.sweep.results import load
from tests.helpers.studies import Recorder, assert_same_records, files, settings, write_pool


@pytest.fixture
def results(undisturbed, tmp_path):
    """Return the results folder of a copy of a finished study."""
    return shutil.copytree(undisturbed.path.parent, tmp_path / "results")


def manifest(results):
    return json.loads((results / "study" / "manifest.json").read_text())


def test_settings_come_as_values_a_file_or_a_spec(pool, tmp_path):
    spec = settings(pool, rounds=0)
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(spec))
    given = as_settings(SweepSpec, spec)
    assert given == as_settings(SweepSpec, path) == as_settings(SweepSpec, str(path))
    assert as_settings(SweepSpec, SweepSpec.model_validate(spec)) == given
    assert as_settings(SweepSpec, None) == SweepSpec()
    (tmp_path / "empty.yaml").write_text("")
    assert as_settings(SweepSpec, tmp_path / "empty.yaml") == SweepSpec()
    assert api.plan_sweep(path).study == api.plan_sweep(spec).study


def test_the_package_offers_sweep_and_load(pool, tmp_path):
    study = alray.sweep(settings(pool, rounds=0, name=None), results=tmp_path)
    assert_same_records(study, alray.load(study.path))
    assert alray.sweep is api.sweep, "a module of that name would hide the function"
    assert study.path == tmp_path / "pool", "a study without a name is called after its pool"
    assert study.settings.name == "pool"
    assert study.settings.rounds == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seeds: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"name: 2001-99-99", "is not YAML: month must be"),
        (b"- 1", r"expected settings \(key: value\), found list"),
        (b"sedes: 1", "did you mean 'seeds'"),
        (None, r"none\.yaml: No such file"),
    ],
)
def test_a_settings_file_that_is_none_is_refused(tmp_path, content, message):
    path = tmp_path / "none.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError, match=message) as caught:
        api.plan_sweep(path)
    assert str(path) in str(caught.value)


def test_other_settings_under_the_same_name_are_refused_with_all_differences(pool, results):
    changes = {
        "query": 4,
        "training": {"passive_epochs": 2, "lr": 0.5},
        "execution": {"cpus_per_run": 2, "gpus_per_run": 0.5, "parallel": 1},
    }
    before = files(results)
    with pytest.raises(StoreError) as caught:
        api.sweep(settings(pool, **changes), results=results)
    assert str(caught.value).splitlines() == [
        f"{results / 'study'} holds a study with other settings:",
        "  execution.cpus_per_run: 1 there, 2 now",
        "  execution.gpus_per_run: 0 there, 0.5 now",
        "  query: 5 there, 4 now",
        "  training.lr: 0.001 there, 0.5 now",
        "give this one another --name, or throw that one away with --fresh",
    ]
    assert files(results) == before


def test_how_runs_are_executed_may_change(pool, results):
    execution = {"parallel": 1, "attempts": 9, "checkpoint_seconds": 5, "address": "10.0.0.1:1"}
    observer = Recorder()
    api.sweep(settings(pool, execution=execution), results=results, observer=observer)
    assert not observer.of("progressed")


def test_another_pool_or_schema_is_refused(pool, tmp_path, results):
    other = write_pool(tmp_path / "pool.parquet", seed=1)
    with pytest.raises(StoreError, match="the pool's content is not the same"):
        api.sweep(settings(other), results=results)
    path = results / "study" / "manifest.json"
    path.write_text(json.dumps({**manifest(results), "schema": 0}))
    with pytest.raises(StoreError, match="results schema: 0 there"):
        api.sweep(settings(pool), results=results)


@pytest.mark.parametrize("lost", [("study.yaml",), ("study.yaml", "manifest.json")])
def test_where_its_settings_are_lost_a_study_goes_on_by_the_names_of_its_runs(
    pool, undisturbed, results, tmp_path, lost
):
    other = write_pool(tmp_path / "pool.parquet", seed=1)
    for name in lost:
        (results / "study" / name).unlink()
    before = files(results)
    for study in (settings(other, seeds=[1]), settings(pool, query=4, seeds=[1])):
        with pytest.raises(StoreError, match=r"no study\.yaml, and none of them.* --fresh"):
            api.sweep(study, results=results)
    assert files(results) == before
    observer = Recorder()
    found = api.sweep(settings(pool), results=results, observer=observer)
    assert_same_records(undisturbed, found)
    assert not observer.of("progressed")


def test_other_settings_are_welcome_while_nothing_has_been_computed(pool, tmp_path, monkeypatch):
    def refuse(_):
        raise StoreError("not now")

    with monkeypatch.context() as patch:
        patch.setattr(api, "start_executor", refuse)
        with pytest.raises(StoreError, match="not now"):
            api.sweep(settings(pool), results=tmp_path)
    study = api.sweep(settings(pool, query=4), results=tmp_path)
    assert study.settings.query == 4
    assert len(study.runs) == 1


def test_the_manifest_says_where_the_study_came_from(results):
    found = manifest(results)
    assert found["begun"] <= found["ended"]
    assert found["schema"] == 1
    assert found["alray"] == alray.__version__
    assert found["versions"].keys() == {"torch", "ray", "numpy", "pyarrow"}
    assert len(found["pool_fingerprint"]) == 64
    assert found["command"] == "alray.sweep(...)"


def test_a_study_that_goes_on_has_no_end_until_it_ends(pool, results):
    path = results / "study" / "manifest.json"
    before = {**manifest(results), "begun": "2001-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(before))
    seen = []

    class Watcher(Recorder):
        @override
        def tick(self):
            seen.append(manifest(results)["ended"])

    api.sweep(settings(pool, seeds=2), results=results, observer=Watcher(), command="more")
    assert set(seen) == {None}
    after = manifest(results)
    assert after["ended"] is not None
    assert (after["begun"], after["command"]) == (before["begun"], "more")


def test_going_on_with_another_alray_is_reported_where_there_is_something_to_add(
    pool, results, monkeypatch, caplog
):
    api.sweep(settings(pool), results=results)
    monkeypatch.setattr(made_elsewhere, "own_source", lambda: "changed")
    api.sweep(settings(pool), results=results)
    assert not caplog.messages
    began = manifest(results)["source"]
    api.sweep(settings(pool, seeds=2), results=results)
    (text,) = caplog.messages
    assert f"begun with another alray ({alray.__version__}, source {began}; here" in text
    assert "source changed)" in text


@pytest.mark.parametrize(
    ("section", "name", "value", "named"),
    [
        ("machine", "processor", "a 6502", "the processor a 6502, here "),
        ("versions", "torch", "0.4.0", "PyTorch 0.4.0, here "),
    ],
)
def test_going_on_elsewhere_is_reported_before_anything_starts(
    pool, results, caplog, section, name, value, named
):
    path, found = results / "study" / "manifest.json", manifest(results)
    path.write_text(json.dumps({**found, section: {**found[section], name: value}}))
    same, more = (api.plan_sweep(settings(pool, **changes)) for changes in ({}, {"seeds": 2}))
    api.runs_on_record(same, results)
    assert not caplog.messages
    api.runs_on_record(more, results)
    (text,) = caplog.messages
    assert named in text
    assert "as runs with another seed do" in text


@pytest.mark.parametrize(
    ("git", "printed", "commit"),
    [(None, "abc", None), ("/bin/false", "", None), ("/usr/bin/git", "abc", "abc")],
)
def test_the_commit_is_that_of_alrays_checkout(monkeypatch, git, printed, commit):
    done = subprocess.CompletedProcess([], 0, stdout=f"{printed}\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    monkeypatch.setattr(Path, "exists", lambda _: True)
    monkeypatch.setattr(shutil, "which", lambda _: git)
    assert machine.git_commit() == commit


def test_loading_what_is_no_study_or_did_not_end_is_refused(results, tmp_path):
    with pytest.raises(StoreError, match="holds no study"):
        load(tmp_path)
    (results / "study" / "summary.parquet").unlink()
    with pytest.raises(StoreError, match="has not been run to its end"):
        load(results / "study")
