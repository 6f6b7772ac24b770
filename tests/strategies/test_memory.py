"""What a query holds at a time: never a table of all candidates by all, nor a gradient for each of them."""

import numpy as np
import pytest
import torch

from alray.strategies import cold_start, distances, parse
from alray.strategies.clusters import Clusters
from alray.strategies.distances import row_blocks
from alray.strategies.signals import Signals
from tests.helpers.memory import MEGABYTE, Peak, peak_of

N, LABELLED, WIDTH, CLASSES = 6_000, 3_000, 32, 50

TABLE = 4 * N * N / MEGABYTE
GRADIENTS = 4 * N * CLASSES * WIDTH / MEGABYTE
ALLOWED = Peak(tensor=6, besides=16)
"""Features take 0.8 MB, probabilities 1.2 MB, a block of distances 4 MB."""


def shown(n, **more):
    """Return what the strategies below look at of n objects."""
    generator = torch.Generator().manual_seed(n)
    features = torch.randn(n, WIDTH, generator=generator)
    log_probs = torch.log_softmax(torch.randn(n, CLASSES, generator=generator), 1)
    return Signals(
        np.arange(n), log_probs=log_probs, features=features, pool_features=features, **more
    )


def signals(n, labelled):
    known = shown(labelled, labels=torch.arange(labelled) % CLASSES)
    return shown(n, labelled=known)


@pytest.fixture(scope="module")
def many():
    return signals(N, LABELLED)


@pytest.mark.parametrize(
    ("text", "k"),
    [
        ("badge", 20),
        ("coreset", 20),
        ("typiclust:clusters=1", 1),
        ("probcover", 5),
        ("max_herding", 5),
        ("u_herding", 5),
        ("galaxy", 20),
        ("density", 20),
        ("class_balanced", 20),
    ],
)
def test_a_query_is_far_from_holding_all_pairs_or_all_gradients(many, text, k):
    strategy = parse(text)
    # Its time grows with labels x classes, its memory with candidates x classes.
    wanted = signals(N, 40) if text == "galaxy" else many
    few, rng = signals(60, 10), np.random.default_rng(0)
    found = peak_of(
        lambda: strategy.select(wanted, k, rng), before=lambda: strategy.select(few, 2, rng)
    )
    assert found.tensor < ALLOWED.tensor < GRADIENTS / 6 < TABLE / 20
    assert found.besides < ALLOWED.besides < GRADIENTS / 2


def test_what_is_held_is_seen():
    """A table and gradients, made by PyTorch or by NumPy, are more than is allowed."""
    x, log_probs = torch.zeros(N, WIDTH), torch.zeros(N, CLASSES)
    assert peak_of(lambda: torch.cdist(x, x)).tensor == pytest.approx(TABLE)
    gradients = peak_of(lambda: log_probs[:, :, None] * x[:, None])
    assert gradients.tensor == pytest.approx(GRADIENTS)
    assert peak_of(lambda: np.zeros((N, N), dtype=bool)).besides > TABLE / 4 > ALLOWED.besides


def test_the_nearest_to_many_centres_are_found_block_by_block(monkeypatch, many):
    x = many.pool_features
    found = Clusters(np.arange(N) % LABELLED, x[:LABELLED])
    monkeypatch.setattr(cold_start, "cluster", lambda *_: found)
    rng = np.random.default_rng(0)
    peak = peak_of(lambda: cold_start.spread_out("centroid", x, LABELLED, rng))
    assert peak.tensor < ALLOWED.tensor
    assert peak.besides < ALLOWED.besides


@pytest.mark.parametrize(("rows", "columns"), [(10, 7), (3, 100), (1, 1), (0, 5), (5, 0)])
def test_blocks_have_every_row_once_and_are_as_large_as_may_be_held(monkeypatch, rows, columns):
    monkeypatch.setattr(distances, "BLOCK_NUMBERS", 21)
    blocks = [range(rows)[block] for block in row_blocks(rows, columns)]
    assert [row for block in blocks for row in block] == list(range(rows))
    assert all(len(block) == 1 or len(block) * columns <= 21 for block in blocks)
