"""Options that commands share: of a pool, of where a study runs, and of where its results go."""

import json
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from typing_extensions import override

from alray.cli.settings_options import Setting, pairs
from alray.errors import SpecError

if TYPE_CHECKING:
    from alray.settings.base import Settings
    from alray.settings.location import StudyPath

    LocationParameter = click.ParamType[StudyPath]
else:  # click before 8.4 has no such subscript when it runs
    LocationParameter = click.ParamType

Command = TypeVar("Command", bound=Callable[..., Any])

COLUMNS = {
    "id": Setting("pool.id", "COLUMN"),
    "label": Setting("pool.label", "COLUMN"),
    "modality": Setting("pool.modalities", "NAME=COLUMN"),
    "group-by": Setting("pool.group_by", "COLUMN"),
    "min-class-size": Setting("pool.min_class_size"),
    "split-column": Setting("split.column", "COLUMN"),
}
"""Options of the columns of a study's pool."""

POOL = {"pool": Setting("pool.source", "NAME|PATH"), **COLUMNS}
"""Options of a study's pool."""

EXECUTION = {
    "name": Setting("name", "NAME"),
    "executor": Setting("execution.executor"),
    "address": Setting("execution.address", "ADDRESS"),
    "parallel": Setting("execution.parallel"),
    "cpus-per-run": Setting("execution.cpus_per_run"),
    "gpus-per-run": Setting("execution.gpus_per_run"),
    "memory-per-run": Setting("execution.memory_per_run", "GIB"),
    "insecure": Setting("execution.insecure"),
    "metrics": Setting("execution.metrics"),
}
"""Options of a study's name and of where it runs."""


class LocationType(LocationParameter):
    """A local folder or the URI of one in an object store."""

    name = "location"

    def __init__(self, *, folder: bool = False) -> None:
        self._folder = folder

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "StudyPath":
        from alray.settings.location import Location, location_of

        location = location_of(value)
        if self._folder and not isinstance(location, Location) and location.is_file():
            self.fail(f"{value} is a file, not a folder.", param, ctx)
        return location


def other_settings(example: str) -> Callable[[Command], Command]:
    """Return the option of any setting that has none of its own."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="SETTING=VALUE",
        help=f"Any other setting, e.g. {example}. Repeat it.",
    )


def results_folder(of: str) -> Callable[[Command], Command]:
    """Return the option of the folder in which these lie."""
    return click.option(
        "--results",
        default="results",
        show_default=True,
        type=LocationType(folder=True),
        metavar="DIR|URI",
        help=f"Folder for {of}: local, or s3://BUCKET/FOLDER, gs://...",
    )


def study_options(command: Command) -> Command:
    """Add the settings file, other settings, and the options of results and of what is done with them."""
    options = (
        click.argument(
            "study",
            required=False,
            metavar="[STUDY.yaml|POOL]",
        ),
        other_settings("training.lr=3e-4"),
        results_folder("studies"),
        click.option(
            "--dry-run", is_flag=True, help="Check everything, print the plan, run nothing."
        ),
        click.option(
            "--fresh", is_flag=True, help="Throw away an earlier study of the same name."
        ),
        click.option(
            "--report/--no-report",
            default=True,
            help="Write a page with the findings.  [default: report]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_settings(
    kind: "type[Settings]",
    study: str | None,
    given: Mapping[str, Any],
    settings: tuple[str, ...],
) -> Any:
    """Return the settings of a study, as a `kind`: the file's, overridden by the options, and these by `--set`.

    In the place of a settings file a pool may be named.

    Where they name a custom strategy or network, it is found in the present folder from now on, after all others: a
    `torch.py` there hides nothing.

    Raises:
        SpecError: Names the setting, and the file or the command line.
    """
    from alray.pools.builtin import BUILTIN_POOLS
    from alray.settings.base import assign, validate
    from alray.settings.custom import names_custom_code
    from alray.settings.files import is_pool, read_yaml

    if study and (is_pool(study) or (study in BUILTIN_POOLS and not Path(study).exists())):
        if "pool.source" in given:
            raise SpecError(
                f"{study} is a pool, and --pool {given['pool.source']} names another one; name one of them"
            )
        given, study = {"pool.source": study, **given}, None
    values = {} if study is None else read_yaml(Path(study))
    for name, value in given.items():
        # An option that switches a section on leaves what the file says of it.
        if not (value == {} and isinstance(values.get(name), dict)):
            assign(values, name, value)
    for name, text in pairs("--set", settings).items():
        assign(values, name, plain(text, "--set", name))
    origin = "the command line" if study is None else f"{study} and the command line"
    spec = validate(kind, values, origin)
    if names_custom_code(spec):
        sys.path.append(str(Path.cwd()))
    return spec


def plain(text: str, option: str, name: str) -> Any:
    """Read a value as YAML does.

    Args:
        text: The value.
        option: The option in which it stands, for an error.
        name: The setting, likewise.

    Raises:
        SpecError: It is not YAML.
    """
    from alray.settings.files import parsed

    try:
        return parsed(text)
    except ValueError as error:
        quoted = shlex.quote(f"{name}={json.dumps(text)}")
        lists = ""
        if option == "--vary" and text[0] in "[{":
            lists = "; commas part the values here: name values that are lists under vary in a settings file"
        raise SpecError(
            f"{option} {name}: {text} is not YAML: {error}; correct it, or put quotes around it to mean this very "
            f"text: {option} {quoted}{lists}"
        ) from error
