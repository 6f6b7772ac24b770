"""Made-up questions, answers and predictions, for the tests of what asks yes/no questions."""

import numpy as np

from alray.assessors.class_tree import Questions, questions_of
from alray.assessors.evidence import Evidence
from alray.assessors.replies import Respondent
from alray.studies.sweep.question_rounds import Asking

EVERYTHING = ("eig", "erc", "edc")


def halves(members):
    """Return the nodes of a balanced tree over some classes, by name."""
    if len(members) < 2:
        return []
    middle = (len(members) + 1) // 2
    sides = members[:middle], members[middle:]
    return [("", tuple(members)), *halves(sides[0]), *halves(sides[1])]


def balanced(classes) -> Questions:
    return questions_of(halves(list(range(classes))), classes)


def some_tree(classes, rng) -> Questions:
    """Return the questions of a random binary tree."""
    nodes: list[tuple[int, ...]] = [(code,) for code in range(classes)]
    sets = []
    while len(nodes) > 2:
        one, other = (nodes.pop(int(rng.integers(len(nodes)))) for _ in range(2))
        nodes.append(tuple(sorted(one + other)))
        sets.append(("", nodes[-1]))
    return questions_of(sets, classes)


def predictions(objects, classes, rng, sharpness=1.5):
    logits = rng.normal(size=(objects, classes)) * sharpness
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return logs.astype(np.float32)


def asking(questions, labels, rule="eig", rate=0.0, seed=0) -> Asking:
    """Return who is asked about objects of these classes."""
    respondent = Respondent(
        questions.sets,
        labels,
        lambda index: np.random.default_rng((seed, index)),
        rate=rate,
    )
    evidence = Evidence(questions.sets, rate, len(labels))
    return Asking(questions, evidence, respondent, rule, exact=rate == 0)
