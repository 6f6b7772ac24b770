"""A scikit-learn classifier as a network: what it learns from, what it answers, and its committee."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from alray.networks.generators import torch_generator
from alray.networks.models import build_network
from alray.networks.sklearn_classifier import SMALLEST
from alray.networks.tensors import PoolTensors, side_by_side
from alray.networks.threads import threads
from alray.scoring.engine import score
from alray.scoring.evaluation import evaluate
from alray.settings.common import ModelSpec
from alray.strategies.signals import Committee, Request
from tests.helpers.builders import everyone, image_pool, make_pool, with_scaling
from tests.helpers.own_classifiers import Counting

POOL = with_scaling(make_pool(absent=0.4))
LINEAR = "sklearn:sklearn.linear_model.LogisticRegression"
TREE = "sklearn:sklearn.tree.DecisionTreeClassifier"
OWN = "sklearn:tests.helpers.own_classifiers"


def fitted(name=LINEAR, pool=POOL, objects=None, seed=0, **options) -> Any:
    """Return a classifier that has learned from these objects, or from the train part."""
    network: Any = build_network(ModelSpec(name=name, options=options), pool)
    tensors = PoolTensors(pool)
    objects = pool.train if objects is None else objects
    network.fit(tensors.batch(objects), tensors.labels(objects), seed)
    return network


def log_probs(network, pool=POOL, seed=0, request=None):
    request = request or Request(log_probs=True)
    return score(network, PoolTensors(pool), everyone(pool), request, torch_generator(seed))


def test_features_stand_side_by_side_with_zeros_where_a_modality_is_absent():
    tensors = PoolTensors(POOL)
    found = side_by_side(tensors.batch(everyone(POOL))).numpy()
    assert found.dtype == np.float32
    first = 0
    for modality in tensors.modalities:
        part = found[:, first : first + modality.dimension]
        present = modality.rows >= 0
        assert 0 < present.sum() < len(POOL)
        assert (part[~present] == 0).all()
        expected = modality.gather(np.flatnonzero(present)).numpy()
        assert part[present].tolist() == expected.tolist()
        first += modality.dimension
    assert first == found.shape[1]


def test_images_enter_as_pixels():
    pool = image_pool(shape=(2, 3, 4))
    assert side_by_side(PoolTensors(pool).batch(pool.train)).shape == (36, 24)
    assert log_probs(fitted(pool=pool), pool).log_probs.shape == (60, 2)


def test_it_answers_as_the_estimator_does_and_metrics_are_scikit_learns():
    tensors = PoolTensors(POOL)
    x, labels = side_by_side(tensors.batch(everyone(POOL))).numpy(), POOL.labels
    estimator = LogisticRegression(C=0.1).fit(x[POOL.train], labels[POOL.train])
    network = fitted(C=0.1)
    expected = estimator.predict_proba(x)
    found = log_probs(network).log_probs.double().exp().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    tree = fitted(TREE)
    answers = tree._fitted.estimator.predict_proba(x[POOL.test])
    assert (answers == 0).any(), "a tree is sure"
    nll = evaluate(tree, tensors, POOL.test).nll
    assert nll == pytest.approx(log_loss(labels[POOL.test], answers), rel=1e-5)


def test_classes_without_labels_have_the_least_probability_and_no_others_column():
    objects = POOL.train[POOL.labels[POOL.train] != 1]
    found = log_probs(fitted(objects=objects)).log_probs
    assert bool((found.exp()[:, 1] < 2 * SMALLEST).all())
    assert bool(torch.isfinite(found).all())
    right = found.argmax(1).numpy() == POOL.labels
    others = POOL.labels != 1
    assert right[others].mean() > 0.8, "class 2 has the second column"


def test_labels_of_one_class_need_no_fit():
    objects = POOL.train[POOL.labels[POOL.train] == 2]
    found = log_probs(fitted(objects=objects)).log_probs
    assert (found.argmax(1) == 2).all()
    assert bool(torch.isfinite(found).all())


@pytest.mark.parametrize("name", [LINEAR, TREE, f"{OWN}.pipeline", f"{OWN}.one_of_two"])
def test_members_have_learned_from_samples_that_the_generator_draws(name):
    network = fitted(name)
    request = Request(log_probs=True, committee=Committee(3))
    one, same, other = (log_probs(network, seed=seed, request=request) for seed in (1, 1, 2))
    assert torch.equal(one.committee_log_mean, same.committee_log_mean)
    assert not torch.allclose(one.committee_log_mean, other.committee_log_mean)
    assert torch.equal(one.log_probs, log_probs(network).log_probs), "it is itself again"
    assert not torch.allclose(one.log_probs, one.committee_log_mean)


def test_a_members_sample_is_drawn_with_replacement_from_all_labelled_objects():
    network = fitted(f"{OWN}.Shares")
    labels = POOL.labels[POOL.train]
    with network.committee(1, torch_generator(5)):
        (member,) = network._members
    rows = torch.randint(len(labels), (len(labels),), generator=torch_generator(5)).numpy()
    shares = np.bincount(labels[rows], minlength=3) / len(labels)
    assert member.estimator.shares_.tolist() == shares.tolist()


def test_what_it_draws_follows_its_seed_within_a_pipeline_too():
    for name in (f"{OWN}.pipeline", "sklearn:sklearn.ensemble.RandomForestClassifier"):
        one, same, other = (log_probs(fitted(name, seed=seed)).log_probs for seed in (1, 1, 2))
        assert torch.equal(one, same)
        assert not torch.equal(one, other)


def test_options_reach_the_parts_of_a_pipeline():
    network = fitted(f"{OWN}.pipeline", pca__n_components=2)
    assert network._fitted.estimator.named_steps["pca"].n_components_ == 2


def test_numbers_that_yaml_reads_as_text_are_numbers():
    assert fitted(C="1e-3")._fitted.estimator.C == 0.001


def test_it_works_with_as_many_threads_as_the_run():
    with threads(1):
        log_probs(fitted(f"{OWN}.Counting"))
    assert Counting.seen == {1}


def test_an_answer_needs_a_fit():
    network = build_network(ModelSpec(name=LINEAR), POOL)
    with pytest.raises(RuntimeError, match="after a fit alone"):
        log_probs(network)
    with (
        pytest.raises(RuntimeError, match="of the last fit"),
        network.committee(2, torch_generator(0)),
    ):
        pass
