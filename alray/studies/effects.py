"""Settings that change nothing beside others: setting one is a mistake, and arms that differ in it alone are equal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alray.errors import SpecError
from alray.networks.models import BUILT_IN
from alray.settings.base import field_of, look_up
from alray.settings.common import FUSION_PARTS, ModelSpec, TrainingSpec
from alray.settings.estimators import class_of
from alray.settings.sweep import SweepSpec


@dataclass(frozen=True)
class Configuration:
    """What decides an arm's numbers.

    Attributes:
        label: The arm's name.
        strategy: The strategy's identity; equal for strategies that choose alike.
        model: The network's settings.
        training: The fit's settings.
    """

    label: str
    strategy: str
    model: ModelSpec
    training: TrainingSpec


def without_effect(model: ModelSpec, training: TrainingSpec) -> dict[str, str]:
    """Return the settings, by dotted name, that change nothing beside the others, each with what to do instead."""
    if class_of(model.name) is not None:
        return _of_estimator(model.name)
    of_model = _on_custom(model) if model.name not in BUILT_IN else _on_built_in(model)
    return {**of_model, **_on_training(training)}


def _on_custom(model: ModelSpec) -> dict[str, str]:
    given = {
        f"model.{name}": (
            f"has no effect on the custom network {model.name}; give it to its factory, as the argument `{name}`, "
            f"by model.options.{name}"
        )
        for name in ("width", "dropout")
    }
    fixed = f"has no effect on the custom network {model.name}, which has one head; leave it out"
    return {**given, "model.heads": fixed, **_parts_of_late_fusion(model)}


def _on_built_in(model: ModelSpec) -> dict[str, str]:
    found = {
        "model.options": (
            f"are for custom networks, and have no effect on model {model.name}; leave them out, or set model.width, "
            "model.dropout or model.heads"
        )
    }
    if model.name == "late_fusion":
        if model.fusion == "early":
            found["model.heads"] = (
                "has no effect on model.fusion: early, where no modality has an encoder of its own; leave it out"
            )
        return found
    found["model.heads"] = f"has no effect on model {model.name}, which has one head; leave it out"
    if model.name == "linear":
        for name in ("width", "dropout"):
            found[f"model.{name}"] = (
                "has no effect on model linear, which is one matrix; leave it out"
            )
    return {**found, **_parts_of_late_fusion(model)}


def _parts_of_late_fusion(model: ModelSpec) -> dict[str, str]:
    reason = f"has no effect on {model.name}: it is a part of model late_fusion; leave it out"
    return {f"model.{name}": reason for name in FUSION_PARTS}


def _on_training(training: TrainingSpec) -> dict[str, str]:
    found: dict[str, str] = {}
    if training.loss != "learned_noise":
        found["training.log_variance_range"] = (
            "is used by training.loss: learned_noise alone; leave it out"
        )
    if training.stopping != "from_labels":
        found["training.stopping_share"] = (
            "is used by training.stopping: from_labels alone; leave it out"
        )
    if training.stopping == "fixed_epochs":
        found["training.patience"] = (
            "has no effect on training.stopping: fixed_epochs, which stops no fit early; set training.passive_epochs, "
            "or leave it out"
        )
    return found


def _of_estimator(name: str) -> dict[str, str]:
    """Return the settings that are of networks with weights; a loss predictor is refused with the strategy's name."""
    reason = (
        f"has no effect on the scikit-learn classifier {name}, which is fitted anew on all labels in each round; leave "
        "it out, and set the options of its class by model.options"
    )
    settings = [f"training.{key}" for key in TrainingSpec.model_fields if key != "loss_prediction"]
    parts = [f"model.{key}" for key in ("width", "dropout", "heads", *FUSION_PARTS)]
    return dict.fromkeys([*parts, *settings], reason)


def refuse_without_effect(configurations: Sequence[Configuration]) -> None:
    """Refuse a setting that has been changed and changes nothing in any of these configurations.

    Raises:
        SpecError: Names the setting, its value and what to do instead.
    """
    in_each = [without_effect(each.model, each.training) for each in configurations]
    for name, reason in in_each[0].items():
        values = [
            _value(each, name) for each in configurations if _value(each, name) != _default(name)
        ]
        if values and all(name in found for found in in_each):
            raise SpecError(f"{name} {reason} (got {values[0]!r})")


def refuse_equal(configurations: Sequence[Configuration], modalities: int) -> None:
    """Refuse two configurations whose runs would be equal to the last digit.

    Raises:
        SpecError: Names both, and the settings in which they differ.
    """
    seen: dict[str, Configuration] = {}
    for each in configurations:
        first = seen.setdefault(_effective(each, modalities), each)
        if first is not each:
            reasons = "; ".join(_differing(first, each))
            raise SpecError(
                f"{first.label} and {each.label} would be the same run: {reasons}; leave one of them out, see "
                "strategies and vary"
            )


def _effective(each: Configuration, modalities: int) -> str:
    """Return a text that two configurations share if they give equal numbers."""
    model, training = each.model.model_dump(), each.training.model_dump()
    sections = {"model": model, "training": training}
    for name in without_effect(each.model, each.training):
        section, _, key = name.partition(".")
        sections[section][key] = None
    if modalities == 1:
        model["heads"] = model["fusion"] = None
    if training["loss"] == "fixed" and not training["loss_weights"]:
        training["loss"] = "sum"
    usual = training["passive_epochs"] if training["mode"] == "scratch" else 1
    training["round_epochs"] = training["round_epochs"] or usual
    return repr((each.strategy, sections))


def _differing(one: Configuration, other: Configuration) -> Iterator[str]:
    """Yield the settings in which two configurations that give equal numbers differ, with the reason where known."""
    reasons = without_effect(one.model, one.training)
    if (
        one.strategy == other.strategy
        and one.model == other.model
        and one.training == other.training
    ):
        yield "committee=heads does not use members"
    for name in _names():
        if _value(one, name) != _value(other, name):
            values = f"{name} is {_value(one, name)!r} and {_value(other, name)!r}"
            yield (
                f"{values}, but it {reasons[name]}"
                if name in reasons
                else f"{values}, which means the same here"
            )


def _names() -> Iterator[str]:
    for section, kind in (("model", ModelSpec), ("training", TrainingSpec)):
        yield from (f"{section}.{name}" for name in kind.model_fields)


def _value(each: Configuration, name: str) -> Any:
    section, _, key = name.partition(".")
    return look_up(each.model if section == "model" else each.training, key)


def _default(name: str) -> Any:
    return field_of(SweepSpec, name).default
