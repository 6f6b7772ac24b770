"""The rows of answers to yes/no questions."""

from collections.abc import Mapping, Sequence
from typing import Any

from alray.assessors.class_tree import Questions
from alray.assessors.replies import NOBODY
from alray.pools.pool import Pool
from alray.studies.sweep.records import RoundResult


def reply_rows(
    name: Mapping[str, Any], results: Sequence[RoundResult], pool: Pool, cost: float
) -> list[dict[str, Any]]:
    """Return a row per answer to a yes/no question that the run of this name has got."""
    return [
        {
            **name,
            "round": round_number,
            "id": str(pool.ids[index]),
            "assessor": None if assessor == NOBODY else assessor,
            "question": question_text(result.asked.questions, question, pool.classes),
            "answer": "yes" if answer else "no",
            "cost": cost,
        }
        for result in results
        if result.asked is not None
        for round_number, index, assessor, question, answer, _ in (
            result.asked.replies.table().tolist()
        )
    ]


def question_text(questions: Questions, number: int, classes: Sequence[str]) -> str:
    """Return what a question is about in words."""
    return questions.names[number] or " or ".join(
        classes[code] for code in questions.members[number]
    )
