"""A strategy's options in words, from its class: what users write behind its name."""

import dataclasses
import inspect
import re
from dataclasses import dataclass, replace
from typing import Any, get_args

from alray.errors import SpecError
from alray.strategies.registry import drawing_options, maker_of, option_fields, option_types
from alray.strategies.stochastic import Stochastic


@dataclass(frozen=True)
class Option:
    """An option of a strategy.

    Attributes:
        name: As users write it.
        values: The words that it takes, or a kind of value.
        default: Its value if not given; "" where it has to be given.
        meaning: What it is, "" where its class does not say.
    """

    name: str
    values: str
    default: str
    meaning: str


def options_of(name: str) -> list[Option]:
    """Return the options of a strategy, its own first.

    Raises:
        SpecError: There is no such strategy, or there are options behind its name.
    """
    if "=" in name:
        raise SpecError(f"{name!r} has options; write the strategy's name alone")
    kind = maker_of(name)
    types = option_types(kind, name)
    own = [_option(field, types[field.name], kind) for field in option_fields(kind)]
    shared = drawing_options(kind)
    names = {option.name for option in own}
    fields = {field.name: field for field in dataclasses.fields(Stochastic)}
    drawing = [
        _option(fields[key], hint, Stochastic) for key, hint in shared.items() if key not in names
    ]
    # Without it nothing is drawn: the class that has it is another one.
    return [*own, *(replace(each, default=each.default or "none: the best") for each in drawing)]


def opening_of(name: str) -> str:
    """Return what a strategy's docstring says before its attributes, in one paragraph per line."""
    text = inspect.getdoc(maker_of(name)) or ""
    before = re.split(r"^Attributes:$", text, flags=re.MULTILINE)[0]
    return "\n".join(" ".join(part.split()) for part in before.strip().split("\n\n"))


_KINDS = {"int": "whole number", "float": "number", "str": "text", "bool": "true or false"}


def _option(field: "dataclasses.Field[Any]", hint: Any, kind: Any) -> Option:
    words = get_args(hint)
    named = getattr(hint, "__name__", str(hint))
    values = "|".join(map(str, words)) if words else _KINDS.get(named, named)
    if words and all(isinstance(each, type) for each in words):
        values = "number or text" if str in words else "number"
    default = "" if field.default is dataclasses.MISSING else str(field.default)
    return Option(field.name, values, default, _meanings(kind).get(field.name, ""))


def _meanings(kind: Any) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say of its attributes."""
    found: dict[str, str] = {}
    for each in reversed(inspect.getmro(kind)):
        text = inspect.cleandoc(each.__doc__ or "")
        _, _, attributes = text.partition("Attributes:\n")
        for entry in re.split(r"\n(?=    \w)", f"\n{attributes}"):
            name, colon, meaning = entry.strip().partition(": ")
            if colon:
                found[name] = " ".join(meaning.split())
    return found
