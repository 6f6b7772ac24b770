"""Asking a crowd: who is asked about which objects, and what they answer."""

from collections.abc import Callable

import numpy as np

from alray.assessors.answers import Answers
from alray.assessors.crowd import SKIP, Crowd
from alray.pools.pool import Indices

Generators = Callable[[int], np.random.Generator]
"""Takes an object's pool index, and returns the generator of its answers."""


def ask(
    crowd: Crowd,
    objects: Indices,
    truths: Indices,
    answers: int,
    round_number: int,
    generators: Generators,
) -> Answers:
    """Ask about objects until each has so many answers, or everyone was asked.

    Assessors are asked in a random order, each once. An object's order and the answers about it are drawn by its own
    generator, and so depend neither on when it is asked about nor on what else is: arms that ask about the same object
    hear the same.

    Args:
        crowd: Who answers.
        objects: (n,) pool indices, none of which was asked about before.
        truths: (n,) their classes.
        answers: Answers to buy for each.
        round_number: The round.
        generators: Of each object.
    """
    asked: list[np.ndarray] = []
    for index, truth in zip(objects.tolist(), truths.tolist(), strict=True):
        rng = generators(index)
        order = rng.permutation(len(crowd))
        heard = crowd.answers(truth, rng)[order]
        enough = np.flatnonzero(np.cumsum(heard != SKIP) == answers)
        last = int(enough[0]) + 1 if len(enough) else len(crowd)
        of_object = np.full(last, index)
        asked.append(np.stack([of_object, order[:last], heard[:last]], axis=1))
    if not asked:
        return Answers()
    table = np.concatenate(asked)
    rounds = np.full((len(table), 1), round_number)
    return Answers.of_table(np.concatenate([rounds, table], axis=1))
