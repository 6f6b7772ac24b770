"""All stopping rules by name, and their text form `name:option=value:option=value`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import get_type_hints

from alray.analysis.stopping_rules.accuracy import (
    FixedRounds,
    PredictedGain,
    ValidationPatience,
)
from alray.analysis.stopping_rules.base import StoppingRule
from alray.analysis.stopping_rules.confidence import (
    ConfidenceDrop,
    ConfidenceGap,
    MaxUncertainty,
    OverallUncertainty,
)
from alray.analysis.stopping_rules.predictions import (
    ClassificationChange,
    Kappa,
)
from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.option_texts import read_options

RULES: Mapping[str, type[StoppingRule]] = {
    kind.name: kind
    for kind in (
        *(Kappa, OverallUncertainty, ClassificationChange, ValidationPatience, PredictedGain),
        *(MaxUncertainty, ConfidenceDrop, ConfidenceGap, FixedRounds),
    )
}

USUAL = tuple(RULES)[:5]
"""The rules that are replayed where none are named."""

ALL = "all"
"""Stands for every rule with its defaults."""

KIND = "stopping rule"
"""What messages call what is named here."""


def parse_rule(text: str) -> StoppingRule:
    """Build the rule that `name:option=value:option=value` describes.

    Raises:
        SpecError: The name or an option is unknown, or a value does not fit; names the valid ones.
    """
    name, *words = text.strip().split(":")
    if name not in RULES:
        raise SpecError(unknown_name(KIND, name, [*RULES, ALL]))
    kind = RULES[name]
    names = [field.name for field in dataclasses.fields(kind)]
    hints = get_type_hints(kind)
    options = read_options(words, {each: hints[each] for each in names}, KIND, name, text)
    try:
        return kind(**options)
    except SpecError as error:
        raise SpecError(f"{KIND} {text!r}: {error}") from None


def rule_text(rule: StoppingRule) -> str:
    """Return the text of a rule: its options that are not the defaults, in the order of its fields."""
    values = [(field, getattr(rule, field.name)) for field in dataclasses.fields(rule)]
    changed = [f"{field.name}={value}" for field, value in values if value != field.default]
    return ":".join([rule.name, *changed])


def rules_of(texts: Sequence[str]) -> dict[str, StoppingRule]:
    """Return the rules of texts by their text: the usual ones where there are none, every one for `all`.

    Raises:
        SpecError: As in `parse_rule`, or a rule is named twice.
    """
    found: dict[str, StoppingRule] = {}
    wanted = [name for text in texts or USUAL for name in (RULES if text == ALL else (text,))]
    for text in wanted:
        rule = parse_rule(text)
        name = rule_text(rule)
        if name in found:
            raise SpecError(f"{KIND} {name!r} is named twice; name it once")
        found[name] = rule
    return found
