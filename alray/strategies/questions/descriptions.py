"""What there is to know about strategies of yes/no questions before one is chosen."""

from collections.abc import Mapping

from alray.strategies.descriptions import Description

_SOURCE = "Hu, Lipton, Anandkumar and Ramanan 2019"

QUESTION_DESCRIPTIONS: Mapping[str, Description] = {
    "questions:passive": Description(
        "random objects, questions by halves to the full label",
        f"binary search; the baseline of {_SOURCE}",
        "nothing is scored",
        "what the other strategies of questions are compared with",
    ),
    "questions:aq": Description(
        "random objects, questions by the model to the full label",
        _SOURCE,
        "q c for each object that is asked about, with q questions",
    ),
    "questions:al": Description(
        "uncertain objects, questions by halves to the full label",
        _SOURCE,
        "n c, and a partial sort",
    ),
    "questions:alpf": Description(
        "any object and question; partial labels are learnt from",
        _SOURCE,
        "n q c, with q questions, and q c for each answer",
        "42 % fewer questions than by halves until all of TinyImageNet was labelled (the authors' own figure)",
    ),
}
