"""The rows of answers: those of a crowd that name a class, and those to yes/no questions."""

from collections.abc import Mapping, Sequence
from typing import Any

from alray.assessors.class_tree import Questions
from alray.assessors.crowd import SKIP
from alray.assessors.replies import NOBODY
from alray.pools.pool import Pool
from alray.studies.sweep.records import RoundResult


def answer_rows(
    name: Mapping[str, Any], results: Sequence[RoundResult], pool: Pool, cost: float
) -> list[dict[str, Any]]:
    """Return a row per answer, and per skipped question, that the run of this name has got."""
    return [
        {
            **name,
            "round": round_number,
            "id": str(pool.ids[index]),
            "assessor": assessor,
            "question": None,
            "answer": None if answer == SKIP else pool.classes[answer],
            "cost": 0.0 if answer == SKIP else cost,
        }
        for result in results
        if result.answers is not None
        for round_number, index, assessor, answer in result.answers.table().tolist()
    ]


def reply_rows(
    name: Mapping[str, Any], results: Sequence[RoundResult], pool: Pool, cost: float
) -> list[dict[str, Any]]:
    """Return a row per answer to a yes/no question that the run of this name has got."""
    rows: list[dict[str, Any]] = []
    for result in results:
        if result.asked is None:
            continue
        # Rows share their texts: there may be hundreds of thousands.
        texts = question_texts(result.asked.questions, pool.classes)
        rows += [
            {
                **name,
                "round": round_number,
                "id": str(pool.ids[index]),
                "assessor": None if assessor == NOBODY else assessor,
                "question": texts[question],
                "answer": "yes" if answer else "no",
                "cost": cost,
            }
            for round_number, index, assessor, question, answer, _ in (
                result.asked.replies.table().tolist()
            )
        ]
    return rows


def question_texts(questions: Questions, classes: Sequence[str]) -> list[str]:
    """Return what each question is about in words."""
    return [
        name or " or ".join(classes[code] for code in members)
        for name, members in zip(questions.names, questions.members, strict=True)
    ]
