"""Which labels stop a fit early, and which it learns from."""

import numpy as np
import pytest

from alray.errors import SpecError
from alray.settings.common import TrainingSpec
from alray.training.stopping import check_stopping, held_out_count, stopping_parts

LABELLED, VALIDATION = np.arange(40)[::-1], np.arange(100, 110)


def parts(labelled=LABELLED, seed=0, **training):
    rng = np.random.default_rng(seed)
    return stopping_parts(TrainingSpec(**training), labelled, VALIDATION, rng)


def test_held_out_labels_are_the_validation_part_and_fixed_epochs_have_none():
    held_out, fixed = parts(stopping="held_out"), parts(stopping="fixed_epochs")
    assert held_out.learned is fixed.learned is LABELLED
    assert held_out.held_out is VALIDATION
    assert fixed.held_out is None


@pytest.mark.parametrize(
    ("labels", "share", "expected"),
    [(2, 0.1, 1), (3, 0.9, 2), (4, 0.1, 1), (40, 0.1, 4), (40, 0.25, 10), (1000, 0.2, 200)],
)
def test_a_share_of_the_labels_is_held_out_one_at_least_and_one_is_learnt(labels, share, expected):
    training = {"stopping": "from_labels", "stopping_share": share}
    found = parts(np.arange(labels), **training)
    assert found.held_out is not None
    assert len(found.held_out) == expected == held_out_count(TrainingSpec(**training), labels)
    both = np.concatenate([found.learned, found.held_out])
    assert np.array_equal(np.sort(both), np.arange(labels))


def test_the_generator_draws_the_held_out_labels_and_the_others_keep_their_order():
    one, same, other = (parts(stopping="from_labels", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.learned, same.learned)
    assert not np.array_equal(one.learned, other.learned)
    assert np.array_equal(one.learned, np.sort(one.learned)[::-1])


@pytest.mark.parametrize(
    ("stopping", "initial", "works"),
    [("from_labels", 1, False), ("from_labels", 2, True), ("held_out", 1, True)],
)
def test_a_single_label_cannot_be_learnt_from_and_stopped_by(stopping, initial, works):
    training = TrainingSpec(stopping=stopping)
    if works:
        check_stopping(training, initial)
    else:
        with pytest.raises(SpecError, match=r"from_labels.*initial is 1; use an initial of 2"):
            check_stopping(training, initial)
