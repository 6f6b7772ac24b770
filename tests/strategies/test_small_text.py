"""Strategies of small-text: what they are given and what becomes of their answers."""

from importlib import import_module

import numpy as np
import pytest

from alray.seeding import seeded_globals
from alray.strategies import canonical, parse
from alray.strategies.explaining import opening_of, options_of
from alray.strategies.libraries.catalogue import KNOWN, REFUSED
from tests.helpers.library_strategies import alike, chosen, install_beside, signals_for_all
from tests.helpers.strategy_cases import CLASSES, K, N, make_signals

pytestmark = [pytest.mark.install, pytest.mark.usefixtures("small_text")]
ALL = [f"small_text:{name}" for name in KNOWN["small_text"]]
DRAWING = {"RandomSampling", "EmbeddingKMeans", "LightweightCoreset"}
every_strategy = pytest.mark.parametrize("text", ALL)


@pytest.fixture(scope="module")
def small_text(tmp_path_factory):
    install_beside(tmp_path_factory.mktemp("small-text"))
    return import_module("small_text.query_strategies")


def test_the_catalogue_names_every_strategy_of_the_library(small_text):
    kinds = [getattr(small_text, name) for name in small_text.__all__]
    base = small_text.QueryStrategy
    names = {each.__name__ for each in kinds if isinstance(each, type) and issubclass(each, base)}
    assert names == KNOWN["small_text"].keys() | REFUSED["small_text"].keys()


@every_strategy
@pytest.mark.parametrize(("n", "k", "classes"), [(N, K, CLASSES), (N, N, 3), (N, 1, 2)])
def test_it_chooses_k_distinct_candidates(text, n, k, classes):
    signals = make_signals(parse(text).needs, n, classes)
    indices = chosen(text, signals, k)
    assert len(set(indices)) == k
    assert set(indices) <= set(signals.candidates.tolist())


@every_strategy
def test_the_strategys_generator_is_the_only_source_of_randomness(text):
    with seeded_globals(1):
        first = chosen(text)
    with seeded_globals(2):
        assert chosen(text) == first
    sets = {tuple(sorted(chosen(text, seed=seed))) for seed in range(3)}
    assert len(sets) == (3 if text.split(":")[1] in DRAWING else 1)


@pytest.mark.parametrize("text", [text for text in ALL if "Lightweight" not in text])
def test_ties_are_never_in_the_order_of_the_file(text):
    """small-text itself takes equal scores by their position."""
    signals = alike(make_signals(parse(text).needs))
    taken = np.zeros(N)
    for seed in range(12):
        taken[chosen(text, signals, seed=seed)] += 1
    assert taken.max() < 12
    assert taken[:K].sum() < 0.5 * taken.sum() > taken[-K:].sum()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("BreakingTies", "margin"),
        ("LeastConfidence", "least_confidence"),
        ("PredictionEntropy", "entropy"),
        ("GreedyCoreset:normalize=false", "coreset"),
    ],
)
def test_on_equal_inputs_it_chooses_what_alrays_own_does(theirs, ours):
    for seed in range(5):
        signals = signals_for_all(seed)
        assert set(chosen(f"small_text:{theirs}", signals)) == set(chosen(ours, signals))


def test_options_are_those_of_the_constructor_and_explained():
    assert canonical("small_text:GreedyCoreset:batch_size=100") == "small_text:GreedyCoreset"
    options = {option.name: option for option in options_of("small_text:GreedyCoreset")}
    assert list(options) == [
        *("distance_metric", "normalize", "batch_size"),
        *("features", "unit_length"),
    ]
    assert "Batch size" in options["batch_size"].meaning
    assert "greedy coreset" in opening_of("small_text:GreedyCoreset")


def test_its_own_mistakes_are_told():
    """Where objects are alike there are distances that are no numbers."""
    signals = alike(make_signals(parse("small_text:LightweightCoreset").needs))
    with pytest.raises(RuntimeError, match=r"raised .*ValueError: probabilities contain NaN"):
        chosen("small_text:LightweightCoreset", signals)


def test_a_wrong_answer_is_an_error_that_names_library_and_strategy(monkeypatch, small_text):
    monkeypatch.setattr(small_text.RandomSampling, "query", lambda *_, **__: np.array([9, 9]))
    with pytest.raises(
        RuntimeError, match=r"small_text:RandomSampling \(small-text \S+\) .*1 named before"
    ):
        chosen("small_text:RandomSampling", k=2)
