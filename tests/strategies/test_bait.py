"""BAIT against its definition by whole Fisher matrices, which are built and inverted for every object."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from alray.errors import ScoreError, SpecError
from alray.strategies import parse
from alray.strategies.base import given
from alray.strategies.fisher import Information, total_information
from alray.strategies.signals import Signals
from tests.helpers.strategy_cases import make_signals

NEEDS = parse("bait").needs


def query(signals, k, text="bait", seed=0):
    return parse(text).select(signals, k, np.random.default_rng(seed))


def positions(signals, chosen):
    return np.searchsorted(signals.candidates, chosen.indices).tolist()


def information(signals) -> list[torch.Tensor]:
    """Return each object's Fisher information of the last layer's weights, by class, then by input."""
    found = []
    for log_probs, h in zip(given(signals.log_probs), given(signals.features), strict=True):
        p, x = log_probs.double().exp(), h.double()
        found.append(torch.kron(torch.diag(p) - torch.outer(p, p), torch.outer(x, x)))
    return found


def expected_gradients(signals):
    """Return the same as the mean over labels of outer products of the gradients of -log p(label)."""
    found = []
    for log_probs, h in zip(given(signals.log_probs), given(signals.features), strict=True):
        p = log_probs.double().exp()
        gradients = [torch.outer(p - e, h.double()).flatten() for e in torch.eye(len(p)).double()]
        outer = [weight * torch.outer(g, g) for weight, g in zip(p, gradients, strict=True)]
        found.append(torch.stack(outer).sum(0))
    return found


def brute_force(signals, k):
    """Return the batch in the order in which its objects were added, and by how much each lowered the trace."""
    each = information(signals)
    known = torch.stack(information(signals.labelled)).sum(0)
    everything = known + torch.stack(each).sum(0)

    def trace(batch):
        matrix = known + torch.eye(len(known)).double()
        for position in batch:
            matrix = matrix + each[position]
        return float(torch.trace(torch.linalg.inv(matrix) @ everything))

    batch: list[int] = []
    gains = {}
    for _ in range(min(2 * k, len(each))):
        found = {i: trace([*batch, i]) for i in range(len(each)) if i not in batch}
        best = min(found, key=lambda i: found[i])
        gains[best] = trace(batch) - found[best]
        batch.append(best)
    while len(batch) > k:
        found = {i: trace([j for j in batch if j != i]) for i in batch}
        batch.remove(min(found, key=lambda i: found[i]))
    return batch, [gains[i] for i in batch]


@pytest.mark.parametrize(("n", "k", "classes"), [(14, 4, 3), (10, 3, 2), (9, 6, 4), (8, 8, 3)])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_forward_and_backward_greedy_by_whole_matrices(n, k, classes, seed):
    """With six inputs, so nothing is projected; also where twice the batch is more than there are."""
    signals = make_signals(NEEDS, n, classes, seed)
    batch, gains = brute_force(signals, k)
    chosen = query(signals, k)
    assert positions(signals, chosen) == batch
    np.testing.assert_allclose(chosen.scores, gains, rtol=1e-3)


def test_the_information_is_the_covariance_of_gradients():
    signals = make_signals(NEEDS, 7, 3)
    wanted = torch.stack(expected_gradients(signals)).sum(0)
    torch.testing.assert_close(torch.stack(information(signals)).sum(0), wanted)
    found = total_information(given(signals.log_probs).exp(), given(signals.features))
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_blocks_are_added_up(monkeypatch):
    signals = make_signals(NEEDS, 11, 3)
    probs, inputs = given(signals.log_probs).exp(), given(signals.features)
    whole = total_information(probs, inputs)
    one = Information(whole + torch.eye(len(whole)), whole, 3).gains(probs, inputs)
    monkeypatch.setattr("alray.strategies.fisher.BLOCK", 4)
    monkeypatch.setattr("alray.strategies.fisher.AT_ONCE", 4)
    torch.testing.assert_close(total_information(probs, inputs), whole, rtol=1e-5, atol=1e-5)
    other = Information(whole + torch.eye(len(whole)), whole, 3).gains(probs, inputs)
    torch.testing.assert_close(other, one)


def test_low_rank_changes_are_those_of_whole_matrices():
    """Fifty objects added and taken away again leave what was there."""
    signals = make_signals(NEEDS, 50, 3)
    probs, inputs = given(signals.log_probs).exp(), given(signals.features)
    each = information(signals)
    everything = torch.stack(each).sum(0)
    matrix = torch.eye(18).double() + each[0]
    known = Information(matrix, everything, 3)
    before = known.trace
    for position in range(1, 50):
        known.change(probs[position], inputs[position])
        matrix = matrix + each[position]
    assert known.trace == pytest.approx(float(torch.trace(torch.linalg.inv(matrix) @ everything)))
    grown = known.gains(probs.double(), inputs.double(), removed=True)
    for position in (1, 30):
        without = torch.linalg.inv(matrix - each[position])
        wanted = float(torch.trace(without @ everything)) - known.trace
        assert float(grown[position]) == pytest.approx(wanted, rel=1e-3)
    for position in range(1, 50):
        known.change(probs[position], inputs[position], removed=True)
    assert known.trace == pytest.approx(before, rel=1e-9)


def test_inputs_are_projected_to_their_principal_axes_about_zero():
    """Where all vary along four directions of six, four numbers tell everything; one tells less."""
    signals = make_signals(NEEDS, 20, 3)
    basis = torch.randn(4, 6, generator=torch.Generator().manual_seed(3))
    shift = torch.tensor([1.0, 0.5, -1.0, 0.0])

    def flat(part):
        return replace(part, features=(given(part.features)[:, :4] + shift) @ basis)

    signals = replace(flat(signals), labelled=flat(given(signals.labelled)))
    batch, gains = brute_force(signals, 5)
    chosen = query(signals, 5, "bait:width=4")
    assert positions(signals, chosen) == batch
    np.testing.assert_allclose(chosen.scores, gains, rtol=1e-3)
    narrow = query(signals, 5, "bait:width=1")
    assert (narrow.scores < chosen.scores).all()


def test_copies_are_chosen_last():
    """A copy adds less than an object that points elsewhere, although it is as doubtful as any."""
    h = 3 * torch.eye(6)[[0, 0, 0, 0, 1, 2, 3]]
    signals = Signals(
        np.arange(7),
        log_probs=torch.full((7, 2), 0.5).log(),
        features=h,
        labelled=Signals(
            np.arange(1), log_probs=torch.tensor([[0.5, 0.5]]).log(), features=torch.zeros(1, 6)
        ),
    )
    chosen = positions(signals, query(signals, 4))
    assert len({0, 1, 2, 3}.intersection(chosen)) == 1
    assert {4, 5, 6} < set(chosen)
    assert sorted(query(signals, 7).indices) == list(range(7))


def test_what_is_labelled_counts():
    """A direction that labels cover is passed over."""
    log_probs, h = torch.full((4, 2), 0.5).log(), 3 * torch.eye(4)
    covered = Signals(np.arange(30), log_probs=log_probs[[0] * 30], features=h[[0] * 30])
    signals = Signals(np.arange(4), log_probs=log_probs, features=h, labelled=covered)
    everything = query(signals, 3)
    # F_all counts the labelled ones too: only what they have is covered.
    assert 0 not in everything.indices


def test_more_candidates_than_comparisons_are_drawn_from():
    signals = make_signals(NEEDS, 60, 3)
    few = [query(signals, 5, "bait:comparisons=30", seed).indices.tolist() for seed in (0, 0, 1)]
    assert few[0] == few[1]
    assert few[0] != few[2]
    assert len(set(few[0])) == 5
    many = query(signals, 5)
    assert query(signals, 5, seed=1).indices.tolist() == many.indices.tolist()


@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_large_and_small_inputs_and_certain_answers(scale):
    signals = make_signals(NEEDS, 20, 3)
    certain = torch.log_softmax(1e3 * given(signals.log_probs), dim=1)
    for log_probs in (given(signals.log_probs), certain):
        scaled = replace(signals, features=scale * given(signals.features), log_probs=log_probs)
        chosen = query(scaled, 8)
        assert len(set(chosen.indices.tolist())) == 8
        assert np.isfinite(chosen.scores).all()


@pytest.mark.parametrize("name", ["features", "log_probs"])
@pytest.mark.parametrize("labelled", [True, False])
def test_what_is_not_a_number_is_refused(name, labelled):
    signals = make_signals(NEEDS, 12, 3)
    part = given(signals.labelled) if labelled else signals
    getattr(part, name)[2, 1] = torch.nan
    with pytest.raises(ScoreError, match=r"of 1 of .* are (not finite|NaN).*smaller training\.lr"):
        query(signals, 3)


@pytest.mark.parametrize("text", ["bait:width=0", "bait:comparisons=0"])
def test_options_out_of_range_are_refused(text):
    with pytest.raises(SpecError, match="must be at least 1"):
        parse(text)


def test_matrices_that_would_not_fit_are_refused_where_nothing_was_planned(monkeypatch):
    signals = make_signals(NEEDS)
    monkeypatch.setattr("alray.strategies.bait.MOST_BYTES", (4 * 5) ** 2 * 8)
    with pytest.raises(SpecError, match=r"4 classes and a width of 6 .*use bait:width=5, or"):
        query(signals, 2)
    query(signals, 2, "bait:width=5")
    monkeypatch.setattr("alray.strategies.bait.MOST_BYTES", 3 * 3 * 8)
    with pytest.raises(SpecError, match="use strategy badge"):
        query(signals, 2, "bait:width=1")


def test_blocks_of_few_objects_choose_the_same(monkeypatch):
    """Of many classes a block has fewer objects, so that it is held."""
    signals = make_signals(NEEDS, 40)
    whole = query(signals, 5)
    monkeypatch.setattr("alray.strategies.fisher.MOST_NUMBERS", 100)
    parts = query(signals, 5)
    assert parts.indices.tolist() == whole.indices.tolist()
    np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-4)
