"""A strategy that says `pointwise` of itself and asks for more than a block has is scored on all objects at once."""

from dataclasses import fields
from typing import Any

import pytest

from alray.strategies import parse
from alray.strategies.base import is_pointwise
from alray.strategies.signals import Committee, InputDropout, Request
from tests.helpers.builders import one_run
from tests.helpers.experiments import POOL, after_passive
from tests.helpers.own_scores import REQUESTS

OF_BLOCKS: dict[str, Any] = {
    "log_probs": True,
    "committee": Committee(2),
    "members": True,
    "features": True,
    "predicted_loss": True,
    "true_loss": True,
    "side_heads": "all",
}
"""Signals that a pass computes for a block of candidates alone, and how they are asked for."""


def text(kind, by):
    return f"tests.helpers.own_scores:{kind}:by={by}"


def test_a_block_has_these_signals_and_no_others():
    assert {field.name for field in fields(Request)} == OF_BLOCKS.keys() | REQUESTS.keys()
    assert Request(**OF_BLOCKS).of_blocks
    assert Request().of_blocks
    assert not any(request.of_blocks for request in REQUESTS.values())
    assert not Request(input_dropout=InputDropout()).of_blocks
    assert not any(is_pointwise(parse(text("ByBlock", by))) for by in REQUESTS)


@pytest.mark.parametrize("by", REQUESTS)
def test_such_a_strategy_chooses_what_it_chooses_without_saying_so(by):
    one, other = (
        after_passive(one_run(POOL, strategies=[text(kind, by)], rounds=1)).next_round()
        for kind in ("ByBlock", "AllAtOnce")
    )
    assert len(one.indices) == 4
    assert one.indices.tolist() == other.indices.tolist()
    assert one.scores.tolist() == other.scores.tolist()
