"""GALAXY against its definition: graphs with all their edges, and all shortest paths in them."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from alray.errors import ScoreError
from alray.strategies import parse
from alray.strategies.base import given
from alray.strategies.margin_lines import MarginLines
from alray.strategies.signals import Request, Signals
from tests.helpers.strategy_cases import make_signals

NEEDS = Request(log_probs=True, labelled=True)


def query(signals, k, seed=0):
    return parse("galaxy").select(signals, k, np.random.default_rng(seed))


def make(n, classes, labelled, seed=0):
    """Return signals of n candidates, and of as many labelled objects, of which each class has some or none."""
    rng = np.random.default_rng(seed)

    def log_probs(count):
        return torch.log_softmax(
            torch.from_numpy(2 * rng.normal(size=(count, classes))), 1
        ).float()

    labels = torch.from_numpy(rng.integers(0, classes, labelled))
    known = Signals(np.arange(labelled), log_probs=log_probs(labelled), labels=labels)
    return Signals(np.arange(n) + 100, log_probs=log_probs(n), labelled=known)


def lines_of(signals):
    """Return per class the order of all objects (candidates first), by margin and then by probability."""
    both = torch.cat([signals.log_probs, signals.labelled.log_probs]).double().exp().numpy()
    margins = both - both.max(1, keepdims=True)
    return [np.lexsort((both[:, c], margins[:, c])) for c in range(both.shape[1])]


def joined(order, kind, reach):
    """Return whom each object is joined with: those up to `reach` places away, labelled ones of both kinds excepted."""
    pairs = [
        (one, other) for at, one in enumerate(order) for other in order[at + 1 : at + reach + 1]
    ]
    kept = [(a, b) for a, b in pairs if not (a in kind and b in kind and kind[a] != kind[b])]
    return {
        each: [b for a, b in kept if a == each] + [a for a, b in kept if b == each]
        for each in order
    }


def shortest_paths(order, labels, line, reach):
    """Return the length of the shortest paths between labelled objects of both kinds, and all their middles."""
    kind = {each: labels[each] == line for each in order if each in labels}
    beside = joined(order, kind, reach)
    paths: list[tuple[int, ...]] = [(start,) for start in kind if kind[start]]
    while paths:
        ends = [path for path in paths if kind.get(path[-1]) is False]
        if ends:
            length = len(ends[0])
            return length, {path[at] for path in ends for at in ((length - 1) // 2, length // 2)}
        paths = [(*path, each) for path in paths for each in beside[path[-1]] if each not in path]
    return None, set()


def allowed(signals, labels):
    """Return the objects that the paper may ask about next; nothing where labels change nowhere."""
    lines = lines_of(signals)
    for reach in range(1, len(lines[0])):
        found = [shortest_paths(order, labels, line, reach) for line, order in enumerate(lines)]
        lengths = [length for length, _ in found if length is not None]
        if lengths:
            shortest = min(lengths)
            return set().union(*(middles for length, middles in found if length == shortest))
    return set()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("classes", "labelled"), [(2, 3), (3, 3), (3, 6), (4, 5)])
def test_each_choice_is_the_middle_of_a_shortest_path(seed, classes, labelled):
    """Of all objects but one, so that stretches are bisected first and changes are closed in on at the end."""
    n = 6
    signals = make(n, classes, labelled, seed)
    known = given(signals.labelled)
    predicted = given(signals.log_probs).argmax(1).tolist()
    labels = {n + each: int(label) for each, label in enumerate(given(known.labels))}
    for position in (query(signals, n - 1, seed).indices - 100).tolist():
        wanted = allowed(signals, labels)
        assert not wanted or position in wanted
        labels[position] = predicted[position]


def on_a_line(shares, known, labels):
    """Return signals of two classes; of objects with these probabilities of class 0 some are labelled."""
    shares = np.array(shares)
    log_probs = torch.from_numpy(np.log(np.stack([shares, 1 - shares], 1))).float()
    rest = np.setdiff1d(np.arange(len(shares)), known)
    labelled = Signals(
        np.array(known), log_probs=log_probs[known], labels=torch.tensor(labels, dtype=torch.int64)
    )
    return Signals(rest, log_probs=log_probs[rest], labelled=labelled)


SHARES = np.linspace(0.05, 0.95, 33)


def test_a_stretch_is_bisected_towards_the_change_of_the_prediction():
    """The predicted classes that stand in for labels change between the places 15 and 16, or at 16."""
    signals = on_a_line(SHARES + 0.001, [0, 32], [1, 0])
    assert query(signals, 5).indices.tolist() == [16, 8, 12, 14, 15]


def test_with_one_object_a_query_the_labels_decide():
    """The network is wrong about the place of the change: it lies behind 20. Four labels find it."""
    known, labels = [0, 32], [1, 0]
    asked = []
    for _ in range(5):
        signals = on_a_line(SHARES, known, labels)
        asked.append(int(query(signals, 1).indices[0]))
        known, labels = [*known, asked[-1]], [*labels, int(asked[-1] <= 20)]
    assert asked == [16, 24, 20, 22, 21]


def test_the_shortest_stretch_comes_first():
    signals = on_a_line(SHARES, [0, 10, 14, 32], [1, 0, 1, 0])
    assert query(signals, 1).indices.tolist() == [12]


def test_beside_a_change_that_is_closed_the_nearest_object_is_taken():
    signals = on_a_line(SHARES, [9, 10, 11, 12, 13], [1, 1, 0, 0, 0])
    assert query(signals, 1).indices.tolist() == [8]
    assert {int(query(signals, 2, seed).indices[1]) for seed in range(20)} == {7, 14}


def test_any_object_is_taken_where_all_labels_are_alike():
    signals = on_a_line(SHARES, [3, 20], [1, 1])
    first = {int(query(signals, 1, seed).indices[0]) for seed in range(200)}
    assert len(first) == 31


def test_a_class_that_nobody_predicts_is_asked_about_too():
    """Class 2 is never the most probable one, but has a line, on which its labels change."""
    probs = torch.tensor([[0.6, 0.39, 0.01]]).repeat(9, 1)
    probs[:, 2] += torch.arange(9) / 100
    log_probs = torch.log(probs / probs.sum(1, keepdim=True))
    labelled = Signals(
        np.arange(2), log_probs=log_probs[[0, 8]], labels=torch.tensor([0, 2], dtype=torch.int64)
    )
    signals = Signals(np.arange(1, 8), log_probs=log_probs[1:8], labelled=labelled)
    assert query(signals, 1).indices.tolist() == [4]


@pytest.mark.parametrize("classes", [2, 3])
def test_equal_objects_few_candidates_and_all_of_them(classes):
    for n in (1, 2, 9):
        assert sorted(query(make(n, classes, 4), n).indices) == list(range(100, 100 + n))
    signals = make(20, classes, 4)
    alike = replace(signals, log_probs=given(signals.log_probs)[[0] * 20])
    assert len(set(query(alike, 20).indices.tolist())) == 20


def test_undefined_probabilities_are_refused_by_name():
    signals = make_signals(NEEDS)
    given(signals.log_probs)[7, 1] = torch.nan
    with pytest.raises(ScoreError, match="the log-probabilities of 1 of 69 objects"):
        query(signals, 3)


def open_stretches(signals, labels):
    """Return each stretch of unlabelled objects between labelled ones of both kinds, on any line."""
    for line, order in enumerate(lines_of(signals)):
        places = [place for place, each in enumerate(order) if each in labels]
        for left, right in itertools.pairwise(places):
            kinds = {labels[order[left]] == line, labels[order[right]] == line}
            if right - left > 1 and len(kinds) == 2:
                yield right - left, order[(left + right) // 2]


def test_stretches_that_another_line_has_cut_are_gone():
    signals = make(40, 4, 6)
    known = given(given(signals.labelled).labels).numpy()
    labels = {40 + each: int(label) for each, label in enumerate(known)}
    both = torch.cat([given(signals.log_probs), given(given(signals.labelled).log_probs)])
    rng = np.random.default_rng(0)
    lines = MarginLines(both, known, rng)
    bisected = 0
    for _ in range(40):
        position = lines.next()
        stretches = list(open_stretches(signals, labels))
        if stretches:
            shortest = min(length for length, _ in stretches)
            assert position in {middle for length, middle in stretches if length == shortest}
            bisected += 1
        assert position is not None
        assert position < 40
        assert position not in labels
        labels[position] = int(rng.integers(4))
        lines.know(position, labels[position])
    assert bisected > 10
