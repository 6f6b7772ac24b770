"""Strategies of scikit-activeml: what they are given and what becomes of their answers."""

import inspect
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from alray.errors import SpecError
from alray.seeding import seeded_globals
from alray.strategies import canonical, identity, parse
from alray.strategies.cover import directions
from alray.strategies.explaining import opening_of, options_of
from alray.strategies.libraries import catalogue
from alray.strategies.libraries.catalogue import KNOWN, REFUSED, Known
from alray.strategies.libraries.classes import strategy_class
from alray.strategies.libraries.strategy import LibraryStrategy
from alray.strategies.objects import text_of
from tests.helpers.library_strategies import alike, chosen, signals_for_all
from tests.helpers.strategy_cases import CLASSES, K, N, make_signals

skactiveml: Any = pytest.importorskip("skactiveml.pool", reason="needs scikit-activeml")
WITH_OPTIONS = {"ProbabilisticAL": ":metric=rbf"}
ALL = [f"skactiveml:{name}{WITH_OPTIONS.get(name, '')}" for name in KNOWN["skactiveml"]]
DRAWING = {"RandomSampling", "Falcun", "Badge", "Clue", "TypiClust", "CostEmbeddingAL"}
every_strategy = pytest.mark.parametrize("text", ALL)


def test_the_catalogue_names_every_strategy_of_the_library():
    kinds = [getattr(skactiveml, name) for name in skactiveml.__all__]
    names = {kind.__name__ for kind in kinds if inspect.isclass(kind)}
    assert names - KNOWN["skactiveml"].keys() == names & REFUSED["skactiveml"].keys()


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
        left = np.random.random()  # noqa: NPY002 -- the global one is meant
    with seeded_globals(2):
        assert np.random.random() == left  # noqa: NPY002 -- as above
    sets = {tuple(sorted(chosen(text, seed=seed))) for seed in range(3)}
    assert len(sets) == 1 or text.split(":")[1] in {*DRAWING, "ProbCover"}
    assert len(sets) == 3 or text.split(":")[1] not in DRAWING


@pytest.mark.parametrize("text", [text for text in ALL if text != "skactiveml:TypiClust"])
def test_ties_are_never_in_the_order_of_the_file(text):
    """Where all objects are alike, the first of 60 is not always among the 12, and neither is the last."""
    signals = alike(make_signals(parse(text).needs))
    taken = np.zeros(N)
    for seed in range(12):
        taken[chosen(text, signals, seed=seed)] += 1
    assert taken.max() < 12
    assert taken[:K].sum() < 0.5 * taken.sum() > taken[-K:].sum()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("UncertaintySampling", "least_confidence"),
        ("UncertaintySampling:method=margin_sampling", "margin"),
        ("UncertaintySampling:method=entropy", "entropy"),
        ("CoreSet", "coreset"),
    ],
)
def test_on_equal_inputs_it_chooses_what_alrays_own_does(theirs, ours):
    for seed in range(5):
        signals = signals_for_all(seed)
        assert set(chosen(f"skactiveml:{theirs}", signals)) == set(chosen(ours, signals))


def test_badge_is_given_the_input_of_the_last_layer_and_its_own_probabilities():
    """The first object has the largest gradient (p - onehot) outer h."""
    signals = signals_for_all()
    assert chosen("skactiveml:Badge", signals)[0] == chosen("badge", signals)[0]
    moved = replace(signals, features=signals.features.flip(0))
    assert chosen("skactiveml:Badge", moved)[0] == chosen("badge", moved)[0]


@pytest.mark.parametrize("seed", range(8))
def test_max_herding_chooses_what_alrays_own_does_with_a_kernel_as_wide(seed):
    """scikit-activeml's kernel is exp(-squared distance / d) of d features.

    Half a query: when two objects are left that are near to each other alone, either gains the same.
    """
    signals = signals_for_all(seed)
    width = math.sqrt(signals.pool_features.shape[1])
    ours = chosen(f"max_herding:width={width!r}", signals, K // 2)
    assert chosen("skactiveml:MaxHerding", signals, K // 2) == ours
    # This pool tells widths apart.
    assert chosen("max_herding:width=0.5", signals, K // 2) != ours


@pytest.mark.parametrize("seed", range(4))
def test_probcover_and_alrays_own_both_cover_the_most_by_balls_of_the_same_radius(
    monkeypatch, seed
):
    """Of equally good candidates each draws its own, so each choice is held to the best that it could make."""
    radii, query = [], skactiveml.ProbCover.query

    def recording(self, *arguments, **named):
        answer = query(self, *arguments, **named)
        radii.append(float(self.delta_max_))
        return answer

    monkeypatch.setattr(skactiveml.ProbCover, "query", recording)
    signals = signals_for_all(seed)
    theirs = chosen("skactiveml:ProbCover:alpha=0.5", signals)
    (radius,) = radii
    ours = chosen(f"probcover:radius={radius!r}", signals)
    (found, best), (ours_found, ours_best) = (
        covered_by_each(signals, radius, each) for each in (theirs, ours)
    )
    assert found == best
    assert ours_found == ours_best
    assert found[0] == ours_found[0] > 2


def covered_by_each(signals, radius, indices):
    """Return how many more candidates each object covers, one after the other, and the most that any would."""
    x, labelled = (each.double() for each in directions(signals))
    near = torch.cdist(x, x) < radius
    left = (torch.cdist(x, labelled) >= radius).all(1)
    found, best = [], []
    for position in np.searchsorted(signals.candidates, indices):
        gains = (near & left).sum(1)
        found.append(int(gains[position]))
        best.append(int(gains.max()))
        left &= ~near[position]
    return found, best


def test_features_are_chosen_by_options_and_may_get_unit_length():
    signals = signals_for_all()
    far = signals.pool_features.clone()
    far[7] *= 1e3
    signals = replace(signals, pool_features=far)
    assert chosen("skactiveml:CoreSet", signals)[0] != signals.candidates[7]
    assert chosen("skactiveml:CoreSet:features=pool", signals)[0] == signals.candidates[7]
    of_length_one = "skactiveml:CoreSet:features=pool:unit_length=true"
    assert chosen(of_length_one, signals)[0] != signals.candidates[7]
    zeros = replace(signals, pool_features=torch.zeros_like(far))
    assert len(set(chosen(of_length_one, zeros))) == K


def test_needs_are_what_it_looks_at():
    needs = parse("skactiveml:TypiClust").needs
    assert (needs.pool_features, needs.features, needs.log_probs) == (True, False, False)
    needs = parse("skactiveml:TypiClust:features=last").needs
    assert (needs.pool_features, needs.features, needs.log_probs) == (False, True, False)
    needs = parse("skactiveml:UncertaintySampling").needs
    assert (needs.pool_features, needs.features, needs.log_probs) == (False, False, True)
    assert not parse("skactiveml:RandomSampling").needs.anything


def test_options_are_those_of_the_constructor():
    text = "skactiveml:TypiClust:features=last:k=3"
    assert canonical(text) == "skactiveml:TypiClust:k=3:features=last"
    assert canonical("skactiveml:TypiClust:k=5") == "skactiveml:TypiClust"
    assert identity("skactiveml:TypiClust") == (
        "skactiveml:TypiClust:k=5:features='pool':unit_length=False"
    )
    assert parse(text) == parse(canonical(text))
    assert text_of(parse(text)) == canonical(text)
    made: Any = parse("skactiveml:Falcun:gamma=0.5")
    assert made._made(0, 2).gamma == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TypiClust:k=x", r"option k: .*integer.*\(got 'x'\)"),
        ("TypiClust:cluster_algo=3", "no option 'cluster_algo'; valid are: k, features"),
        ("TypiClust:random_state=3", "no option 'random_state'"),
        ("UncertaintySampling:features=pool", "no option 'features'; valid are: method"),
        ("ProbabilisticAL", "it needs the option metric, such as metric=rbf"),
    ],
)
def test_other_options_are_refused(text, message):
    with pytest.raises(SpecError, match=message):
        parse(f"skactiveml:{text}")


def test_a_strategy_is_explained_by_its_own_documentation():
    name = "skactiveml:TypiClust"
    assert "selects the most typical sample" in opening_of(name)
    assert "gives the labels and the features that are chosen below, and never" in opening_of(name)
    options = {option.name: option for option in options_of(name)}
    assert options["k"].values == "number"
    assert "k-nearest-neighbors" in options["k"].meaning
    assert options["features"].values == "last|pool"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([9, 9, 10], r"returned 3 positions in the place of 3 different .*\(1 named before\)"),
        ([0, 9, 10], r"\(1 of labelled objects\)"),
        ([9, 10], "returned 2 positions in the place of 3"),
        ([9, 10, 69], r"\(1 of objects that do not exist\)"),
        ([9, -1, 10], r"\(1 of objects that do not exist\)"),
        ([9.0, 10.0, 11.0], r"float64 of shape \(3,\) in the place of 3 positions"),
        ([[9, 10, 11]], r"int64 of shape \(1, 3\)"),
    ],
)
def test_a_wrong_answer_is_an_error_that_names_library_and_strategy(monkeypatch, answer, message):
    monkeypatch.setattr(skactiveml.RandomSampling, "query", lambda *_, **__: answer)
    named = r"strategy skactiveml:RandomSampling \(scikit-activeml \S+\) "
    with pytest.raises(RuntimeError, match=named + ".*" + message):
        chosen("skactiveml:RandomSampling", k=3)


def test_its_own_mistakes_are_told():
    """Where objects are alike it runs out of clusters, and names objects again."""
    signals = alike(make_signals(parse("skactiveml:TypiClust").needs))
    with pytest.raises(RuntimeError, match=r"\(\d+ named before\); this is the library's own"):
        chosen("skactiveml:TypiClust", signals)


def test_an_error_of_the_library_is_told_with_its_place():
    with pytest.raises(
        RuntimeError,
        match=r"skactiveml:TypiClust \(scikit-activeml .*\) raised .*py, line \d+: ValueError: `k`= -1",
    ):
        chosen("skactiveml:TypiClust:k=-1")


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("DropQuery", Known("clf", "last"), "asks for probabilities of other objects"),
        ("MonteCarloEER", Known("clf", "last"), "NotFittedError: .*unknown where it has been"),
        ("QueryByCommittee", Known("ensemble", "last"), "skactiveml:QueryByCommittee .* raised "),
    ],
)
def test_a_strategy_that_asks_for_more_is_told_so_though_no_table_refused_it(
    monkeypatch, name, known, message
):
    known_there, refused = dict(KNOWN["skactiveml"]), dict(REFUSED["skactiveml"])
    del refused[name]
    monkeypatch.setitem(catalogue.KNOWN, "skactiveml", {**known_there, name: known})
    monkeypatch.setitem(catalogue.REFUSED, "skactiveml", refused)
    with pytest.raises(RuntimeError, match=message):
        chosen(f"skactiveml:{name}")
    strategy_class.cache_clear()


def test_more_candidates_than_it_can_compare_are_refused():
    strategy = parse("skactiveml:ProbCover")
    assert isinstance(strategy, LibraryStrategy)
    strategy.require_room(20_000, "use fewer")
    with pytest.raises(SpecError, match=r"20,001 are more than the 20,000 .* it: use fewer$"):
        strategy.require_room(20_001, "use fewer")


def test_an_object_of_the_library_is_to_be_written_as_a_text():
    with pytest.raises(SpecError, match='write "skactiveml:TypiClust", with options'):
        text_of(skactiveml.TypiClust(k=3))


def test_probabilities_add_up_to_one_though_float32_does_not():
    signals = signals_for_all()
    off = replace(signals, log_probs=signals.log_probs + math.log(1.01))
    assert chosen("skactiveml:UncertaintySampling", off)
