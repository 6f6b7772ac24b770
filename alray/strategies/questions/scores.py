"""How much a yes/no question about an object is worth (Hu et al. 2019): pure functions of beliefs about its class."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

Rule = Literal["eig", "erc", "edc"]

DECIMALS = 9
"""Of scores: what is equal but for the order of sums is equal, and the first question, or chance, decides."""

ROWS = 4096
"""Objects that are looked at together: it bounds the memory, a row being a number per question and class."""


class Best(NamedTuple):
    """The best question of each object.

    Attributes:
        questions: (n,) which one.
        scores: (n,) its score, a larger one being better.
    """

    questions: Int64[Tensor, " n"]
    scores: Float[Tensor, " n"]


def best_questions(
    beliefs: Float[Tensor, "n c"],
    possible: Bool[Tensor, "n c"],
    sets: Bool[Tensor, "q c"],
    rule: Rule,
) -> Best:
    """Return the best question of each object among those that part its possible classes.

    Where these all score 0 (no class but one has a probability that a number can hold), and where none parts them, it
    is the question about the likeliest class alone, so that each answer tells something.

    Args:
        beliefs: (n, c) float64 probabilities of classes, zero where impossible, each row's sum 1.
        possible: (n, c) classes that count as possible.
        sets: (q, c) what questions are about; the last c are the single classes.
        rule: Which score.
    """
    of_sets = sets.t().double()
    parts = [
        _best(beliefs[start : start + ROWS], possible[start : start + ROWS], of_sets, rule)
        for start in range(0, len(beliefs), ROWS)
    ]
    if not parts:
        return Best(torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.float64))
    return Best(*(torch.cat(each) for each in zip(*parts, strict=True)))


def question_scores(
    beliefs: Float[Tensor, "n c"],
    possible: Bool[Tensor, "n c"],
    of_sets: Float[Tensor, "c q"],
    rule: Rule,
) -> tuple[Float[Tensor, "n q"], Bool[Tensor, "n q"]]:
    """Return each question's score, a larger one being better, and whether it parts the possible classes.

    With the probability p of a yes, and of the a possible classes b in the set: eig is the expected information gain
    H2(p) in nats; erc the expected number of remaining classes p b + (1 - p) (a - b), negative; edc the expected number
    of classes that drop out, a less that.
    """
    yes = (beliefs @ of_sets).clamp_(0, 1)
    inside, every, parting = _parted(possible, of_sets)
    if rule == "eig":
        return _entropy(yes).round_(decimals=DECIMALS), parting
    remaining = yes * inside + (1 - yes) * (every - inside)
    return (-remaining if rule == "erc" else every - remaining).round_(decimals=DECIMALS), parting


def _best(
    beliefs: Float[Tensor, "n c"],
    possible: Bool[Tensor, "n c"],
    of_sets: Float[Tensor, "c q"],
    rule: Rule,
) -> Best:
    if rule == "eig":
        # The entropy is the larger the nearer p is to a half: logarithms of all questions would take most of the time.
        yes = (beliefs @ of_sets).clamp_(0, 1)
        _, _, parting = _parted(possible, of_sets)
        order = yes.sub(0.5).abs_().neg_().round_(decimals=DECIMALS)
    else:
        order, parting = question_scores(beliefs, possible, of_sets, rule)
    # Of equal ones argmax takes the first.
    questions = order.masked_fill(~parting, -torch.inf).argmax(1)

    def scores(of: Int64[Tensor, " n"]) -> Float[Tensor, " n"]:
        chosen = (yes if rule == "eig" else order).gather(1, of[:, None]).squeeze(1)
        return _entropy(chosen).round_(decimals=DECIMALS) if rule == "eig" else chosen

    useless = ~parting.any(1)
    if rule == "eig":
        useless |= scores(questions) == 0
    likeliest = of_sets.shape[1] - of_sets.shape[0] + beliefs.argmax(1)
    questions = torch.where(useless, likeliest, questions)
    return Best(questions, scores(questions))


def _entropy(chance: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Return H2, the entropy of yes and no in nats."""
    found: Tensor = torch.special.entr(chance) + torch.special.entr(1 - chance)
    return found


def _parted(
    possible: Bool[Tensor, "n c"], of_sets: Float[Tensor, "c q"]
) -> tuple[Float[Tensor, "n q"], Float[Tensor, "n 1"], Bool[Tensor, "n q"]]:
    """Return how many possible classes each set has, how many there are, and whether the set has some and not all."""
    every = possible.sum(1, keepdim=True).double()
    # Most objects of a pool were not asked about: of these the numbers are those of the sets.
    begun = every.squeeze(1) < possible.shape[1]
    inside = of_sets.sum(0).expand(len(possible), -1).contiguous()
    inside[begun] = possible[begun].double() @ of_sets
    return inside, every, (inside > 0) & (inside < every)
