"""Choosing from a pool in parts: what cannot work is refused by name, before reading if possible."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from alray.errors import PoolError, ScoreError, SpecError
from alray.labelling import choosing
from alray.labelling.choosing import choose_with
from alray.settings.common import ModelSpec
from alray.studies.choosing.trained import TrainedNetwork
from tests.helpers.choosing import (
    OBJECTS,
    chosen,
    labelled_objects,
    labels_of,
    table,
    trained_network,
    work_on,
    write,
)
from tests.helpers.pools_fixtures import vectors


@pytest.fixture(scope="module")
def network():
    return trained_network()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write(tmp_path_factory.mktemp("pool") / "pool.parquet", 7)


def refusal(kind, *args, **options):
    with pytest.raises(kind) as caught:
        chosen(*args, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("strategy", "reason"),
    [
        ("ideal_loss", "needs the labels of what it chooses from"),
        ("questions:alpf", "chooses questions, not objects"),
        ("margin:stochastic=softrank", "use stochastic=power or stochastic=softmax"),
        ("coreset", r"compares candidates with the labelled objects: give these too"),
        ("margins", "did you mean 'margin'"),
    ],
)
def test_strategies_that_cannot_choose_here_say_so(network, path, strategy, reason):
    assert reason in refusal(SpecError, path, network, strategy)


@pytest.fixture
def unread(monkeypatch):
    """Fail where a part is read."""
    monkeypatch.setattr(choosing, "choose_with", lambda *_: pytest.fail("the pool was read"))


OWN = "tests.helpers.own_modules:"


@pytest.mark.parametrize(
    ("strategy", "model", "reason"),
    [
        ("badge", {"name": f"{OWN}OwnNetwork"}, "badge: the strategy needs features"),
        ("alfa_mix", {"name": f"{OWN}OwnNetwork"}, "alfa_mix: the strategy needs features"),
        (f"{OWN}NeedsLastLayer", {"name": f"{OWN}OwnNetwork"}, "the last layer's weights"),
        ("learning_loss", {}, "learning_loss: the strategy needs predicted losses, and the"),
        ("product_margin", {"heads": "one"}, "the strategy needs several heads"),
        ("bald", {"name": f"{OWN}linear_network"}, "needs a network with dropout layers"),
    ],
)
@pytest.mark.usefixtures("unread")
def test_a_network_that_lacks_what_the_strategy_needs_is_refused_before_reading(
    path, strategy, model, reason
):
    network = trained_network(ModelSpec(**{"width": 16, **model}))
    text = refusal(SpecError, path, network, strategy, labelled=labelled_objects())
    assert reason in text
    assert text.endswith("; or choose by another strategy, such as margin")


@pytest.mark.usefixtures("unread")
def test_matrices_that_do_not_fit_are_refused_before_reading(network, path, monkeypatch):
    monkeypatch.setattr("alray.strategies.bait.MOST_BYTES", 1000)
    text = refusal(SpecError, path, network, "bait", labelled=labelled_objects())
    assert text.startswith("bait: the strategy holds six matrices of (classes x width)^2 numbers")


@pytest.mark.usefixtures("unread")
def test_weights_of_another_network_are_refused_before_reading(network, path):
    wider = dataclasses.replace(network, model=ModelSpec(width=17))
    text = refusal(SpecError, path, wider)
    assert "late_fusion: the weights of the trained network do not fit it (size mismatch" in text


def test_numbers_that_do_not_fit_are_named(network, path):
    assert "at least 1 object (got 0)" in refusal(SpecError, path, network, number=0)
    text = refusal(SpecError, path, network, "badge", 101)
    assert "shortlist: 100 objects are fewer than the 101 to choose" in text


def test_a_strategy_that_compares_says_what_it_has_compared(network, path):
    (note,) = chosen(path, network, "badge").notes
    assert note.startswith(
        "badge chose from a short list: the 100 objects with the smallest margins of all 630"
    )
    assert chosen(path, network, "badge", shortlist=630).notes == ()


def test_another_modality_or_size_than_the_network_takes_is_refused(network, tmp_path):
    path = write(tmp_path / "pool.parquet", 1, table(image=None))
    text = refusal(PoolError, path, network)
    assert "trained on the modality 'image', and this pool has text" in text
    assert "--modality image=COLUMN" in text
    lists = vectors([[1.0, 2.0]] * OBJECTS)
    text = refusal(PoolError, write(tmp_path / "fixed.parquet", 1, table(image=lists)), network)
    assert "column 'image' has 2 features, and the network was trained on 10 of 'image'" in text
    rows = [[1.0] * (9 if n == 333 else 10) for n in range(OBJECTS)]
    ragged = write(tmp_path / "ragged.parquet", 4, table(image=vectors(rows, size=None)))
    text = refusal(PoolError, ragged, network)
    assert "column 'image' has lists of [9] values" in text
    assert "object-333" in text


def test_features_that_are_no_numbers_are_refused_unless_they_cannot_be_chosen(network, tmp_path):
    rows = [[float("nan") if n in (5, 12, 40) else 1.0 + n] * 6 for n in range(OBJECTS)]
    path = write(tmp_path / "pool.parquet", 3, table(text=vectors(rows, size=6)))
    text = refusal(PoolError, path, network)
    assert f"{path}, row groups 0 to 2" not in text  # the whole file is one part
    assert "column 'text' has NaN" in text
    assert "in 2 objects: object-5, object-12;" in text  # object-40 has a label
    assert len(chosen(path, network, exclude=["object-5", "object-12"])) == 20


def test_objects_without_any_modality_are_refused_by_name(network, tmp_path):
    nothing = vectors([None if n in (3, 20) else [1.0 + n] * 6 for n in range(OBJECTS)], size=6)
    path = write(
        tmp_path / "pool.parquet", 3, table(text=nothing, image=vectors([None] * OBJECTS, size=10))
    )
    text = refusal(PoolError, path, network)
    assert "1 objects have no modality (all null in image, text): object-3;" in text


def test_features_that_are_far_from_those_of_training_are_refused(path):
    known = trained_network()
    half = TrainedNetwork(
        known.model, known.class_count, known.modalities, "float16", known.weights
    )
    for each in half.modalities:
        each.moments.deviation[:] = 1e-7
    text = refusal(PoolError, path, half)
    assert "standardised features lie outside float16's range in objects object-" in text


def test_a_network_whose_outputs_are_nan_is_refused(path):
    broken = trained_network()
    broken.weights["network.output.bias"][:] = np.nan
    text = refusal(ScoreError, path, broken)
    assert "scores are NaN" in text
    assert "try a smaller training.lr" in text


def test_ids_that_stand_for_several_objects_are_refused_where_they_are_chosen(network, tmp_path):
    folder = tmp_path / "twice"
    folder.mkdir()
    for name in "ab":
        write(folder / f"{name}.parquet", 1, table())
    text = refusal(PoolError, folder, network)
    assert "column 'id' holds 10 of the chosen ids more than once" in text


def test_a_file_that_is_gone_or_has_changed_is_named(network, tmp_path):
    path = write(tmp_path / "pool.parquet", 4)
    work = work_on(path, network)
    write(path, 5)
    with pytest.raises(PoolError, match="has changed since the choice began") as caught:
        choose_with(work)
    assert f"{path}: " in str(caught.value)
    assert "700 rows in 4 row groups, and now 700 rows in 5 row groups" in str(caught.value)
    work = work_on(path, network)
    path.unlink()
    with pytest.raises(
        PoolError, match=r"pool\.parquet: was there when the choice began, and is gone"
    ):
        choose_with(work)


def test_a_file_that_was_written_anew_with_as_many_rows_is_named(network, tmp_path):
    path = write(tmp_path / "pool.parquet", 4)
    work = work_on(path, network)
    write(path, 4, table(label=pa.array([*labels_of()[1:], None], pa.string())))
    with pytest.raises(PoolError, match="it was written anew"):
        choose_with(work)


def test_a_label_column_of_another_name_must_be_there(network, path):
    text = refusal(PoolError, {"source": str(path), "label": "topic"}, network)
    assert "no column 'topic'" in text


def test_a_classifier_of_scikit_learn_has_no_weights_to_keep():
    with pytest.raises(SpecError, match="is fitted in memory, and has no weights"):
        trained_network(ModelSpec(name="sklearn:sklearn.linear_model.LogisticRegression"))


@pytest.mark.parametrize("content", [b"", b"no safetensors at all"])
def test_a_file_that_is_no_network_is_refused(content, path, tmp_path):
    file = tmp_path / "network.safetensors"
    file.write_bytes(content)
    assert "network.safetensors: this is no file of a trained network" in refusal(
        SpecError, path, str(file)
    )
    assert "missing.safetensors" in refusal(SpecError, path, str(tmp_path / "missing.safetensors"))


def test_labelled_objects_must_fit_the_network(network, path):
    labelled = labelled_objects()
    fewer = type(labelled)(labelled.modalities[:1], labelled.labels)
    text = refusal(SpecError, path, network, "coreset", labelled=fewer)
    assert "labelled objects have the modalities image, and the network takes image, text" in text
