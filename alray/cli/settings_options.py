"""Command-line options made from a settings class: a setting's name, default, values and help are written once."""

import pkgutil
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import click
from typing_extensions import override

from alray.errors import SpecError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from alray.settings.base import Settings


EXAMPLES = {"--set": "training.lr=3e-4", "--vary": "training.batch_norm=live,frozen"}
"""Option: what one may write there; others are of modalities."""


def pairs(option: str, values: tuple[str, ...]) -> dict[str, str]:
    """Split texts of the form `NAME=VALUE`.

    Raises:
        SpecError: A text has another form, or a name is given twice; the message names option and text.
    """
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            example = EXAMPLES.get(option, "image=img_emb")
            raise SpecError(f"{option} {text}: write NAME=VALUE, such as {option} {example}")
        if name in found:
            raise SpecError(f"{option} {text}: {name!r} is given twice; give it once")
        found[name] = value
    return found


def words(text: str) -> list[str]:
    """Split a text of the form `A,B` at its commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


class Setting(NamedTuple):
    """The setting that an option sets."""

    name: str
    """Dotted, such as `pool.label`."""
    metavar: str | None = None


class SettingsCommand(click.Command):
    """A command with options for settings of a class.

    Its function gets as `given` the values of these options by dotted setting, without those not given; the settings
    class validates them. The class is loaded when the command is parsed or explains itself, not when the program
    starts.
    """

    def __init__(
        self,
        *args: Any,
        settings: str,
        options: Mapping[str, Setting] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make a `click.Command` with an option for each of `options`, or for every setting of the class if None.

        `settings` names the class: `package.module:Class`.
        """
        super().__init__(*args, **kwargs)
        self._settings = settings
        self._given = options

    @override
    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's arguments, the settings' options, its own options, and `--help`."""
        own = super().get_params(ctx)
        arguments = [parameter for parameter in own if isinstance(parameter, click.Argument)]
        others = [parameter for parameter in own if not isinstance(parameter, click.Argument)]
        return [*arguments, *self._options(), *others]

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, and gather the settings' options in `given`."""
        rest = super().parse_args(ctx, args)
        given: dict[str, Any] = {}
        for option in self._options():
            value = ctx.params.pop(option.name or "")
            if option.multiple:
                found = pairs(option.opts[0], value)
                given |= {f"{option.setting}.{key}": text for key, text in found.items()}
            elif value is not None:
                given[option.setting] = option.value_of(value)
        ctx.params["given"] = given
        return rest

    def _options(self) -> "list[_SettingOption]":
        settings: type[Settings] = pkgutil.resolve_name(self._settings)
        options = self._given or {
            name.replace("_", "-"): Setting(name) for name in settings.model_fields
        }
        return [_option(name, setting, settings) for name, setting in options.items()]


class _SettingOption(click.Option):
    """An option that sets one setting, or switches on a section that is absent by default."""

    def __init__(self, *args: Any, setting: str, section: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setting = setting
        self._section = section

    def value_of(self, value: Any) -> Any:
        """Return a setting's value for an option's: a section that is switched on has its defaults."""
        return ({} if value else None) if self._section else value


def _option(name: str, setting: Setting, settings: "type[Settings]") -> _SettingOption:
    """Return the option of a setting; ranges are checked by the settings class."""
    from alray.settings.base import field_of

    field = field_of(settings, setting.name)
    kind = _kind(field.annotation)
    # A section whose settings are written in one text is no switch.
    section = hasattr(kind, "model_fields") and setting.metavar is None
    switch = section or kind is bool
    mapping = get_origin(kind) is dict
    shown = f"no-{name}" if switch and not field.default else _shown(field)
    default = f"  [default: {shown}]" if shown else ""
    return _SettingOption(
        [f"--{name}/--no-{name}" if switch else f"--{name}", f"set_{name.replace('-', '_')}"],
        setting=setting.name,
        section=section,
        default=None,
        multiple=mapping,
        type=None if switch else _type(kind),
        metavar=setting.metavar,
        help=f"{_sentence(field)}{' Repeat it.' if mapping else ''}{default}",
    )


def _kind(annotation: Any) -> Any:
    """Return a setting's type without None and limits."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        present = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _kind(present[0]) if len(present) == 1 else annotation
    return annotation


def _type(
    kind: Any,
) -> "click.ParamType[Any]":  # in quotes: click before 8.4 has no such subscript
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if kind is int:
        return click.INT
    return click.FLOAT if kind is float else click.STRING


def _shown(field: "FieldInfo") -> str:
    """Return a default as one would write it on the command line; empty for none."""
    default = field.default
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return "" if default is None or default == {} else str(default)


def _sentence(field: "FieldInfo") -> str:
    text = field.description or ""
    return f"{text[:1].upper()}{text[1:]}."
