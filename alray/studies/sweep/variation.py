"""What may vary between the arms of a sweep, and a study's settings as they hold for one of its variants."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from alray.errors import SpecError
from alray.settings.base import Settings, assign, look_up, setting_names, unknown_name, validate
from alray.settings.common import ModelSpec, PoolSpec, TrainingSpec
from alray.settings.crowd import AGAIN, CrowdSpec
from alray.settings.sweep import SweepSpec, SweepSplitSpec

VARIED: Mapping[str, type[Settings]] = {
    "model": ModelSpec,
    "training": TrainingSpec,
    "split": SweepSplitSpec,
    "pool": PoolSpec,
    "crowd": CrowdSpec,
}
"""Groups of settings that may vary."""

MODALITIES = "pool.modalities"
"""Its values are names of the study's modalities, joined by +."""

OF_POOL = (
    *("split.validation", "split.test", "split.per"),
    *("pool.dtype", MODALITIES, "pool.group_by", "pool.copies"),
)
"""Settings of the groups `split` and `pool` that may vary: all arms have the same objects and classes."""

PROTOCOL = ("initial", "initial_selection", "query", "candidates")
"""Single settings that may vary."""

FIXED: Mapping[str, str] = {
    "rounds": "a run of fewer rounds is the beginning of a longer one, so read it off the curves; rounds follow by "
    "themselves where query or initial vary",
    "evaluate_every": "a finer curve has all points of a coarser one",
    "metric_split": "every run records the metrics of both parts",
    "screen": "a screen leaves the choice nearly as it is, and screen_recall says how nearly; compare two studies with "
    "`alray report --compare`",
    "seeds": "every arm runs with all seeds",
    "pool": "another value gives other objects or classes, whose accuracies cannot be compared; run a study of its own "
    "for each value",
    "pool.storage": "it changes no record",
    "crowd": "give single settings of the crowd, such as crowd.answers=1,3,5",
    "crowd.cost": "another price changes no answer: curves along answers (`alray report --x answers`) hold for any "
    "price",
    "crowd.table_content": "it is what the file of crowd.table holds",
    "split": "a column that gives the split is read with the pool; run a study of its own for each value",
}
"""Settings that may not vary, by their names or the first part of them: the reason."""


def choices(vary: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the varied settings' values.

    Raises:
        SpecError: A setting does not exist, or may not vary.
    """
    valid = [
        f"{section}.{name}"
        for section in ("model", "training", "crowd")
        for name in setting_names(VARIED[section])
        if f"{section}.{name}" not in FIXED
    ]
    valid += [*PROTOCOL, *OF_POOL]
    for key in vary:
        if key not in valid and not key.startswith("model.options."):
            _refuse(key, valid)
    return [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]


def _refuse(key: str, valid: list[str]) -> None:
    first = key.partition(".")[0]
    is_one = key in setting_names(SweepSpec) and key not in VARIED
    unknown = first not in SweepSpec.model_fields or (first in VARIED and not is_one)
    if unknown and key not in FIXED:
        raise SpecError(f"vary: {unknown_name('setting', key, valid)}")
    reason = FIXED.get(key, FIXED.get(first, "run a study of its own for each value"))
    raise SpecError(f"vary: {key} is the same for all arms of a study: {reason}")


def varied_study(study: SweepSpec, choice: Mapping[str, Any]) -> SweepSpec:
    """Return a study's settings as they hold for a variant.

    Where `initial` or `query` vary, the labels at the end stay those of the study's own settings, and the rounds
    follow, rounded down to a multiple of `evaluate_every`: arms are then compared at equal cost. Where answers of a
    crowd vary, what is spent at the end stays the same in that way.

    Raises:
        SpecError: A value is not valid, or leaves no round.
    """
    groups = {name: getattr(study, name) for name in VARIED}
    if groups["crowd"] is None:
        _refuse_without_crowd(choice)
        del groups["crowd"]
    # What a crowd's settings imply of each other, they imply anew with a varied one.
    values: dict[str, Any] = {
        name: group.model_dump(exclude_unset=name == "crowd") for name, group in groups.items()
    }
    # An address keeps its keys here, which a dump leaves out.
    values["pool"]["source"] = study.pool.source
    for name, value in choice.items():
        assign(values, name, _modalities(study, value) if name == MODALITIES else value)
    sections = {name: validate(VARIED[name], values[name], f"vary: {name}") for name in groups}
    single = {name: value for name, value in values.items() if name not in VARIED}
    own = {name: getattr(study, name) for name in SweepSpec.model_fields}
    varied = validate(SweepSpec, {**own, **sections, **single}, "vary")
    rounds = rounds_of(study, varied)
    if rounds == 0 and study.rounds > 0:
        raise SpecError(f"vary: {_no_round(study, varied)}")
    return varied.model_copy(update={"rounds": rounds})


def rounds_of(study: SweepSpec, varied: SweepSpec) -> int:
    """Return the rounds after which a variant has as many labels as the study's own settings, or has spent as much."""
    return study.rounds_of(varied.initial, varied.query, affordable(study, varied, study.budget))


def affordable(study: SweepSpec, varied: SweepSpec, labels: int) -> int:
    """Return how many labels a variant gets for what so many cost under the study's own settings."""
    if study.crowd is None or varied.crowd is None:
        return labels
    return labels * _least_answers(study.crowd) // _least_answers(varied.crowd)


def _least_answers(crowd: CrowdSpec) -> int:
    """Return the fewest answers that an object gets, by which no variant ends before it has spent its money."""
    return AGAIN[crowd.relabel][0] if crowd.relabel in AGAIN else crowd.answers


def _refuse_without_crowd(choice: Mapping[str, Any]) -> None:
    for name, value in choice.items():
        if name.startswith("crowd."):
            raise SpecError(
                f"vary: {name} = {value}: the study asks no crowd; add one, such as --crowd rate=.2,answers=3"
            )


def _no_round(study: SweepSpec, varied: SweepSpec) -> str:
    """Return why a variant has no round, and what to do."""
    every = study.evaluate_every
    none, lower = (
        ("no round", "them")
        if every == 1
        else (f"fewer than {every} rounds", "them or --evaluate-every")
    )
    labels = affordable(study, varied, study.budget)
    end = f"the study's {labels:,} labels (initial + rounds x query)"
    if labels != study.budget:
        end = f"the cost of the study's {study.budget:,} labels, which pays for {labels:,} here"
    return (
        f"initial = {varied.initial:,} and query = {varied.query:,} leave {none}, since all arms end at {end}; lower "
        f"{lower}, or add --rounds"
    )


def variant_of(study: SweepSpec, varied: SweepSpec, choice: Mapping[str, Any]) -> str:
    """Name the varied settings that differ from the study's own; a variant that does not differ has no name."""
    differing = [name for name in choice if look_up(varied, name) != look_up(study, name)]
    return ", ".join(
        f"{name.partition('.')[2] or name}={_shown(look_up(varied, name))}" for name in differing
    )


def settings_of_variants(study: SweepSpec) -> dict[str, dict[str, Any]]:
    """Return variant, as `variant_of` names it: its values of all varied settings, as `--set` takes them."""
    found: dict[str, dict[str, Any]] = {}
    for choice in choices(study.vary):
        varied = varied_study(study, choice)
        values = {name: look_up(varied, name) for name in choice}
        found.setdefault(variant_of(study, varied, choice), values)
    return found


def names_of_variants(study: SweepSpec) -> dict[str, str]:
    """Return variant: its values of all varied settings as a text, `width=128, lr=0.001`; empty where none vary."""
    return {
        variant: ", ".join(
            f"{name.partition('.')[2] or name}={_shown(value)}" for name, value in values.items()
        )
        for variant, values in settings_of_variants(study).items()
    }


def _shown(value: object) -> object:
    return "+".join(value) if isinstance(value, dict) and value else value


def _modalities(study: SweepSpec, value: object) -> dict[str, str]:
    """Return the modalities that a value such as `image+text` names, each with its column in the study's settings."""
    if not isinstance(value, str):
        raise SpecError(
            f"vary: {MODALITIES}: write names of modalities, joined by +, such as text or image+text (got {value!r})"
        )
    names = [name.strip() for name in value.split("+")]
    return {name: study.pool.modalities.get(name, name) for name in names}
