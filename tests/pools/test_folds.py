"""Folds: of equal sizes, stratified by class, groups whole."""

import numpy as np
import pytest

from alray.pools.folds import folds_of, judged_objects


def rng(seed=0):
    return np.random.default_rng(seed)


def counts_of(labels, folds):
    found = np.zeros((folds.max() + 1, labels.max() + 1), int)
    np.add.at(found, (folds, labels), 1)
    return found


@pytest.mark.parametrize("folds", [2, 5])
def test_each_fold_has_its_share_of_each_class_and_of_all(folds):
    labels = rng().permutation(np.repeat(np.arange(6), [3, 14, 7, 21, 1, 57]))
    found = counts_of(labels, folds_of(labels, None, folds, rng()))
    assert len(found) == folds
    assert (np.ptp(found, axis=0) <= 1).all()
    assert np.ptp(found.sum(axis=1)) <= 1


def test_who_goes_where_is_drawn():
    labels = np.arange(60) % 3
    found = [folds_of(labels, None, 3, rng(seed)).tolist() for seed in (0, 0, 1)]
    assert found[0] == found[1] != found[2]


def test_a_group_stays_in_one_fold():
    groups = np.repeat(np.arange(50), 4)
    labels = groups % 5
    found = folds_of(labels, groups, 5, rng())
    assert all(len(set(found[groups == group])) == 1 for group in range(50))
    assert (counts_of(labels, found) == 8).all()


def test_a_label_that_no_other_fold_has_cannot_be_judged():
    labels = np.array([0, 0, 0, 0, 1, 1, 2])
    folds = np.array([0, 1, 0, 1, 1, 1, 0], np.int8)
    assert judged_objects(labels, folds).tolist() == [True] * 4 + [False] * 3
