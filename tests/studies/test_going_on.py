"""A study that lies in its folder goes on under the defaults that it was begun with."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typing_extensions import override

from alray import api
from alray.analysis.correlation import summary
from alray.errors import StoreError
from alray.pools.builtin import BUILTIN_POOLS, BuiltinPool
from alray.settings import former
from alray.settings.base import with_values
from alray.settings.common import TrainingSpec
from alray.settings.correlation import CorrelationSpec
from alray.settings.sweep import SweepSpec
from alray.strategies import STRATEGIES
from alray.strategies.committee import Bald
from alray.studies.correlation.store import CorrelationStore
from alray.studies.sweep.results import load
from tests.helpers.command import alray
from tests.helpers.correlation_studies import quick_settings
from tests.helpers.studies import Recorder, assert_same_records, files, settings, write_pool

NEW = {"training.patience": 12, "metric_split": "validation"}
OLD = {"training.patience": 10, "metric_split": "test"}


@pytest.fixture
def new_defaults(monkeypatch):
    """Change two defaults, one of them within a section."""

    def rebuild():
        TrainingSpec.model_rebuild(force=True)
        SweepSpec.model_rebuild(force=True)

    with monkeypatch.context() as patch:
        patch.setattr(former, "FORMER", {**OLD, "training.not_there_yet": 1})
        patch.setattr(TrainingSpec.model_fields["patience"], "default", 12)
        patch.setattr(SweepSpec.model_fields["metric_split"], "default", "validation")
        patch.setattr(SweepSpec.model_fields["training"], "default", TrainingSpec(patience=12))
        SweepSpec.model_fields["training"].default.__pydantic_fields_set__.clear()
        rebuild()
        assert SweepSpec().training.patience == 12
        yield
    rebuild()
    assert SweepSpec().metric_split == "test"


@pytest.fixture(params=["recorded", "older than the settings"])
def results(request, undisturbed, tmp_path):
    """Return the results folder of a copy of a finished study, with its settings on record or without these."""
    copy = shutil.copytree(undisturbed.path.parent, tmp_path / "results")
    path = copy / "study" / "study.yaml"
    record = yaml.safe_load(path.read_text())
    if request.param != "recorded":
        del record["metric_split"], record["training"]["patience"]
    path.write_text(yaml.safe_dump(record))
    return copy


@pytest.mark.usefixtures("new_defaults")
def test_a_study_goes_on_under_its_former_defaults(undisturbed, pool, results, caplog):
    study, observer = settings(pool), Recorder()
    assert api.runs_on_record(api.plan_sweep(study, results=results), results) == 1
    caplog.clear()
    found = api.sweep(study, results=results, observer=observer)
    assert not observer.of("progressed")
    assert_same_records(undisturbed, found)
    assert (found.settings.metric_split, found.settings.training.patience) == ("test", 10)
    assert [record.message for record in caplog.records if "was begun with" in record.message] == [
        f"{results / 'study'} was begun with training.patience: 10 (the default is now 12), metric_split: test (the "
        "default is now validation); it goes on with that. For the new defaults give the study another --name, or "
        "throw that one away with --fresh"
    ]
    added = api.sweep(study, seeds=2, results=results)
    assert added.runs["status"].tolist() == ["finished"] * 2


@pytest.mark.usefixtures("new_defaults")
def test_an_older_study_is_read_with_its_former_defaults(results):
    assert load(results / "study").settings.training.patience == 10


@pytest.mark.usefixtures("new_defaults")
@pytest.mark.parametrize("given", [{}, {"query": 5}])
def test_a_study_that_begins_has_the_new_defaults(pool, results, given):
    """Also one that is given as settings, in another folder, or afresh."""
    study = SweepSpec.model_validate(settings(pool))
    for changes in ({"results": None}, {"results": results, "name": "other"}):
        spec = api.plan_sweep(study, **changes, **given).study
        assert (spec.metric_split, spec.training.patience) == ("validation", 12)
    kept = api.plan_sweep(study, results=results, **given).study
    assert (kept.metric_split, kept.training.patience) == ("test", 10)


@pytest.mark.usefixtures("new_defaults")
@pytest.mark.parametrize("given", [{"metric_split": "validation"}, {"training": {"patience": 12}}])
def test_a_setting_that_is_given_is_compared(pool, results, given):
    with pytest.raises(
        StoreError, match=f"holds a study with other settings:\n  {'.*'.join(given)}"
    ):
        api.sweep(settings(pool), results=results, **given)


@pytest.mark.usefixtures("new_defaults")
def test_a_dry_run_says_what_a_study_goes_on_with(pool, results, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(settings(pool)))
    done = alray("sweep", str(path), "--dry-run", "--results", str(results))
    assert done.exit_code == 0
    assert "metric_split: test (the default is now validation)" in " ".join(done.stderr.split())
    assert "goes on there: 1 of 1 run finished" in done.stdout
    afresh = alray("sweep", str(path), "--dry-run", "--fresh", "--results", str(results))
    assert "was begun with" not in afresh.stderr


def test_a_correlation_study_goes_on_too(correlated, pool, monkeypatch, tmp_path):
    """Nothing is done again, its conclusions included, though its record lacks a setting."""
    results = shutil.copytree(correlated.path.parent, tmp_path / "results")
    store = CorrelationStore(results / correlated.path.name)
    record = store.read_study()
    del record["training"]["patience"]
    with store:
        store.write_study(record)
    monkeypatch.setattr(former, "FORMER", {"training.patience": 10})
    monkeypatch.setattr(summary, "summarise", None)
    found = api.correlate(quick_settings(pool), results=results)
    assert found.settings == correlated.settings


def test_a_correlation_study_keeps_the_protocol_that_it_was_begun_with(
    correlated, pool, tmp_path, caplog
):
    results = shutil.copytree(correlated.path.parent, tmp_path / "results")
    protocol = ("bases", "fine_tune_seeds", "grouping", "epochs", "replay")
    given = {key: value for key, value in quick_settings(pool).items() if key not in protocol}
    spec = api.plan_correlation(given, results=results).spec
    assert [getattr(spec, name) for name in protocol] == [
        getattr(correlated.settings, name) for name in protocol
    ]
    assert "replay: none (the default is now initial)" in caplog.text
    usual = api.plan_correlation(given).spec
    assert [getattr(usual, name) for name in protocol] == [
        getattr(CorrelationSpec(), name) for name in protocol
    ]


@dataclass(frozen=True)
class _OwnPool(BuiltinPool):
    file: Path = Path()

    @property
    @override
    def path(self):
        return self.file


@pytest.fixture
def grouped(tmp_path, monkeypatch):
    """Return settings of a built-in pool that names the column of its groups."""
    path = write_pool(tmp_path / "small.parquet", concept=[f"c{i // 2}" for i in range(200)])
    own = _OwnPool("small", "a small pool", "none", {"group_by": "concept"}, path)
    monkeypatch.setitem(BUILTIN_POOLS, "small", own)
    return settings(Path("small"), rounds=0)


def test_a_built_in_pool_has_settings_of_its_own(grouped, tmp_path):
    """Those that are given take precedence, none included; and a study that was begun without them goes on so."""
    assert api.plan_sweep(grouped).study.pool.group_by == "concept"
    ungrouped = with_values(SweepSpec.model_validate(grouped), {"pool.group_by": None}, "here")
    plan = api.plan_sweep(ungrouped)
    assert plan.pool.groups is None
    assert plan.study.pool.group_by is None
    api.sweep(ungrouped, results=tmp_path)
    assert api.plan_sweep(grouped, results=tmp_path).study.pool.group_by is None
    done = alray(
        "sweep",
        "small",
        "--dry-run",
        "--initial",
        "20",
        "--rounds",
        "0",
        "--results",
        str(tmp_path),
    )
    assert "objects of equal concept in one part" in " ".join(done.stdout.split())


def test_the_icons_are_grouped_by_their_words():
    assert BUILTIN_POOLS["icons"].settings == {"group_by": "words"}


def test_a_strategys_changed_default_is_refused_before_anything_runs(pool, tmp_path, monkeypatch):
    """Its runs would have other names, and one arm would hold runs of both."""

    @dataclass(frozen=True)
    class Newer(Bald):
        members: int = 3

    spec = settings(pool, strategies=["random", "bald"], rounds=1, seeds=[0])
    study = api.sweep(spec, results=tmp_path)
    before = files(study.path)
    run_id = study.runs.set_index("arm")["run_id"]["bald"]
    monkeypatch.setitem(STRATEGIES, "bald", Newer)
    with pytest.raises(StoreError) as error:
        api.sweep({**spec, "seeds": [0, 1]}, results=tmp_path)
    assert str(error.value).startswith(
        f"{study.path} holds arm 'bald' with seed 0 as run {run_id}, "
    )
    assert str(error.value).endswith("another --name, or throw that one away with --fresh")
    assert files(study.path) == before
    again = api.sweep(spec, results=tmp_path, fresh=True)
    assert again.runs.set_index("arm")["run_id"]["bald"] != run_id
