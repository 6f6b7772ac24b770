"""Options as text, `name:option=value:option=value`: strategies and stopping rules on a command line."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from alray.errors import SpecError
from alray.settings.base import unknown_name


def read_options(
    words: Sequence[str], types: Mapping[str, Any], kind: str, name: str, text: str
) -> dict[str, Any]:
    """Return the values of options that are written as `option=value`.

    Args:
        words: The options as they are written.
        types: The options that there are, with their types.
        kind: What has them, for messages: `strategy`.
        name: Its name.
        text: All of it.

    Raises:
        SpecError: A word is not of this form, an option is unknown, or a value does not fit its type.
    """
    found: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise SpecError(f"{kind} {text!r}: {word!r} is not option=value")
        if key not in types:
            reason = unknown_name("option", key, [*types]) if types else "it has no options"
            raise SpecError(f"{kind} {name!r}: {reason}")
        found[key] = _value(types[key], value, f"{kind} {name!r}: option {key}")
    return found


def _value(kind: Any, text: str, where: str) -> Any:
    try:
        return TypeAdapter(kind).validate_strings(text)
    except ValidationError as error:
        message = error.errors()[0]["msg"]
        raise SpecError(f"{where}: {message} (got {text!r})") from None
