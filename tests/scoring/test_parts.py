"""The pass of late fusion with unusual parts against the plain module."""

from typing import Any

import pytest
import torch

from alray.networks.generators import forked_rng
from alray.networks.loss_predictor import LossPredictor
from alray.scoring.parts import PartsPass
from alray.strategies.signals import Committee, Request
from tests.helpers.builders import make_network, make_pool, with_scaling
from tests.helpers.parts import NAMES, PARTS
from tests.helpers.scoring import assert_scored_as_the_module, scored


def everything(network, committee):
    """Return the arguments that request every signal of a network."""
    with forked_rng(5):
        predictor = LossPredictor(network.tap_sizes)
    wanted = ("log_probs", "features", "predicted_loss", "true_loss")
    asked: dict[str, Any] = dict.fromkeys(wanted, True)
    request = Request(
        committee=committee,
        members=committee is not None,
        side_heads=network.head_names[1:],
        **asked,
    )
    return {"request": request, "predictor": predictor}


def counted(monkeypatch):
    """Return a list that grows with each block which the pass scores."""
    blocks: list[int] = []
    score_block = PartsPass.score_block

    def counting(self, indices):
        blocks.append(len(indices))
        return score_block(self, indices)

    monkeypatch.setattr(PartsPass, "score_block", counting)
    return blocks


@pytest.mark.parametrize(("dimensions", "model"), PARTS, ids=NAMES)
def test_every_combination_is_scored_as_the_module(monkeypatch, dimensions, model):
    pool = with_scaling(make_pool(100, dimensions, absent=0.4))
    network = make_network(pool, randomised=True, width=18, **model)
    blocks = counted(monkeypatch)
    for kind in ("dropout", "both"):
        if kind == "both" and len(network.head_names) == 1:
            continue
        asked = everything(network, Committee(4, kind))
        assert_scored_as_the_module(monkeypatch, network, pool, **asked)
    assert bool(blocks) != network.plain


@pytest.mark.parametrize("block", ["plain", "residual", "highway"])
@pytest.mark.parametrize("dropout", [0.0, 0.9])
@pytest.mark.parametrize("fusion", ["sum", "concat"])
def test_without_dropout_or_with_much(monkeypatch, block, dropout, fusion):
    pool = make_pool(100, absent=0.4)
    model = {"block": block, "fusion": fusion, "dropout": dropout, "encoder": "linear"}
    network = make_network(pool, randomised=True, width=12, **model)
    asked = everything(network, Committee(3, "dropout" if dropout else "heads"))
    assert_scored_as_the_module(monkeypatch, network, pool, **asked)


@pytest.mark.parametrize("block", ["residual", "highway"])
def test_a_single_modality_and_members_alone(monkeypatch, block):
    pool = with_scaling(make_pool(60, {"text": 12}, absent=0.0))
    network = make_network(pool, randomised=True, width=6, block=block)
    request = Request(committee=Committee(3))
    found = assert_scored_as_the_module(monkeypatch, network, pool, request)
    assert found.log_probs is None


@pytest.mark.parametrize(("dimensions", "model"), PARTS[::5], ids=NAMES[::5])
def test_members_differ_and_what_standardises_features_counts(dimensions, model):
    pool = make_pool(100, dimensions, absent=0.4)
    network = make_network(pool, randomised=True, width=18, **model)
    asked = {"request": Request(log_probs=True, committee=Committee(4))}
    plain, scaled = (scored(network, each, **asked) for each in (pool, with_scaling(pool)))
    assert not torch.allclose(plain.log_probs, scaled.log_probs)
    assert not torch.allclose(plain.committee_log_mean, plain.log_probs, atol=1e-3)
