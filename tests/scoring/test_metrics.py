import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as outside

from alray.errors import ScoreError
from alray.scoring.metrics import calibration_error, mean_recall, measure, rarest_classes


def predictions(n=200, classes=6, seed=0, used=4):
    """Return log-probabilities of six classes, and labels of four of them only."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 3
    labels = rng.integers(0, used, n)
    logits[np.arange(n), labels] += 2
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return log_probs.astype(np.float32), labels


@pytest.mark.parametrize("n", [1, 3, 200])
@pytest.mark.parametrize("seed", range(3))
def test_metrics_agree_with_scikit_learn(n, seed):
    log_probs, labels = predictions(n, seed=seed)
    found = measure(log_probs, labels)
    predicted = log_probs.argmax(axis=1)
    present = np.unique(labels)
    assert found.accuracy == pytest.approx(outside.accuracy_score(labels, predicted))
    expected = outside.f1_score(
        labels, predicted, labels=present, average="macro", zero_division=0
    )
    assert found.macro_f1 == pytest.approx(expected)
    expected = outside.recall_score(labels, predicted, labels=present, average="macro")
    assert mean_recall(predicted, labels) == pytest.approx(expected)
    probabilities = np.exp(log_probs.astype(np.float64))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert found.nll == pytest.approx(
        outside.log_loss(labels, probabilities, labels=np.arange(6)), rel=1e-6
    )
    expected = calibration_error(np.exp(log_probs.max(axis=1), dtype=float), predicted == labels)
    assert found.ece == pytest.approx(expected)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_calibration_error_is_the_loop(pairs):
    confidence, right = (np.array(values) for values in zip(*pairs, strict=True))
    expected = 0.0
    for number in range(15):
        inside = np.minimum(np.floor(confidence * 15), 14) == number
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            expected += inside.mean() * gap
    assert calibration_error(confidence, right) == pytest.approx(expected, abs=1e-12)


def test_an_impossible_class_has_infinite_loss():
    log_probs = np.array([[0.0, -np.inf]], dtype=np.float32)
    assert measure(log_probs, np.array([1])).nll == np.inf


def test_a_diverged_model_is_an_error_with_its_reason():
    log_probs, labels = predictions(5)
    log_probs[3] = np.nan
    with pytest.raises(ScoreError, match=r"training\.lr"):
        measure(log_probs, labels)


def test_no_objects_have_no_mean_recall():
    assert np.isnan(mean_recall(np.array([], dtype=np.int64), np.array([], dtype=np.int64)))


@pytest.mark.parametrize(
    ("counts", "rarest"),
    [
        ({0: 5, 1: 2, 2: 9}, [1]),
        ({0: 5}, [0]),
        ({2: 4, 5: 4, 7: 4}, [2]),
        (dict(zip(range(9), range(9, 0, -1), strict=True)), [8]),
        (dict(zip(range(10), [9, 8, 7, 6, 5, 4, 3, 2, 1, 1], strict=True)), [8, 9]),
        # Of eleven classes a fifth is two; one that does not occur is none of them.
        (dict(zip(range(1, 12), range(11, 0, -1), strict=True)), [10, 11]),
    ],
)
def test_the_rarest_fifth_is_at_least_one_class(counts, rarest):
    labels = np.repeat(list(counts), list(counts.values()))
    labels = np.random.default_rng(0).permutation(labels)
    assert sorted(rarest_classes(labels)) == rarest
