"""Command-line options made from a settings class: one place for a knob's name, default, range and help."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click
from typing_extensions import override

if TYPE_CHECKING:
    from alray.settings.base import Settings


class SettingsCommand(click.Command):
    """A command with an option for every setting of a class.

    The class is loaded when the command is parsed or explains itself, not when the program starts.
    """

    def __init__(
        self, *args: Any, settings: "Callable[[], type[Settings]]", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._settings = settings

    @override
    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, the settings' options, and `--help`."""
        own = super().get_params(ctx)
        taken = {parameter.name for parameter in own}
        fields = self._settings().model_fields
        made = [_option(name, field) for name, field in fields.items() if name not in taken]
        arguments = [parameter for parameter in own if isinstance(parameter, click.Argument)]
        others = [parameter for parameter in own if parameter not in arguments]
        return [*arguments, *made, *others]


def _option(name: str, field: Any) -> click.Option:
    """Return one option; values are text here and validated, with ranges, by the settings class."""
    return click.Option(
        [f"--{name.replace('_', '-')}"],
        default=str(field.default),
        show_default=True,
        metavar=_metavar(field.annotation),
        help=f"{field.description[:1].upper()}{field.description[1:]}.",
    )


def _metavar(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return f"[{'|'.join(get_args(annotation))}]"
    return {int: "INTEGER", float: "NUMBER"}.get(annotation, "VALUE")
