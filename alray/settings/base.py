"""The base class of all settings, their validation, and settings by dotted names such as `training.lr`."""

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from alray.errors import SpecError
from alray.settings.names import check_study_name

Share = Annotated[float, Field(gt=0, lt=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
StudyName = Annotated[str, AfterValidator(check_study_name)]


def _as_tuple(value: object) -> object:
    """Return `loss,margin` and `5`, as a command line has them, as tuples; other values as they are."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return (value,) if isinstance(value, int) and not isinstance(value, bool) else value


Listed = BeforeValidator(_as_tuple)
"""For a setting that is a tuple: its text is split at commas, and one number is a tuple of one."""


class Settings(BaseModel):
    """Base of all settings: frozen, and unknown keys are refused."""

    # pydantic before 2.10 warns of settings whose names begin with model_.
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, protected_namespaces=()
    )


AnySettings = TypeVar("AnySettings", bound=Settings)


def validate(kind: type[AnySettings], values: Mapping[str, Any], origin: str) -> AnySettings:
    """Return settings made of plain values, e.g. from YAML; messages name their origin, a file or `the command line`.

    Raises:
        SpecError: Values are not valid; the message names every wrong key with its value, and for an unknown key the
            nearest valid name.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        lines = [_explain(kind, detail) for detail in error.errors()]
        raise SpecError("\n".join([f"{origin}: {lines[0]}", *lines[1:]])) from None


def _explain(kind: type[Settings], detail: Any) -> str:
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return unknown_name("setting", path, _near_names(kind, path))
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] in ("int_parsing", "int_from_float"):
        message = "write a whole number"
    value = "" if isinstance(detail["input"], dict) else f" (got {detail['input']!r})"
    return f"{path}: {message}{value}" if path else f"{message}"


def _near_names(kind: type[Settings], path: str) -> list[str]:
    """Return the names that one may have meant: all, or those of its section where that is one that may be absent."""
    *sections, _ = path.split(".")
    for section in sections:
        field = kind.model_fields.get(section)
        inner = [] if field is None else [field.annotation, *get_args(field.annotation)]
        found = [each for each in inner if isinstance(each, type) and issubclass(each, Settings)]
        if not found:
            return setting_names(kind)
        kind = found[0]
    return setting_names(kind, ".".join([*sections, ""]))


def refuse_repeats(key: str, values: Sequence[object]) -> None:
    """Raise a ValueError if a setting names a value more than once."""
    repeated = sorted(str(value) for value, times in Counter(values).items() if times > 1)
    if repeated:
        raise ValueError(f"{key} names {', '.join(repeated)} more than once; name each once")


def unknown_name(kind: str, name: str, valid: list[str]) -> str:
    """Return the message for a name that does not exist, with the nearest valid name or all of them."""
    near = nearest(name, valid)
    hint = f"did you mean {near!r}?" if near else f"valid are: {', '.join(valid)}"
    return f"there is no {kind} {name!r}; {hint}"


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that this one is a slip of the keyboard for, None where none is near enough.

    A third of its letters may be wrong, missing or too many: `bold` is near `bald`, and `badge`, another strategy, is
    not. The last part of a dotted name counts as the name.
    """
    most = max(1, (len(name) + 2) // 3)
    edits = {
        each: min(_edits(name, each), _edits(name, each.rpartition(".")[2])) for each in valid
    }
    near = [each for each, count in edits.items() if count <= most]
    return min(near, key=lambda each: (edits[each], -_likeness(name, each)), default=None)


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio()


def _edits(one: str, other: str) -> int:
    """Return how many letters to replace, remove or insert, by the longest parts that two names have in common."""
    parts = SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).get_opcodes()
    return sum(max(i - h, k - j) for kind, h, i, j, k in parts if kind != "equal")


def setting_names(kind: type[Settings], prefix: str = "") -> list[str]:
    """Return the dotted names of all settings and sections that a class has."""
    names: list[str] = []
    for key, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Settings):
            names += [f"{prefix}{key}", *setting_names(inner, f"{prefix}{key}.")]
        else:
            names.append(f"{prefix}{key}")
    return names


def field_of(kind: type[Settings], name: str) -> FieldInfo:
    """Return the definition of the setting of this dotted name."""
    *sections, last = name.split(".")
    for section in sections:
        kind = kind.model_fields[section].annotation  # type: ignore[assignment]  # a section is Settings
    return kind.model_fields[last]


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested plain values by dotted name; an empty section is a value."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def look_up(settings: Settings, name: str) -> Any:
    """Return the setting or section of this dotted name; of a dictionary's keys None where there is none."""
    return functools.reduce(_part, name.split("."), settings)


def _part(settings: Any, name: str) -> Any:
    return settings.get(name) if isinstance(settings, Mapping) else getattr(settings, name)


def assign(values: dict[str, Any], name: str, value: Any) -> None:
    """Put a value into nested plain values by its dotted name; missing sections are made.

    Raises:
        SpecError: A part of the name before the last is a value, not a section.
    """
    *sections, last = name.split(".")
    inner = values
    for section in sections:
        below = inner.setdefault(section, {})
        if not isinstance(below, dict):
            raise SpecError(f"{name}: {section} is not a group of settings (it is {below!r})")
        inner = below
    inner[last] = value


def is_set(settings: Settings, name: str) -> bool:
    """Return whether the setting of this dotted name has been given: it is not just a default."""
    *sections, last = name.split(".")
    for section in sections:
        settings = getattr(settings, section)
    return last in settings.model_fields_set


def with_values(settings: AnySettings, values: Mapping[str, Any], origin: str) -> AnySettings:
    """Return settings with these values, by dotted name; they count as given, and what was not given does not.

    Raises:
        SpecError: One is not valid beside the others; the message names the origin of the values.
    """
    for name, value in values.items():
        settings = _with_value(settings, name, value, origin)
    return settings


def _with_value(settings: AnySettings, name: str, value: Any, origin: str) -> AnySettings:
    first, dot, rest = name.partition(".")
    if dot:
        value = _with_value(getattr(settings, first), rest, value, origin)
    given = {key: getattr(settings, key) for key in settings.model_fields_set}
    return validate(type(settings), {**given, first: value}, origin)
