"""Labels that are likely wrong: planted ones are found, right ones are few, and nothing is judged by its own label."""

from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest

import alray
from alray.errors import PoolError, SpecError
from alray.networks.tensors import PoolTensors
from alray.settings.suspects import SuspectsSpec
from alray.studies.suspects import confident, finding
from alray.studies.suspects.fits import out_of_sample, without_fold
from alray.studies.suspects.planting import planted_labels
from alray.studies.suspects.preparing import prepare
from tests.helpers.faulty_networks import faulty
from tests.helpers.pools_fixtures import parquet
from tests.helpers.studies import write_pool

SETTINGS: dict[str, Any] = {
    "model": {"width": 16},
    "training": {"passive_epochs": 12, "lr": 0.01},
    "folds": 3,
}
needs_cleanlab = pytest.mark.skipif(
    find_spec("cleanlab") is None, reason="cleanlab is not installed"
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return the file of a pool whose labels are all right and easily told apart, and of which 15 are made wrong."""
    return write_pool(tmp_path_factory.mktemp("pool") / "posts.parquet", objects=300)


@pytest.fixture(scope="module")
def spec(source):
    return SuspectsSpec.model_validate({"pool": {"source": str(source)}, **SETTINGS})


@pytest.fixture(scope="module")
def task(spec):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confident, "find_spec", lambda _: True)
        return prepare(spec)


@pytest.fixture(scope="module")
def found(source):
    pytest.importorskip("cleanlab", reason="cleanlab is not installed")
    return alray.suspects(pool=source, plant=15, **SETTINGS)


def test_of_right_labels_few_are_suspect_and_of_planted_ones_most(found):
    assert len(found.table) == 300
    assert found.count <= 0.05 * 300
    planted = found.planted
    assert planted.labels == 15
    assert planted.found >= 11
    assert planted.first >= 11
    assert planted.suspects - planted.found <= 15


def test_the_table_has_the_documented_columns_suspects_first(found):
    table = found.table
    assert list(table) == list(finding.SUSPECT_COLUMNS)
    assert table["rank"].tolist() == list(range(1, 301))
    assert table["suspect"].tolist() == sorted(table["suspect"], reverse=True)
    for _, part in table.groupby("suspect"):
        assert part["self_confidence"].is_monotonic_increasing
    assert (table["label"] != table["suggested"]).all()
    suspects = table[table["suspect"]]
    assert (suspects["suggested_confidence"] > suspects["self_confidence"]).all()
    by_hand = (table["self_confidence"] - table["suggested_confidence"] + 1) / 2
    assert table["margin"].to_numpy() == pytest.approx(by_hand.to_numpy())


def test_the_same_settings_give_the_same_table(found, source):
    again = alray.suspects(pool=source, **SETTINGS)
    pd.testing.assert_frame_equal(again.table, found.table, check_exact=True)
    assert again.planted is None


def test_no_object_is_predicted_by_a_network_that_has_learned_its_label(task):
    """Another label of an object changes what is predicted of other folds, and nothing of its own."""
    labels, classes = task.pool.labels, len(task.pool.classes)
    changed = labels.copy()
    own = task.folds == 1
    changed[own] = (changed[own] + 1) % classes
    spec = task.spec.model_copy(
        update={"training": task.spec.training.model_copy(update={"passive_epochs": 1})}
    )
    before, after = (
        out_of_sample(spec, task.modalities, each, classes, task.folds, finding._nobody)
        for each in (labels, changed)
    )
    assert np.array_equal(before[own], after[own])
    for fold in (0, 2):
        assert not np.array_equal(before[task.folds == fold], after[task.folds == fold])
    assert before.sum(1) == pytest.approx(1.0)


@pytest.mark.parametrize("errors", ["structured", "uniform"])
def test_planted_labels_are_wrong_as_many_and_what_they_should_become(task, errors):
    spec = task.spec.model_copy(update={"plant": 60, "plant_errors": errors})
    labels, classes = task.pool.labels, 3
    # Class 2 is far from both others, which are near to each other.
    modalities = []
    for modality in task.modalities:
        features = np.array(modality.features)
        of_rows = np.empty(len(features), int)
        of_rows[modality.rows[modality.present]] = labels[modality.present]
        features[:] = np.array([0.0, 0.1, 9.0])[of_rows][:, None]
        modalities.append(replace(modality, features=features))
    view = PoolTensors(without_fold(modalities, labels, classes, task.folds, 0))
    among = np.flatnonzero(labels != 2)
    wrong, chosen = planted_labels(spec, view, among, np.random.default_rng(0))
    assert len(chosen) == 60
    assert np.flatnonzero(wrong != labels).tolist() == chosen.tolist()
    assert set(chosen) <= set(among)
    far = (wrong[chosen] == 2).mean()
    assert far < 0.1 if errors == "structured" else 0.3 < far < 0.7


def test_progress_counts_up_to_all_epochs_of_both_passes(task, monkeypatch):
    monkeypatch.setattr(finding, "judge", _judge)
    seen = []
    update = {"training": task.spec.training.model_copy(update={"passive_epochs": 2}), "plant": 5}
    spec = task.spec.model_copy(update=update)
    finding.judged(replace(task, spec=spec), lambda done, total: seen.append((done, total)))
    assert {total for _, total in seen} == {12}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (12, 12)


def _judge(labels, probabilities):
    """Stand in for cleanlab, which need not be installed: suspect is what the network says otherwise."""
    own = probabilities[np.arange(len(labels)), labels]
    return confident.Judgement(probabilities.argmax(1) != labels, own, own)


def test_labels_of_a_class_that_one_fold_has_are_counted_and_not_judged(task, monkeypatch):
    monkeypatch.setattr(finding, "judge", _judge)
    at = task.folds != 0
    update = {"training": task.spec.training.model_copy(update={"passive_epochs": 1})}
    part = replace(task, judged=at, spec=task.spec.model_copy(update=update))
    result = finding.judged(part, finding._nobody)
    assert result.not_judged == (~at).sum() == 100
    assert set(result.table["id"]) == set(task.pool.ids[at])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"training": {"stopping": "held_out"}}, "held_out would stop by the labels"),
        ({"training": {"mode": "scratch"}}, "training.mode has no effect here"),
        ({"training": {"round_epochs": 3}}, "training.round_epochs has no effect here"),
        ({"folds": 1}, "folds: .*greater than or equal to 2"),
        ({"fold": 3}, "did you mean 'folds'"),
        ({"plant": 200}, "plant = 200 of the 300 labels .* use --plant 15"),
        ({"model": {"name": "linear", "width": 7}}, "has no effect on model linear"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_fit(source, changes, text, monkeypatch):
    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    monkeypatch.setattr(finding, "out_of_sample", None)
    with pytest.raises(SpecError, match=text):
        alray.suspects({"pool": {"source": str(source)}, **changes})


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """Return settings for 40 objects in two folds: of 20 labels a fit holds two out, and learns from 18."""
    source = write_pool(tmp_path_factory.mktemp("halves") / "posts.parquet", objects=40)
    return {"pool": {"source": str(source)}, "model": faulty("norm"), "folds": 2}


@pytest.mark.parametrize("batch_size", [9, 18, 19])
def test_batches_of_several_objects_are_taken(halves, monkeypatch, batch_size):
    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    fixed = {"batch_rule": "fixed", "batch_size": batch_size, "passive_epochs": 1}
    task = prepare(SuspectsSpec.model_validate({**halves, "training": fixed}))
    predicted = out_of_sample(
        task.spec, task.modalities, task.pool.labels, 3, task.folds, lambda *_: None
    )
    assert np.isfinite(predicted).all()


def test_batches_of_one_object_are_refused_before_any_fit(halves, monkeypatch):
    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    monkeypatch.setattr(finding, "out_of_sample", None)
    fixed = {"batch_rule": "fixed", "batch_size": 17}
    with pytest.raises(SpecError, match=r"more than 1 value.*have one object"):
        alray.suspects({**halves, "training": fixed})


@pytest.mark.parametrize(
    ("labels", "settings", "error", "text"),
    [
        (list("aaabbb"), {"folds": 7}, SpecError, "folds = 7, and its objects fill 6 of them"),
        (list("abcdef"), {"folds": 2}, PoolError, "no label can be judged"),
    ],
)
def test_a_pool_that_is_too_small_is_refused(tmp_path, monkeypatch, labels, settings, error, text):
    monkeypatch.setattr(confident, "find_spec", lambda _: True)
    with pytest.raises(error, match=text):
        alray.suspects(pool=parquet(tmp_path, label=labels), **settings)


def test_without_cleanlab_the_command_that_installs_it_is_named(source, monkeypatch):
    monkeypatch.setattr(confident, "find_spec", lambda _: None)
    with pytest.raises(SpecError, match=r'pip install "alray\[cleanlab\]"'):
        alray.suspects(pool=source)


@needs_cleanlab
def test_a_suspect_is_what_confident_learning_counts():
    """By hand: thresholds are the means of the labels' own probabilities, .7 and .7."""
    probabilities = np.array(
        [[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.1, 0.9], [0.1, 0.9], [0.7, 0.3]]
    )
    judged = confident.judge(np.array([0, 0, 0, 1, 1, 1]), probabilities)
    assert judged.suspect.tolist() == [False, False, True, False, False, True]
    assert judged.self_confidence.tolist() == [0.9, 0.9, 0.3, 0.9, 0.9, 0.3]
    assert judged.margin == pytest.approx([0.9, 0.9, 0.3, 0.9, 0.9, 0.3])
