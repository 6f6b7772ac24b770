"""BatchBALD and EPIG against their definitions, written out over all configurations of labels."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from alray.errors import ScoreError, SpecError
from alray.strategies import parse
from alray.strategies.base import given
from alray.strategies.batch_bald import most_telling
from alray.strategies.configurations import Configurations
from alray.strategies.epig import information_about
from alray.strategies.scores import entropy, summarise_committee
from alray.strategies.signals import Signals

N = 12


def members_of(n, members=4, classes=3, seed=0, spread=1.0):
    """Return (n, members, classes) log-probabilities; members differ by `spread`."""
    generator = torch.Generator().manual_seed(seed)
    common = torch.randn(n, 1, classes, generator=generator)
    own = spread * torch.randn(n, members, classes, generator=generator)
    return torch.log_softmax(common + own, dim=2)


def signals_of(log_probs, targets=None, shortlisted=None):
    """Return signals as the engine gives them; candidates differ from their positions."""
    candidates = 100 + 3 * np.arange(len(log_probs))
    members = log_probs.transpose(0, 1)
    listed = np.arange(len(log_probs)) if shortlisted is None else shortlisted
    return Signals(
        candidates,
        committee_log_mean=summarise_committee(members)[0],
        committee_mean_entropy=entropy(members).mean(0),
        shortlist=Signals(candidates[listed], members=log_probs[listed]),
        targets=None if targets is None else Signals(np.arange(len(targets)), members=targets),
    )


def query(text, signals, k, seed=0):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def positions(signals, chosen):
    return np.searchsorted(signals.candidates, chosen.indices).tolist()


def joint_information(probs, batch):
    """Return I(y_1..y_b; member) by all configurations of labels, in float64."""
    probs = probs.double()
    classes, information = probs.shape[2], 0.0
    for labels in itertools.product(range(classes), repeat=len(batch)):
        products = torch.ones(probs.shape[1], dtype=torch.float64)
        for position, label in zip(batch, labels, strict=True):
            products = products * probs[position, :, label]
        mean = products.mean()
        information += float(torch.special.xlogy(products, products / mean).mean())
    return information


def greedy(probs, k):
    """Return the greedy batch and what each object adds."""
    batch: list[int] = []
    total, added = 0.0, []
    for _ in range(k):
        left = [each for each in range(len(probs)) if each not in batch]
        found = {each: joint_information(probs, [*batch, each]) for each in left}
        batch.append(max(found, key=lambda each: found[each]))
        added.append(found[batch[-1]] - total)
        total = found[batch[-1]]
    return batch, added


@pytest.mark.parametrize(("classes", "members"), [(3, 4), (2, 6), (4, 2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_batch_bald_is_the_greedy_batch_by_the_full_joint(classes, members, seed):
    log_probs = members_of(N, members, classes, seed, spread=0.7)
    signals = signals_of(log_probs)
    chosen = query("batch_bald", signals, 4)
    batch, added = greedy(log_probs.exp(), 4)
    assert positions(signals, chosen) == batch
    np.testing.assert_allclose(chosen.scores, added, atol=2e-5)


def test_its_first_object_is_the_best_by_bald_and_copies_of_it_add_least():
    """BALD would choose the copies next: they tell nothing that is not known."""
    log_probs = members_of(N, spread=0.5)
    alone = [joint_information(log_probs.exp(), [each]) for each in range(N)]
    best = int(np.argmax(alone))
    certain = torch.log_softmax(torch.eye(3) * 30, 1)[torch.tensor([0, 0, 1, 1])]
    log_probs[best] = certain
    copied = torch.cat([log_probs, certain.expand(5, 4, 3)])
    signals = signals_of(copied)
    chosen = positions(signals, query("batch_bald", signals, 4))
    copies = {best, *range(N, N + 5)}
    assert len(copies.intersection(chosen)) == 1
    assert chosen[0] in copies
    by_bald = positions(signals, query("batch_bald:shortlist=1", signals, 1))
    assert by_bald[0] in copies


def test_drawn_configurations_estimate_what_all_would_give():
    probs = members_of(N, 5, 3, spread=0.8).exp()
    batch = list(range(6))
    drawn = Configurations(5, 20_000, np.random.default_rng(0))
    few = Configurations(5, 400, np.random.default_rng(0))
    exact = Configurations(5, 3**6, np.random.default_rng(0))
    for position in batch:
        for each in (drawn, few, exact):
            each.add(probs[position])
    assert exact._origins is None
    assert few._origins is not None
    before = joint_information(probs, batch)
    assert exact.doubt == pytest.approx(math.log(5) - before, abs=1e-6)
    for position in (6, 7, 8):
        gain = joint_information(probs, [*batch, position]) - before
        assert exact.gain(probs[position]) == pytest.approx(gain, abs=1e-5)
        assert drawn.gain(probs[position]) == pytest.approx(gain, abs=1e-5)
        # A gain lies between 0 and log 5; its standard error is below a hundredth of that.
        assert few.gain(probs[position]) == pytest.approx(gain, abs=0.1 * math.log(5))


def test_drawn_configurations_are_unbiased():
    probs = members_of(8, 3, 4, spread=0.8).exp()
    wanted = joint_information(probs, [0, 1, 2, 3]) - joint_information(probs, [0, 1, 2])
    found = []
    for seed in range(200):
        drawn = Configurations(3, 60, np.random.default_rng(seed))
        for position in (0, 1, 2):
            drawn.add(probs[position])
        found.append(drawn.gain(probs[3]))
    error = np.std(found) / math.sqrt(len(found))
    assert error < 0.01
    assert np.mean(found) == pytest.approx(wanted, abs=4 * float(error))


def test_a_hundred_objects_underflow_nowhere():
    """The product of their probabilities is below what a float holds."""
    probs = torch.softmax(
        2 * torch.randn(100, 3, 50, generator=torch.Generator().manual_seed(0)).mul(0.02), dim=2
    )
    known = Configurations(3, 300, np.random.default_rng(0))
    for each in probs:
        known.add(each)
    gain = known.gain(members_of(1, 3, 50)[0].exp())
    assert 0 < gain < math.log(3)
    assert 0 < known.doubt < math.log(3)


def test_where_labels_tell_the_members_apart_the_choice_begins_anew():
    """Two members that contradict each other are told apart by one label; then comes the next best by BALD."""
    strength = torch.linspace(9, 12, 6)
    sides = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    log_probs = torch.log_softmax(strength[:, None, None] * sides, dim=2)
    chosen, gains = most_telling(log_probs.exp(), 6, 10_000, np.random.default_rng(0))
    assert sorted(chosen.tolist()) == list(range(6))
    assert gains == pytest.approx(math.log(2), abs=1e-3)


def test_equal_members_have_nothing_to_tell_and_any_objects_are_chosen():
    alike = torch.log_softmax(torch.ones(30, 4, 3), dim=2)
    firsts = {
        int(query("batch_bald", signals_of(alike), 2, seed).indices[0]) for seed in range(40)
    }
    assert len(firsts) > 10
    assert query("batch_bald", signals_of(alike), 30).scores.max() < 2e-5
    targets = alike[:5]
    chosen = query("epig", signals_of(alike, targets), 30)
    assert np.abs(chosen.scores).max() < 1e-6


@pytest.mark.parametrize("text", ["batch_bald", "epig"])
def test_beyond_the_shortlist_a_query_goes_on_by_bald(text):
    log_probs = members_of(N)
    signals = signals_of(log_probs, members_of(4, seed=9), np.array([2, 5, 7]))
    chosen = query(text, signals, 7)
    assert sorted(positions(signals, chosen)[:3]) == [2, 5, 7]
    alone = np.array([joint_information(log_probs.exp(), [each]) for each in range(N)])
    alone[[2, 5, 7]] = -1
    assert positions(signals, chosen)[3:] == np.argsort(-alone)[:4].tolist()
    np.testing.assert_allclose(chosen.scores[3:], np.sort(alone)[::-1][:4], atol=1e-5)


def full_epig(targets, probs):
    """Return H(y) + mean of H(y*) - H(y, y*) by the full joint of each pair, in float64."""
    joint = torch.einsum("nkc,mkd->nmcd", probs.double(), targets.double()) / probs.shape[1]
    own = torch.special.entr(probs.double().mean(1)).sum(1)
    of_target = torch.special.entr(targets.double().mean(1)).sum(1)
    return own + (of_target - torch.special.entr(joint).sum((2, 3))).mean(1)


@pytest.mark.parametrize(("classes", "members"), [(2, 2), (3, 5), (11, 3)])
def test_epig_is_its_definition_by_all_pairs_of_labels(monkeypatch, classes, members):
    log_probs, targets = members_of(40, members, classes), members_of(9, members, classes, 5)
    signals = signals_of(log_probs, targets)
    wanted = full_epig(targets.exp(), log_probs.exp())
    chosen = query("epig", signals, 12)
    assert positions(signals, chosen) == wanted.argsort(descending=True)[:12].tolist()
    np.testing.assert_allclose(chosen.scores, wanted.sort(descending=True).values[:12], atol=2e-6)
    whole = information_about(targets.exp(), log_probs.exp())
    monkeypatch.setattr("alray.strategies.epig.AT_ONCE", 7 * classes * 9 * classes)
    torch.testing.assert_close(information_about(targets.exp(), log_probs.exp()), whole)
    alone = [joint_information(log_probs.exp(), [each]) for each in range(40)]
    assert (whole.numpy() <= np.array(alone) + 1e-6).all()


def test_epig_prefers_what_tells_about_the_targets_to_what_tells_about_the_members():
    """Members contradict each other most about the first object, but only the second one's question is the targets'."""
    certain, rather = torch.tensor([6.0, -6.0]), torch.tensor([2.0, -2.0])
    first, second = torch.tensor([1.0, 1.0, -1.0, -1.0]), torch.tensor([1.0, -1.0, 1.0, -1.0])
    log_probs = torch.stack(
        [
            torch.log_softmax(first[:, None] * certain, 1),
            torch.log_softmax(second[:, None] * rather, 1),
        ]
    )
    targets = torch.log_softmax(second[:, None] * rather, 1).expand(3, 4, 2)
    signals = signals_of(log_probs, targets)
    assert positions(signals, query("epig", signals, 1)) == [1]
    assert positions(signals, query("batch_bald", signals, 1)) == [0]
    assert query("epig", signals, 2).scores[1] == pytest.approx(0, abs=1e-6)


def test_probabilities_of_zero_are_no_trouble():
    logits = 3 * members_of(N)
    logits[:, :, 0] = -math.inf
    logits[::2, 1:3, 1] = -math.inf
    log_probs = torch.log_softmax(logits, dim=2)
    signals = signals_of(log_probs, log_probs[:4])
    for text in ("batch_bald", "batch_bald:samples=5", "epig"):
        chosen = query(text, signals, N)
        assert sorted(chosen.indices) == signals.candidates.tolist()
        assert np.isfinite(chosen.scores).all()
    np.testing.assert_allclose(
        information_about(log_probs[:4].exp(), log_probs.exp()),
        full_epig(log_probs[:4].exp(), log_probs.exp()),
        atol=1e-5,
    )


@pytest.mark.parametrize("text", ["batch_bald", "epig"])
def test_answers_that_are_not_numbers_are_refused(text):
    signals = signals_of(members_of(N), members_of(4))
    given(given(signals.shortlist).members)[3, 1] = math.nan
    with pytest.raises(ScoreError, match=r"NaN for 1 of 12 objects.*smaller training\.lr"):
        query(text, signals, 3)


def test_targets_that_are_not_numbers_are_refused():
    targets = members_of(4)
    targets[1] = math.nan
    with pytest.raises(ScoreError, match="NaN for 1 of 4 objects"):
        query("epig", signals_of(members_of(N), targets), 3)


@pytest.mark.parametrize(
    "text",
    [
        "batch_bald:shortlist=0",
        "batch_bald:samples=0",
        "epig:targets=0",
        "epig:shortlist=0",
        "epig:members=1",
    ],
)
def test_options_out_of_range_are_refused(text):
    with pytest.raises(SpecError, match="must be at least"):
        parse(text)


def test_a_query_draws_by_its_generator_alone():
    """Beyond few configurations it draws, and the same again with the same generator."""
    signals = signals_of(members_of(60, 6, 4, spread=0.5))
    found: list[Any] = [query("batch_bald:samples=20", signals, 8, seed) for seed in (0, 0, 1)]
    assert found[0].indices.tolist() == found[1].indices.tolist()
    assert found[0].scores.tolist() == found[1].scores.tolist()
    assert found[0].scores.tolist() != found[2].scores.tolist()
