"""Sweeps whose network is a scikit-learn classifier: their records, and what a study keeps of where they come from."""

import json
import linecache
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from alray import api
from alray.custom.packages import require_same_packages
from alray.errors import SpecError, StoreError
from alray.networks.tensors import PoolTensors
from alray.reporting.api import report
from alray.studies.machine import installed_version
from alray.studies.sweep.experiment import Experiment
from tests.helpers.builders import make_pool, one_run
from tests.helpers.experiments import clock, complete
from tests.helpers.paths import local
from tests.helpers.studies import Recorder, assert_same_records, settings

LIBRARY, OWN = "sklearn:sklearn", "sklearn:tests.helpers.own_classifiers"
LINEAR = f"{LIBRARY}.linear_model.LogisticRegression"
BOOSTED = f"{LIBRARY}.ensemble.HistGradientBoostingClassifier"

MINE = """
from sklearn.linear_model import LogisticRegression

class Mine(LogisticRegression):
    def __init__(self, C=1.0, max_iter=100):
        super().__init__(C=C, max_iter=max_iter)
"""

SCRIPT = """
from sklearn.tree import DecisionTreeClassifier

tree = DecisionTreeClassifier()

def made():
    return DecisionTreeClassifier(max_depth=DEPTH)
"""


def study(pool, name=LINEAR, **changes):
    model = {"name": name, "options": changes.pop("options", {})}
    return settings(pool, **{"model": model, "training": {}, **changes})


@pytest.mark.usefixtures("round_by_round")
@pytest.mark.parametrize(
    ("name", "options"), [(LINEAR, {"C": 0.1}), (BOOSTED, {"max_iter": 2, "min_samples_leaf": 2})]
)
def test_an_interrupted_sweep_ends_with_the_records_of_an_undisturbed_one(
    pool, tmp_path, name, options
):
    wanted = study(pool, name, options=options, strategies=["random", "margin", "bald:members=2"])
    whole = api.sweep(wanted, results=tmp_path / "whole")
    for rounds in (1, 2):
        api.sweep({**wanted, "rounds": rounds}, results=tmp_path / "parts")
    observer = Recorder()
    assert_same_records(whole, api.sweep(wanted, results=tmp_path / "parts", observer=observer))
    assert {number for _, number in observer.of("progressed")} == {3, 4}
    assert set(whole.rounds["epochs"]) == {1}
    later = whole.rounds[whole.rounds["round"] > 0]
    assert (later["train_loss"] < 1.1).all(), "below the entropy of three classes"


def test_a_checkpoint_holds_no_estimator(pool):
    run = one_run(make_pool(), model={"name": LINEAR}, training={})
    _, states = complete(run, make_pool())
    assert all(len(state) < 2_000 for state in states)


def test_each_round_draws_anew_and_each_seed_otherwise(pool):
    tensors = PoolTensors(make_pool())
    run = one_run(
        tensors.pool, model={"name": f"{LIBRARY}.tree.DecisionTreeClassifier"}, training={}
    )
    seeds = set()
    for seed in (0, 1):
        running = Experiment(run.model_copy(update={"seed": seed}), tensors, clock())
        network: Any = running.learner.network
        for take in (running.passive, running.next_round):
            take()
            seeds.add(network._fitted.estimator.random_state)
    assert len(seeds) == 4


def test_an_absent_modalitys_values_change_nothing():
    """Rows that no object has, the last one among them, hold no numbers."""
    pool = make_pool(absent=0.4)
    run = one_run(pool, model={"name": LINEAR}, strategies=["bald:members=2"], training={})
    first = pool.modalities[0]
    nothing = np.full((2, first.dimension), np.nan, dtype=np.float32)
    longer = replace(first, features=np.vstack([nothing[:1], first.features, nothing[1:]]))
    longer = replace(longer, rows=np.where(first.rows < 0, -1, first.rows + 1))
    other = replace(pool, modalities=(longer, *pool.modalities[1:]))
    found, expected = complete(run, other)[0], complete(run, pool)[0]
    assert [each.indices.tolist() for each in found] == [
        each.indices.tolist() for each in expected
    ]
    assert [each.record["nll"] for each in found] == [each.record["nll"] for each in expected]


def test_the_manifest_and_the_runs_name_the_version(pool, tmp_path):
    vary = {"model.name": [LINEAR, "late_fusion"]}
    found = api.sweep(study(pool, vary=vary, rounds=1), results=tmp_path)
    manifest = json.loads((local(found.path) / "manifest.json").read_text())
    version = installed_version("scikit-learn")
    assert manifest["versions"]["scikit-learn"] == version
    named = found.runs["software"].str.contains(f"scikit-learn {version}")
    assert named.tolist() == (found.runs["variant"] == "").tolist()
    assert named.sum() == 1
    plain = api.sweep(settings(pool, rounds=1), results=tmp_path / "plain")
    assert (
        "scikit-learn"
        not in json.loads((local(plain.path) / "manifest.json").read_text())["versions"]
    )


def test_what_clusters_names_the_version_too(pool, tmp_path):
    vary = {"initial_selection": ["random", "stratified"]}
    found = api.sweep(
        settings(pool, rounds=1, vary=vary, strategies=["random", "typiclust:clusters=3"]),
        results=tmp_path,
    )
    named = found.runs["software"].str.contains("scikit-learn")
    clusters = (found.runs["variant"] != "") | found.runs["strategy"].str.startswith("typiclust")
    assert named.tolist() == clusters.tolist()
    assert named.sum() == 3


def test_another_version_is_told_and_refused_on_another_node(pool, tmp_path, caplog):
    wanted = study(pool, rounds=1)
    path = local(api.sweep(wanted, results=tmp_path).path) / "manifest.json"
    content = json.loads(path.read_text())
    content["versions"]["scikit-learn"] = "0.1"
    path.write_text(json.dumps(content))
    api.sweep({**wanted, "seeds": 2}, results=tmp_path)
    assert "scikit-learn 0.1, here" in caplog.text
    code = api.plan_sweep(wanted).code
    require_same_packages(code)
    with pytest.raises(
        SpecError, match=r"this node has scikit-learn .* started the study 0.1: install"
    ):
        require_same_packages(replace(code, versions={"scikit-learn": "0.1"}))


def test_the_source_of_a_class_of_ones_own_is_part_of_its_runs(pool, folder, tmp_path):
    file = folder / "mine.py"
    file.write_text(MINE)
    wanted = study(pool, "sklearn:mine.Mine", rounds=1)
    (run,) = api.plan_sweep(wanted).runs
    assert run.model_code
    (of_library,) = api.plan_sweep(study(pool)).runs
    assert of_library.model_code is None
    api.sweep(wanted, results=tmp_path)
    file.write_text(MINE + "\n# changed\n")
    with pytest.raises(StoreError, match=r"mine\.py has changed since"):
        api.sweep({**wanted, "seeds": 2}, results=tmp_path)
    (after,) = api.plan_sweep(wanted).runs
    assert after.run_id != run.run_id
    assert after.passive_id != run.passive_id


def test_a_fit_that_fails_later_fails_its_run_alone_and_says_where(pool, tmp_path):
    vary = {"model.name": [f"{OWN}.TooMany", LINEAR]}
    runs = api.sweep(study(pool, vary=vary), results=tmp_path).runs
    assert sorted(runs["status"]) == ["failed", "finished"]
    (error,) = runs["error"][runs["status"] == "failed"]
    assert (
        "TooMany' raised ArithmeticError: too many labels, when it was fitted on 25 objects"
        in error
    )
    assert "own_classifiers.py, line" in error


def test_no_warning_of_a_run_is_shown(pool, tmp_path, recwarn):
    found = api.sweep(study(pool, f"{OWN}.Complaining", strategies=["bald"]), results=tmp_path)
    assert found.runs["status"].tolist() == ["finished"]
    assert not recwarn.list


def test_a_class_can_be_given_as_it_is(pool, tmp_path):
    assert (
        api.plan_sweep(settings(pool, model=LogisticRegression, training={})).study.model.name
        == LINEAR
    )
    model = {"name": DecisionTreeClassifier, "options": {"max_depth": 2}}
    planned = api.plan_sweep(settings(pool, model=model, training={}))
    assert planned.study.model.name == f"{LIBRARY}.tree.DecisionTreeClassifier"
    with pytest.raises(
        SpecError, match="LogisticRegression is an object, and every round fits a fresh one: give"
    ):
        api.plan_sweep(settings(pool, model=LogisticRegression(), training={}))


def test_a_page_says_how_it_is_fitted(pool, tmp_path):
    found = api.sweep(study(pool, options={"C": 0.1}, rounds=1), results=tmp_path)
    page = local(report(found.path).page).read_text()
    assert f"{LINEAR}, C 0.1" in page
    assert "a fresh classifier on all labels in each round" in page
    assert "Adam" not in page


def test_an_object_of_a_script_is_refused_and_what_a_function_returns_is_known_by_its_source(
    pool, tmp_path, monkeypatch
):
    """The digest of an object would be the same whatever its options are."""
    main = sys.modules["__main__"]
    script = tmp_path / "script.py"
    namespace: dict[str, Any] = {"__name__": "__main__"}
    monkeypatch.setattr(main, "__file__", str(script), raising=False)
    digests = set()
    for depth in (2, 3):
        source = SCRIPT.replace("DEPTH", str(depth))
        script.write_text(source)
        linecache.checkcache(str(script))
        exec(compile(source, str(script), "exec"), namespace)
        for name in ("tree", "made", "DecisionTreeClassifier"):
            monkeypatch.setattr(main, name, namespace[name], raising=False)
        (run,) = api.plan_sweep(study(pool, "sklearn:__main__.made")).runs
        digests.add(run.model_code)
    assert len(digests) == 2
    with pytest.raises(SpecError, match=r"object of this program.*return it from a function"):
        api.plan_sweep(study(pool, "sklearn:__main__.tree"))
