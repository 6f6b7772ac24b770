"""Modalities that hold the label are warned of, and embeddings are not."""

import logging

import numpy as np
import pyarrow as pa
import pytest

from alray.pools.describe import describe
from alray.pools.label_leakage import linear_probe
from alray.pools.reading import read_content
from alray.settings.common import PoolSpec
from tests.helpers.command import alray
from tests.helpers.pools_fixtures import parquet, read

OBJECTS, CLASSES = 1_800, 6
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, CLASSES, OBJECTS)
ONE_HOT = np.eye(CLASSES)[LABELS]
SHUFFLED = RNG.permutation(CLASSES)
NOISE = RNG.normal(size=(OBJECTS, 24))


def softmax(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


SCORES = 4 * ONE_HOT + NOISE[:, :CLASSES]
"""Of a classifier that is right about 97 of 100 objects."""
CLUSTERS = 0.9 * RNG.normal(size=(CLASSES, 24))[LABELS] + NOISE
"""An embedding of which a linear probe gets 97 of 100 right."""
MIXED = np.linalg.qr(RNG.normal(size=(30, 30)))[0]


def pool(folder, values, name="extra", **others):
    """Write a pool with an embedding without information, and these values beside it."""
    lists = {
        column: pa.array(list(map(list, rows)), pa.list_(pa.float32(), rows.shape[1]))
        for column, rows in {"embedding": RNG.normal(size=(OBJECTS, 16)), name: values}.items()
    }
    labels = [f"topic {label}" for label in LABELS]
    return parquet(
        folder, id=range(OBJECTS), label=labels, image=None, text=None, **lists, **others
    )


SEPARATE = "decides the label alone: single features of it separate the classes of all 1,800 "
LINEAR = "decides the label alone: a linear rule on it is right about 600 of 600 held-out objects"
PROBABILITIES = (
    "looks like class probabilities: a number per class, their sum is 1, and the largest"
)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (ONE_HOT, SEPARATE),
        (ONE_HOT[:, SHUFFLED], SEPARATE),
        (LABELS[:, None], SEPARATE),
        (SHUFFLED[LABELS][:, None] / 7, SEPARATE),
        (np.hstack([NOISE, LABELS[:, None]]), SEPARATE),
        (np.hstack([NOISE, ONE_HOT]) @ MIXED, LINEAR),
        (softmax(SCORES), PROBABILITIES),
        (softmax(SCORES)[:, SHUFFLED], PROBABILITIES),
        (SCORES, "looks like scores of the classes: a number per class, and the largest"),
        (NOISE[:, :1], "is taken as a modality, and has one number per object"),
    ],
    ids=[
        "one-hot",
        "permuted classes",
        "code",
        "permuted code",
        "code in an embedding",
        "one-hot in a rotated embedding",
        "probabilities",
        "permuted probabilities",
        "logits",
        "a single number",
    ],
)
def test_warns_of_what_was_made_from_labels(tmp_path, values, reason):
    (line,) = describe(PoolSpec(source=pool(tmp_path, values))).warnings
    assert f"pool.parquet: column 'extra' {reason}" in line
    assert line.endswith("leave it out: --modality embedding=embedding")


@pytest.mark.parametrize(
    "values",
    [
        CLUSTERS,
        np.maximum(CLUSTERS, 0),
        CLUSTERS[:, :CLASSES],
        softmax(NOISE[:, :CLASSES]),
        np.eye(CLASSES)[RNG.integers(0, CLASSES, OBJECTS)],
        np.vstack([CLUSTERS[:-1], np.full((1, 24), np.nan)]),
    ],
    ids=["clusters", "activations", "a number per class", "mixtures", "other codes", "with NaN"],
)
def test_embeddings_are_no_reason_to_warn(tmp_path, values):
    assert describe(PoolSpec(source=pool(tmp_path, values))).warnings == ()


def test_the_probe_is_good_on_the_embedding_that_is_not_warned_of():
    right, total, explained = linear_probe(CLUSTERS, LABELS)
    assert (total, explained < 0.9) == (600, True)
    assert 0.95 < right / total < 1


@pytest.mark.parametrize("name", ["openclipart", "icons"])
def test_built_in_pools_give_no_warning(name):
    assert read_content(PoolSpec(source=name)).warnings == ()


@pytest.mark.parametrize(
    ("name", "warned"),
    [
        ("probs", True),
        ("yPred_logits", True),
        ("one-hot", True),
        ("label_vector", True),
        ("img", False),
        ("subclassing", False),
        ("class_token", False),
    ],
)
def test_names_of_labels_are_reasons_unless_they_are_chosen(tmp_path, name, warned):
    source = pool(tmp_path, NOISE, name)
    assert bool(describe(PoolSpec(source=source)).warnings) is warned
    chosen = PoolSpec(source=source, modalities={"extra": name, "embedding": "embedding"})
    assert describe(chosen).warnings == ()


def test_the_label_columns_own_name_in_another_is_a_reason(tmp_path):
    source = pool(tmp_path, NOISE, "topic_vector", topic=[f"t{label}" for label in LABELS])
    (line,) = describe(PoolSpec(source=source, label="topic")).warnings
    assert "column 'topic_vector' is taken as a modality, and its name" in line


def test_a_chosen_modality_that_decides_the_label_is_still_warned_of(tmp_path, caplog):
    caplog.set_level(logging.WARNING, "alray")
    read(pool(tmp_path, ONE_HOT), modalities={"picture": "extra"})
    (line,) = caplog.messages
    assert SEPARATE in line
    assert line.endswith("name it with --modality NAME=COLUMN")


def test_small_pools_are_not_judged_by_their_values(tmp_path):
    labels = list("abc") * 5
    code = pa.array([[float(ord(word))] * 8 for word in labels], pa.list_(pa.float32(), 8))
    source = parquet(tmp_path, id=range(15), label=labels, image=code, text=None)
    assert describe(PoolSpec(source=source)).warnings == ()


def test_describe_and_the_plan_give_the_same_warning(tmp_path):
    source = pool(tmp_path, ONE_HOT, "scores")
    described = alray("pool", "describe", source)
    planned = alray("sweep", "--pool", source, "--rounds", 2, "--dry-run")
    assert (described.exit_code, planned.exit_code) == (0, 0), planned.output
    for result in (described, planned):
        assert f"column 'scores' {SEPARATE}" in " ".join(result.output.split())
