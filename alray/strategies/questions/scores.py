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
    inside = possible.double() @ of_sets
    every = possible.sum(1, keepdim=True).double()
    parting = (inside > 0) & (inside < every)
    if rule == "eig":
        found = torch.special.entr(yes) + torch.special.entr(1 - yes)
    else:
        remaining = yes * inside + (1 - yes) * (every - inside)
        found = -remaining if rule == "erc" else every - remaining
    return found.round_(decimals=DECIMALS), parting


def _best(
    beliefs: Float[Tensor, "n c"],
    possible: Bool[Tensor, "n c"],
    of_sets: Float[Tensor, "c q"],
    rule: Rule,
) -> Best:
    scores, parting = question_scores(beliefs, possible, of_sets, rule)
    # Of equal ones argmax takes the first.
    questions = scores.masked_fill(~parting, -torch.inf).argmax(1)
    chosen = scores.gather(1, questions[:, None]).squeeze(1)
    useless = ~parting.any(1)
    if rule == "eig":
        useless |= chosen == 0
    likeliest = of_sets.shape[1] - of_sets.shape[0] + beliefs.argmax(1)
    questions = torch.where(useless, likeliest, questions)
    return Best(questions, scores.gather(1, questions[:, None]).squeeze(1))
