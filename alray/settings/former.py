"""Defaults that have changed since studies were begun: such a study goes on under the values that it was begun with."""

from collections.abc import Mapping
from typing import Any

from alray.errors import SpecError
from alray.settings.base import Settings, assign, flatten, is_set, setting_names, validate

FORMER: Mapping[str, Any] = {
    "pool.group_by": None,
    "split.per": "study",
    "training.batch_rule": "adaptive",
    "training.stopping": "held_out",
    "grouping": ["score", "within_class", "random"],
    "bases": 3,
    "fine_tune_seeds": 5,
    "epochs": [1, 2, 5, 10, 20],
    "replay": "none",
}
"""Setting whose default has changed, by dotted name: the value of studies that are older than the setting."""


def as_recorded(kind: type[Settings], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings on record as nested plain values, with the former values of those that are not on record."""
    values = _copy(record)
    on_record = flatten(values)
    for name in _former(kind):
        if name not in on_record:
            assign(values, name, FORMER[name])
    return values


def resolved_record(kind: type[Settings], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings on record as this version would write them; what it does not know stays as it is."""
    values = as_recorded(kind, record)
    try:
        return validate(kind, values, "the record").model_dump(mode="json")
    except SpecError:
        return values


def begun_with(study: Settings, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values on record of the settings whose default has changed and which a study leaves to the default."""
    on_record = flatten(as_recorded(type(study), record))
    return {name: on_record[name] for name in _former(type(study)) if not is_set(study, name)}


def _former(kind: type[Settings]) -> list[str]:
    names = frozenset(setting_names(kind))
    return [name for name in FORMER if name in names]


def _copy(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _copy(value) if isinstance(value, Mapping) else value for key, value in values.items()
    }
