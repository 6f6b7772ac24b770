"""Draws that depend on a seed and an id alone: SipHash as published, uniform, and what is drawn by them."""

import numpy as np
from scipy import stats

from alray.seeding import draws_by_id, seed
from alray.strategies import Stochastic, parse
from alray.studies.choosing.rule import ChoiceSeed, rule_of

MASK = 2**64 - 1
IDS = np.array([f"object-{n}" for n in range(30_000)], object)


def rotated(x, by):
    return (x << by | x >> (64 - by)) & MASK


def sip_hash(key: bytes, text: bytes) -> int:
    """SipHash-2-4 (Aumasson and Bernstein 2012, section 2)."""
    k0, k1 = (int.from_bytes(key[at : at + 8], "little") for at in (0, 8))
    v = [
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    ]

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[2] = (v[2] + v[3]) & MASK
            v[1], v[3] = rotated(v[1], 13) ^ v[0], rotated(v[3], 16) ^ v[2]
            v[0] = rotated(v[0], 32)
            v[2] = (v[2] + v[1]) & MASK
            v[0] = (v[0] + v[3]) & MASK
            v[1], v[3] = rotated(v[1], 17) ^ v[2], rotated(v[3], 21) ^ v[0]
            v[2] = rotated(v[2], 32)

    padded = text + b"\0" * (7 - len(text) % 8) + bytes([len(text) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def mixed(x: int) -> int:
    """The finaliser of SplitMix64, by which pandas maps hashes one to one to others."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def test_the_hash_is_that_of_the_paper():
    assert sip_hash(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5  # its appendix A


def test_draws_are_the_published_hash_of_the_id():
    key = f"{seed(3, 0, 'choice', 5) % 2**64:016x}".encode()
    texts = ["", "a", "object-17", "naïve", "x" * 100]
    found = draws_by_id(3, 0, "choice", np.array(texts, object), 5)
    assert found.tolist() == [mixed(sip_hash(key, text.encode())) for text in texts]


def test_draws_are_uniform_and_seeds_independent():
    one, other, later = (ChoiceSeed(*each).draws(IDS) / 2**64 for each in ((0,), (1,), (0, 1)))
    assert stats.kstest(one, "uniform").pvalue > 1e-3
    for another in (other, later):
        assert abs(np.corrcoef(one, another)[0, 1]) < 5 / np.sqrt(len(IDS))
    assert len(draws_by_id(0, 0, "choice", np.empty(0, object))) == 0


def test_objects_are_drawn_with_probabilities_that_follow_from_their_scores():
    """Of many threes of objects with margins .1, .5 and .8 the first drawn is each as often as power says."""
    rule = rule_of("margin:stochastic=power:beta=2", 1)
    assert isinstance(rule.scorer, Stochastic)
    margins = np.tile([0.1, 0.5, 0.8], len(IDS) // 3)
    first = rule.costs(IDS, margins, ChoiceSeed(4)).reshape(-1, 3).argmin(1)
    expected = np.array([0.9, 0.5, 0.2]) ** 2
    expected *= len(first) / expected.sum()
    assert stats.chisquare(np.bincount(first), expected).pvalue > 1e-3


def test_drawing_in_memory_is_by_the_same_numbers():
    strategy = parse("margin:stochastic=softmax:beta=3")
    assert isinstance(strategy, Stochastic)
    scores = np.random.default_rng(1).random(50)
    query = strategy.choose(np.arange(50), scores, 10, np.random.default_rng(2))
    noise = np.random.default_rng(2).gumbel(size=50)
    assert query.indices.tolist() == np.argsort(-strategy.drawn(scores, noise))[:10].tolist()
