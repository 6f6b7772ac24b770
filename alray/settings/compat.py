"""What `compat: original` fills in: the settings of the published study, for those who want its numbers."""

from collections.abc import Mapping
from typing import Any

from alray.settings.base import Settings, assign

ORIGINAL_SWEEP: Mapping[str, Any] = {
    "initial_draw": "with_replacement",
    "metric_split": "validation",
    "split.per": "study",
    "training.batch_rule": "published",
    "training.stopping": "held_out",
}
"""Setting of a sweep, by dotted name: its value in the published study. Its intervals are in
`analysis/sweep/original.py`."""

ORIGINAL_CORRELATION: Mapping[str, Any] = {
    "fine_tune_seeds": 1,
    "replay": "initial",
    "epochs": (1, 2, 3, 4, 5),
    "grouping": ("score",),
    "outcome": "accuracy",
}
"""The same of a correlation study."""


def as_original(values: object, original: Mapping[str, Any]) -> object:
    """Return settings with those of the published study under `compat: original`; what is given takes precedence.

    `values` are what a class of settings is made of: plain ones, sections among them that are settings already, or
    something that is not valid, which stays as it is.
    """
    if not isinstance(values, Mapping) or values.get("compat") != "original":
        return values
    filled = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in values.items()
    }
    for name, value in original.items():
        section, dot, key = name.rpartition(".")
        inner = filled.get(section) if dot else filled
        if isinstance(inner, Settings):
            if key not in inner.model_fields_set:
                filled[section] = inner.model_copy(update={key: value})
        elif inner is None or (isinstance(inner, Mapping) and key not in inner):
            assign(filled, name, value)
    return filled
