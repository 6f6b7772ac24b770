"""What may vary between the arms of a sweep, and a study's settings as they hold for one of its variants."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from alray.errors import SpecError
from alray.settings.base import Settings, assign, look_up, setting_names, unknown_name, validate
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.sweep import SweepSpec

VARIED: Mapping[str, type[Settings]] = {"model": ModelSpec, "training": TrainingSpec}
"""Groups of settings that may vary."""

PROTOCOL = ("initial", "query", "candidates")
"""Single settings that may vary."""

FIXED: Mapping[str, str] = {
    "rounds": "a run of fewer rounds is the beginning of a longer one, so read it off the curves; rounds follow by "
    "themselves where query or initial vary",
    "metric_split": "every run records the metrics of both parts",
    "screen": "a screen leaves the choice nearly as it is, and screen_recall says how nearly; compare two studies with "
    "`alray report --compare`",
    "seeds": "every arm runs with all seeds",
}
"""Settings that may not vary, by the first part of their names: the reason."""


def choices(vary: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the varied settings' values.

    Raises:
        SpecError: A setting does not exist, or may not vary.
    """
    valid = [
        f"{section}.{name}" for section, kind in VARIED.items() for name in setting_names(kind)
    ]
    valid += PROTOCOL
    for key in vary:
        if key not in valid and not key.startswith("model.options."):
            _refuse(key, valid)
    return [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]


def _refuse(key: str, valid: list[str]) -> None:
    first = key.partition(".")[0]
    if first not in SweepSpec.model_fields or first in VARIED:
        raise SpecError(f"vary: {unknown_name('setting', key, valid)}")
    reason = FIXED.get(first, "run a study of its own for each value")
    raise SpecError(f"vary: {key} is the same for all arms of a study: {reason}")


def varied_study(study: SweepSpec, choice: Mapping[str, Any]) -> SweepSpec:
    """Return a study's settings as they hold for a variant.

    Where `initial` or `query` vary, the labels at the end stay those of the study's own settings, and the rounds
    follow, rounded down: arms are then compared at equal cost.

    Raises:
        SpecError: A value is not valid, or leaves no round.
    """
    values: dict[str, Any] = {section: getattr(study, section).model_dump() for section in VARIED}
    for name, value in choice.items():
        assign(values, name, value)
    sections = {
        name: validate(kind, values[name], f"vary: {name}") for name, kind in VARIED.items()
    }
    single = {name: value for name, value in values.items() if name not in VARIED}
    own = {name: getattr(study, name) for name in SweepSpec.model_fields}
    varied = validate(SweepSpec, {**own, **sections, **single}, "vary")
    rounds = study.rounds_of(varied.initial, varied.query)
    if rounds == 0 and study.rounds > 0:
        raise SpecError(
            f"vary: initial = {varied.initial:,} and query = {varied.query:,} leave no round, since all arms end at "
            f"the study's {study.budget:,} labels (initial + rounds x query); lower them, or add --rounds"
        )
    return varied.model_copy(update={"rounds": rounds})


def variant_of(study: SweepSpec, varied: SweepSpec, choice: Mapping[str, Any]) -> str:
    """Name the varied settings that differ from the study's own; a variant that does not differ has no name."""
    differing = [name for name in choice if look_up(varied, name) != look_up(study, name)]
    return ", ".join(
        f"{name.partition('.')[2] or name}={look_up(varied, name)}" for name in differing
    )
