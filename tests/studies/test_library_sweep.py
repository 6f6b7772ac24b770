"""Sweeps with strategies of another library: their records, and what a study keeps of where they come from."""

import json
import warnings
from dataclasses import replace

import pytest

from alray import api
from alray.custom.packages import require_same_packages
from alray.errors import SpecError, StoreError
from alray.strategies.libraries import classes
from alray.studies.machine import installed_version
from tests.helpers.paths import local
from tests.helpers.studies import assert_same_records, settings

pytest.importorskip("skactiveml", reason="needs scikit-activeml")
STRATEGIES = ["random", "skactiveml:TypiClust", "skactiveml:Badge", "skactiveml:Falcun:gamma=3"]


@pytest.mark.usefixtures("round_by_round")
def test_an_interrupted_sweep_ends_with_the_records_of_an_undisturbed_one(pool, tmp_path):
    wanted = settings(pool, strategies=STRATEGIES)
    whole = api.sweep(wanted, results=tmp_path / "whole")
    assert set(whole.runs["status"]) == {"finished"}
    for rounds in (1, 2):
        api.sweep({**wanted, "rounds": rounds}, results=tmp_path / "parts")
    assert_same_records(whole, api.sweep(wanted, results=tmp_path / "parts"))


def test_the_manifest_and_the_runs_name_the_versions(pool, tmp_path):
    found = api.sweep(settings(pool, rounds=1, strategies=STRATEGIES), results=tmp_path)
    manifest = json.loads((local(found.path) / "manifest.json").read_text())
    for package in ("scikit-activeml", "scikit-learn"):
        version = installed_version(package)
        assert manifest["versions"][package] == version
        named = found.runs["software"].str.contains(f"{package} {version}")
        assert named.tolist() == found.runs["strategy"].str.contains("skactiveml").tolist()
    code = api.plan_sweep(settings(pool, rounds=1, strategies=STRATEGIES)).code
    require_same_packages(code)
    with pytest.raises(
        SpecError, match=r"this node has scikit-activeml .*started the study 0.1: install"
    ):
        require_same_packages(replace(code, versions={"scikit-activeml": "0.1"}))


def test_another_version_is_another_run_and_does_not_go_on(pool, tmp_path, monkeypatch):
    wanted = settings(pool, rounds=1, strategies=["random", "skactiveml:TypiClust"])
    before = api.plan_sweep(wanted).runs
    api.sweep(wanted, results=tmp_path)
    monkeypatch.setattr(classes, "version", lambda _: "99.0")
    after = api.plan_sweep(wanted).runs
    assert [one.run_id == other.run_id for one, other in zip(before, after, strict=True)] == [
        True,
        False,
    ]
    with pytest.raises(StoreError, match="scikit-activeml has changed since"):
        api.sweep({**wanted, "seeds": 2}, results=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("skactiveml:TypiClust:k=-1", "TypiClust .*raised .*`k`= -1, must be >= 1"),
        ("skactiveml:Quire", "180 .*|--candidates"),
    ],
)
def test_what_can_only_fail_does_so_while_the_study_is_planned(pool, monkeypatch, text, message):
    known = replace(classes.strategy_class("skactiveml:Quire").known, most=50)
    monkeypatch.setattr(classes.strategy_class("skactiveml:Quire"), "known", known)
    with pytest.raises(SpecError, match=message):
        api.plan_sweep(settings(pool, strategies=[text]))


def test_a_network_without_features_is_refused_and_the_pools_own_will_do(pool):
    network = {"name": "sklearn:sklearn.linear_model.LogisticRegression"}
    wanted = settings(pool, model=network, training={}, strategies=["skactiveml:Badge"])
    with pytest.raises(SpecError, match="needs features, the input of the last layer"):
        api.plan_sweep(wanted)
    assert api.plan_sweep({**wanted, "strategies": ["skactiveml:Badge:features=pool"]}).runs


def test_what_the_library_warns_of_is_told_once_while_the_study_is_planned(
    pool, tmp_path, caplog, recwarn, monkeypatch
):
    kind = classes.strategy_class("skactiveml:RandomSampling").kind
    query = kind.query

    def warning(*values, **named):
        warnings.warn("the radius is too large", UserWarning, stacklevel=2)
        warnings.warn("a name will change", FutureWarning, stacklevel=2)
        return query(*values, **named)

    monkeypatch.setattr(kind, "query", warning)
    api.sweep(settings(pool, strategies=["skactiveml:RandomSampling"]), results=tmp_path)
    (told,) = (line for line in caplog.messages if "skactiveml:RandomSampling" in line)
    assert told.endswith("warns in a trial round: the radius is too large")
    assert not recwarn.list


def test_random_choice_of_the_library_is_paired_with_alrays(pool, tmp_path):
    """Both arms have the same split, initial labels and weights: round 0 is the same."""
    study = settings(pool, strategies=["random", "skactiveml:RandomSampling"], rounds=1)
    found = api.sweep(study, results=tmp_path)
    first = found.rounds[found.rounds["round"] == 0]
    assert first["nll"].nunique() == 1
    assert found.rounds["nll"].nunique() == 3
