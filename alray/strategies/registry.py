"""All strategies by name, and their text form `name:option=value:option=value`."""

import dataclasses
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.strategies.base import Strategy
from alray.strategies.committee import (
    Bald,
    CommitteeEntropy,
    CommitteeLeastConfidence,
    CommitteeMargin,
)
from alray.strategies.loss import IdealLoss, LearningLoss, ReverseIdealLoss
from alray.strategies.random import Random
from alray.strategies.uncertainty import Entropy, LeastConfidence, Margin

STRATEGIES: Mapping[str, type[Strategy]] = {
    "random": Random,
    "least_confidence": LeastConfidence,
    "margin": Margin,
    "entropy": Entropy,
    "committee_least_confidence": CommitteeLeastConfidence,
    "committee_margin": CommitteeMargin,
    "committee_entropy": CommitteeEntropy,
    "bald": Bald,
    "learning_loss": LearningLoss,
    "ideal_loss": IdealLoss,
    "reverse_ideal_loss": ReverseIdealLoss,
}

Maker = Callable[..., Strategy]
"""A strategy's class. A class cannot be checked against `type[Strategy]`, since that protocol has properties."""

ENTRY_POINTS = "alray.strategies"
"""Entry point group under which an installed package offers strategies."""


def parse(text: str) -> Strategy:
    """Build the strategy that `name:option=value:option=value` describes.

    The name is a built-in one, one that an installed package offers under the entry point group `alray.strategies`,
    or `package.module:Class` for a custom class (its options follow after further colons).

    Raises:
        SpecError: The name or an option is unknown, or a value does not fit; names the nearest valid one.
    """
    kind, name, words = _resolve(text)
    hints = get_type_hints(kind)
    valid = [field.name for field in _fields(kind)]
    options: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise SpecError(f"strategy {text!r}: {word!r} is not option=value")
        if key not in valid:
            reason = unknown_name("option", key, valid) if valid else "it has no options"
            raise SpecError(f"strategy {name!r}: {reason}")
        options[key] = _convert(hints[key], value, f"strategy {name!r}: option {key}")
    try:
        return kind(**options)
    except (SpecError, TypeError) as error:
        raise SpecError(f"strategy {text!r}: {error}") from None


def canonical(text: str) -> str:
    """Return the canonical text of this strategy: options in the order of its fields, defaults left out."""
    kind, name, _ = _resolve(text)
    strategy = parse(text)
    values = [(field, getattr(strategy, field.name)) for field in _fields(kind)]
    changed = [f"{field.name}={value}" for field, value in values if value != field.default]
    return ":".join([name, *changed])


def identity(text: str) -> str:
    """Return the strategy with every option, defaults too: a changed default is a different strategy."""
    kind, name, _ = _resolve(text)
    strategy = parse(text)
    options = [f"{field.name}={getattr(strategy, field.name)!r}" for field in _fields(kind)]
    return ":".join([name, *options])


def _fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of a strategy's dataclass: its options."""
    return dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()


def _resolve(text: str) -> tuple[Maker, str, list[str]]:
    name, *words = text.strip().split(":")
    if name in STRATEGIES:
        return STRATEGIES[name], name, words
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return _checked(entry.load(), name), name, words
    if words and "=" not in words[0]:
        path = f"{name}:{words[0]}"
        try:
            return _checked(getattr(import_module(name), words[0]), path), path, words[1:]
        except (ImportError, AttributeError) as error:
            raise SpecError(f"strategy {path!r} cannot be imported: {error}") from error
    offered = [*STRATEGIES, *(entry.name for entry in entry_points(group=ENTRY_POINTS))]
    raise SpecError(unknown_name("strategy", name, offered))


def _checked(kind: object, name: str) -> Maker:
    wanted = ("oracle", "needs", "loss_prediction", "select")
    missing = [word for word in wanted if not hasattr(kind, word)]
    if not isinstance(kind, type) or missing:
        raise SpecError(
            f"strategy {name!r} is not a strategy class: it lacks {', '.join(missing) or 'a class'}"
        )
    return kind


def _convert(hint: Any, value: str, where: str) -> Any:
    try:
        return TypeAdapter(hint).validate_strings(value)
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        raise SpecError(f"{where}: {message} (got {value!r})") from None
