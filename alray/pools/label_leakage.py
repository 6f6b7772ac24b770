"""Find modalities that hold the label: codes, one-hot vectors, class probabilities, logits, copies of them.

With such a column among the features every strategy reaches the same perfect accuracy, and nothing else says why. All
checks look at a sample, so that a pool of any size is checked in a fraction of a second.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

import numpy as np
import numpy.typing as npt

from alray.pools.columns.features import FeatureColumn
from alray.pools.pool import Indices
from alray.seeding import generator

SAMPLE = 3_000
"""Most objects in a sample."""

_FEWEST, _FEWEST_OUTSIDE = 50, 20
"""A sample has so many objects, and so many outside its largest class: fewer are told apart by chance."""
_SAMPLE_VALUES = 6_000_000
_NEARLY_EXACT, _CLOSE = 0.99, 0.95
"""Shares of the classes' variance that labels explain. Of two normal classes with errors below 1 in 100,000, a linear
rule explains the lower one: an embedding that a linear rule gets 99.9 % right on stays below it."""
_ENOUGH_RIGHT = 500
_OFTEN, _ABOVE_CHANCE = 0.8, 0.2
"""Agreement of the largest value with the class: of any values, and of probabilities in excess of the largest class."""
_RIDGE = 1e-3
_SHORT = 4
_WORDS = re.compile(
    "labels?|targets?|logits?|prob(a|as|s|ability|abilities)?|softmax|onehot|pred(s|ictions?|icted)?|class(es)?"
    "|scores?|truth|posterior"
)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelColumn:
    """What is known of a pool's labels.

    Attributes:
        name: The column's name.
        labels: (objects,) positions in the classes.
        class_counts: Numbers of classes, with and without those that were dropped.
    """

    name: str
    labels: Indices
    class_counts: frozenset[int]


def leakage_warnings(
    columns: Sequence[FeatureColumn], label: LabelColumn, *, chosen: bool
) -> list[str]:
    """Return a line for each modality that seems to hold the label, with the step that leaves it out.

    Args:
        columns: All modalities.
        label: The labels.
        chosen: The settings name the modalities: then their names and lengths are no reason to warn.
    """
    reasons = {}
    for column in columns:
        reason = _reason(column, label)
        if reason is None and not chosen:
            reason = _outer_reason(column, label.name, columns)
        if reason is not None:
            reasons[column.name] = reason
    step = _step([column for column in columns if column.name not in reasons])
    return [f"column {name!r} {reason}; {step}" for name, reason in reasons.items()]


def _step(others: Sequence[FeatureColumn]) -> str:
    if not others:
        return "if it was made from labels, add a column of embeddings, and name it with --modality NAME=COLUMN"
    options = " ".join(
        f"--modality {quote(f'{other.modality.name}={other.name}')}" for other in others
    )
    return f"if it was made from labels or predictions, leave it out: {options}"


def _outer_reason(
    column: FeatureColumn, label: str, columns: Sequence[FeatureColumn]
) -> str | None:
    """Return what a column's name or length says against it."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column.name).lower())
    joined = ["".join(pair) for pair in itertools.pairwise(words)]
    own = re.findall(r"[a-z]+", label.lower())
    holds_own = bool(own) and any(
        words[start : start + len(own)] == own for start in range(len(words))
    )
    telling = any(_WORDS.fullmatch(word) for word in [*words, *joined])
    if "token" not in words and (telling or holds_own):  # a class token is an embedding
        return "is taken as a modality, and its name is one of labels or predictions"
    size = column.modality.dimension
    if size < _SHORT <= max(other.modality.dimension for other in columns):
        numbers = "one number" if size == 1 else f"{size} numbers"
        return (
            f"is taken as a modality, and has {numbers} per object, which is hardly an embedding"
        )
    return None


def _reason(column: FeatureColumn, label: LabelColumn) -> str | None:
    """Return what the values say, or None."""
    features, labels = _sample(column, label.labels)
    outside = len(labels) - int(np.bincount(labels).max(initial=0))
    if len(labels) < _FEWEST or outside < _FEWEST_OUTSIDE:
        return None
    if single_features_decide(features, labels):
        return (
            f"decides the label alone: single features of it separate the classes of all {len(labels):,} "
            "sampled objects"
        )
    if features.shape[1] in label.class_counts and features.shape[1] > 1:
        agreement = argmax_agreement(features, labels)
        named = (
            f"the largest one names the class of {100 * agreement:.1f} % of the sampled objects"
        )
        if _are_probabilities(features) and agreement > _least_agreement(labels):
            return (
                f"looks like class probabilities: a number per class, their sum is 1, and {named}"
            )
        if agreement >= _OFTEN:
            return f"looks like scores of the classes: a number per class, and {named}"
    right, total, explained = linear_probe(features, labels)
    perfect = right == total >= _ENOUGH_RIGHT and explained >= _CLOSE
    if perfect or (explained >= _NEARLY_EXACT and total >= _FEWEST_OUTSIDE):
        return f"decides the label alone: a linear rule on it is right about {right:,} of {total:,} held-out objects"
    return None


def _sample(column: FeatureColumn, labels: Indices) -> tuple[Array, Indices]:
    """Return features and classes of usable objects in random order, without classes that have one object left."""
    usable = column.modality.present.copy()
    usable[column.unusable] = False
    objects = np.flatnonzero(usable)
    rng = generator(0, 0, "leakage_sample")
    size = min(
        len(objects), SAMPLE, max(SAMPLE // 10, _SAMPLE_VALUES // column.modality.dimension)
    )
    objects = rng.choice(objects, size, replace=False) if size else objects
    _, codes, counts = np.unique(labels[objects], return_inverse=True, return_counts=True)
    several = counts[codes] > 1
    objects = objects[several]
    features = column.modality.features[column.modality.rows[objects]].astype(np.float64)
    return features, np.unique(labels[objects], return_inverse=True)[1].astype(np.int64)


def single_features_decide(features: Array, labels: Indices) -> bool:
    """Return whether single features tell all classes apart: one orders them, or each class has one that isolates it.

    This finds codes, one-hot vectors and permutations of them, also where they are a part of longer vectors.
    """
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    grouped = features[order]
    least = np.minimum.reduceat(grouped, starts, axis=0)  # (classes, features)
    most = np.maximum.reduceat(grouped, starts, axis=0)
    ranks = np.argsort(least, axis=0, kind="stable")
    rising, falling = np.take_along_axis(least, ranks, 0), np.take_along_axis(most, ranks, 0)
    if (rising[1:] > falling[:-1]).all(axis=0).any():
        return True
    highest, lowest = np.sort(most, axis=0), np.sort(least, axis=0)
    others_most = np.where(most == highest[-1], highest[-2], highest[-1])
    others_least = np.where(least == lowest[0], lowest[1], lowest[0])
    isolated = (least > others_most) | (most < others_least)
    return bool(isolated.any(axis=1).all())


def argmax_agreement(features: Array, labels: Indices) -> float:
    """Return the share of held-out objects whose largest feature names the class: that of most objects with it."""
    largest = features.argmax(axis=1)
    half = len(labels) // 2
    counts = np.zeros((features.shape[1], int(labels.max()) + 1))
    np.add.at(counts, (largest[:half], labels[:half]), 1)
    named = np.where(counts.any(axis=1), counts.argmax(axis=1), -1)
    return float((named[largest[half:]] == labels[half:]).mean())


def _least_agreement(labels: Indices) -> float:
    largest = float(np.bincount(labels).max()) / len(labels)
    return largest + _ABOVE_CHANCE * (1 - largest)


def _are_probabilities(features: Array) -> bool:
    return bool((features >= 0).all() and (np.abs(features.sum(axis=1) - 1) < 1e-2).all())


def linear_probe(features: Array, labels: Indices) -> tuple[int, int, float]:
    """Fit class indicators by ridge regression on two thirds of the objects.

    Returns:
        Of the other third: objects whose class has the largest value, all objects, and the share of the indicators'
        variance that is explained.
    """
    cut = 2 * len(labels) // 3
    mean, deviation = features[:cut].mean(axis=0), features[:cut].std(axis=0)
    scaled = (features - mean) / np.where(deviation > 0, deviation, 1)
    fitted, held_out = scaled[:cut], scaled[cut:]
    indicators = np.eye(int(labels.max()) + 1)[labels]
    shares = indicators[:cut].mean(axis=0)
    target = indicators[:cut] - shares
    size = fitted.shape[1]
    if size <= cut:
        matrix = fitted.T @ fitted + _RIDGE * cut * np.eye(size)
        predicted = held_out @ np.linalg.solve(matrix, fitted.T @ target)
    else:
        matrix = fitted @ fitted.T + _RIDGE * size * np.eye(cut)
        predicted = held_out @ (fitted.T @ np.linalg.solve(matrix, target))
    known = shares[labels[cut:]] > 0
    truth = indicators[cut:][known] - shares
    missed = predicted[known] - truth
    explained = 1 - float((missed**2).sum()) / max(float((truth**2).sum()), 1e-300)
    right = (predicted + shares).argmax(axis=1)[known] == labels[cut:][known]
    return int(right.sum()), int(known.sum()), explained
