"""Choosing from a pool in parts: the same objects however it is cut, those that the engine in memory finds."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from alray.errors import PoolError
from alray.labelling.choosing import choose_with
from alray.networks.generators import torch_generator
from alray.networks.tensors import PoolTensors
from alray.pools import reading_parts
from alray.pools.slices import Slice
from alray.scoring import engine
from alray.seeding import torch_seed
from alray.settings.common import ModelSpec
from alray.strategies import ScoreStrategy, parse
from alray.studies.choosing.rule import ChoiceSeed
from alray.studies.choosing.scoring import SliceScorer
from alray.studies.choosing.trained import TrainedNetwork
from tests.helpers.choosing import (
    OBJECTS,
    as_modality,
    chosen,
    features,
    ids,
    labelled_objects,
    labels_of,
    same,
    table,
    trained_network,
    work_on,
    write,
)


@pytest.fixture(scope="module")
def network():
    return trained_network()


@pytest.fixture(scope="module")
def cuts(tmp_path_factory):
    """Return one pool in 1, 7 and 100 row groups."""
    folder = tmp_path_factory.mktemp("cuts")
    return [write(folder / f"{groups}.parquet", groups) for groups in (1, 7, 100)]


def unlabelled():
    return np.array([n for n, label in enumerate(labels_of()) if label is None])


def scoring(text) -> ScoreStrategy:
    strategy = parse(text)
    assert isinstance(strategy, ScoreStrategy)
    return strategy


def scores_in_memory(network, strategy, objects):
    """Return the scores of these objects by the engine, the whole pool being in memory."""
    modalities = [as_modality(name, values) for name, values in features().items()]
    pool = PoolTensors(network.prepare(modalities, np.arange(OBJECTS).astype(object)))
    built, predictor = network.build(pool.device)
    masks = torch_generator(torch_seed(0, 0, "committee"))
    return engine.scores_of(strategy, built, pool, objects, masks, predictor)


@pytest.mark.parametrize(
    "strategy",
    [
        "margin",
        "bald:members=3",
        "random",
        "entropy:stochastic=softmax:beta=9",
        "badge",
        "coreset",
    ],
)
def test_how_a_pool_is_cut_changes_nothing(network, cuts, strategy, monkeypatch):
    labelled = labelled_objects()
    whole, *others = [chosen(cut, network, strategy, labelled=labelled) for cut in cuts]
    assert len(set(ids(whole))) == len(whole) == 20
    part_by_part = choose_with(work_on(cuts[1], network, strategy, labelled=labelled))
    monkeypatch.setattr(reading_parts, "SLICE_STEP", 256)
    monkeypatch.setattr(reading_parts, "SLICE_BYTES", 1)
    slice_by_slice = chosen(cuts[0], network, strategy, labelled=labelled)
    for other in (*others, part_by_part, slice_by_slice):
        assert same(whole, other)
        assert whole.rows.tolist() == other.rows.tolist()


@pytest.mark.parametrize("strategy", ["margin", "bald:members=3", "product_margin"])
def test_scores_are_those_of_the_engine_on_the_pool_in_memory_to_the_bit(
    network, cuts, strategy, products
):
    found = chosen(cuts[1], network, strategy)
    rule, objects = scoring(strategy), unlabelled()
    scores = scores_in_memory(network, rule, objects)
    order = np.argsort(-scores if rule.largest else scores)[:20]
    assert ids(found) == [f"object-{n}" for n in objects[order]]
    assert found.scores.tolist() == scores[order].tolist()


def test_a_modality_may_be_absent_from_a_whole_part(network, cuts, tmp_path):
    values = features()
    lists = [None if n % 5 == 0 or n < 350 else values["image"][n] for n in range(OBJECTS)]
    content = table(image=pa.array(lists, pa.list_(pa.float32(), 10)))
    content = content.take(
        np.flatnonzero((np.arange(OBJECTS) % 5 != 1) | (np.arange(OBJECTS) > 349))
    )
    whole = chosen(write(tmp_path / "1.parquet", 1, content), network, number=600)
    in_parts = choose_with(work_on(write(tmp_path / "9.parquet", 9, content), network, number=600))
    assert same(whole, in_parts)
    assert whole.counts.candidates == len(whole) < 600


@pytest.mark.parametrize(
    ("model", "strategy"),
    [("linear", "margin"), ("tests.helpers.own_modules:OwnNetwork", "bald:members=3")],
)
def test_a_score_does_not_depend_on_what_is_read_with_it(model, strategy):
    own = trained_network(ModelSpec(name=model))
    scorer = SliceScorer(own, scoring(strategy), ChoiceSeed(), torch.device("cpu"))
    modalities = tuple(as_modality(name, values) for name, values in features().items())
    whole = Slice(np.arange(OBJECTS).astype(object), np.arange(OBJECTS), modalities)
    scores = scorer.scores(whole)
    for size in (1, 2, 3, 17, 100, 333):
        some = np.arange(50, 50 + size)
        assert scorer.scores(whole.some(some)).tolist() == scores[some].tolist()


def test_equal_scores_are_in_an_order_of_the_ids_alone(network, tmp_path, cuts):
    constant = replace(network, weights={k: np.zeros_like(v) for k, v in network.weights.items()})
    found = chosen(cuts[2], constant, "margin", 30)
    assert set(found.scores) == {0.0}
    assert ids(found) == ids(chosen(cuts[0], constant, "random", 30))
    assert ids(found) != ids(chosen(cuts[0], constant, "margin", 30, seed=1))
    assert ids(found) != [f"object-{n}" for n in unlabelled()[:30]]
    turned = table().take(np.arange(OBJECTS)[::-1])
    assert same(
        found, chosen(write(tmp_path / "turned.parquet", 5, turned), constant, "margin", 30)
    )


def test_objects_with_a_label_and_excluded_ones_are_not_chosen(network, cuts):
    everything = chosen(cuts[1], network, number=OBJECTS)
    assert sorted(ids(everything)) == sorted(f"object-{n}" for n in unlabelled())
    best, counts = ids(everything), everything.counts
    assert (counts.rows, counts.labelled, counts.excluded) == (OBJECTS, 70, 0)
    assert "700 objects were asked for, and 630 can be chosen: all are" in everything.notes[0]
    by_ids = chosen(cuts[2], network, exclude=set(best[:10]))
    assert ids(by_ids) == best[10:30]
    assert by_ids.counts.excluded == 10
    by_rule = chosen(cuts[2], network, exclude=lambda each: np.isin(each, best[:10]))
    assert same(by_ids, by_rule)


def test_where_nothing_can_be_chosen_the_reason_is_given(network, cuts):
    with pytest.raises(PoolError, match="of 700 rows 70 have a label, and 630 are excluded"):
        chosen(cuts[1], network, exclude=[f"object-{n}" for n in range(OBJECTS)])


@pytest.mark.parametrize("labels", [None, pa.nulls(OBJECTS), pa.array([""] * OBJECTS)])
def test_without_labels_all_objects_can_be_chosen(network, tmp_path, labels):
    path = write(tmp_path / "pool.parquet", 3, table(label=labels))
    assert chosen(path, network).counts.candidates == OBJECTS


def test_without_ids_these_are_the_numbers_of_the_rows(network, tmp_path):
    whole = table(id=None)
    one = chosen(write(tmp_path / "one.parquet", 4, whole), network)
    assert ids(one) == [str(row) for row in one.rows]
    folder = tmp_path / "several"
    folder.mkdir()
    for number, start in enumerate(range(0, OBJECTS, 250)):
        write(folder / f"{number}.parquet", 2, whole.slice(start, 250))
    several = chosen(folder, network)
    assert same(one, several)
    assert several.table()["file"].tolist() == [
        f"{folder}/{row // 250}.parquet" for row in several.rows
    ]


@pytest.mark.parametrize("kind", [pa.float16(), pa.float64(), pa.uint8()])
def test_features_of_any_type_are_standardised_as_in_memory(network, cuts, tmp_path, kind):
    rng = np.random.default_rng(5)
    values = rng.integers(0, 255, (OBJECTS, 6)).astype(np.uint8)
    lists = pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)).cast(kind), 6)
    path = write(tmp_path / "pool.parquet", 3, table(image=None, text=lists))
    modality = as_modality("text", values.astype(np.float32))
    stored = np.uint8 if kind == pa.uint8() else np.float32
    modality = replace(modality, features=modality.features.astype(stored))
    own = trained_network(ModelSpec(name="linear"), [modality])
    found = chosen(path, own, "entropy", 5)
    pool = PoolTensors(own.prepare([modality], np.arange(OBJECTS).astype(object)))
    scores = engine.scores_of(
        scoring("entropy"), own.build(pool.device)[0], pool, unlabelled(), None, None
    )
    assert found.scores.tolist() == np.sort(scores)[::-1][:5].tolist()


def test_a_network_is_kept_in_a_file(network, cuts, tmp_path):
    file = tmp_path / "network.safetensors"
    file.write_bytes(network.to_bytes())
    assert same(
        chosen(cuts[0], network), chosen(cuts[0], TrainedNetwork.from_bytes(file.read_bytes()))
    )


def test_learning_loss_chooses_by_its_predictor(cuts):
    own = trained_network(loss_prediction=True)
    found = chosen(cuts[1], own, "learning_loss")
    scores = scores_in_memory(own, scoring("learning_loss"), unlabelled())
    assert found.scores.tolist() == np.sort(scores)[::-1][:20].tolist()
