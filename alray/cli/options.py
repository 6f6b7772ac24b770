"""Where results lie, on the command line."""

from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

if TYPE_CHECKING:
    from alray.storage.location import StudyPath
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from alray.cli.pool import pairs


class LocationType(click.ParamType["StudyPath"]):
    """A local folder or the URI of one in an object store."""

    name = "location"

    def __init__(self, *, folder: bool = False) -> None:
        self._folder = folder

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "StudyPath":
        from alray.storage.location import Location, location_of

        location = location_of(value)
        if self._folder and not isinstance(location, Location) and location.is_file():
            self.fail(f"{value} is a file, not a folder.", param, ctx)
        return location


Command = TypeVar("Command", bound=Callable[..., Any])

SETTINGS = {
    "pool": "pool.source",
    "id_column": "pool.id",
    "label": "pool.label",
    "group_by": "pool.group_by",
    "min_class_size": "pool.min_class_size",
    "name": "name",
    "executor": "execution.executor",
    "address": "execution.address",
    "parallel": "execution.parallel",
    "cpus_per_run": "execution.cpus_per_run",
    "gpus_per_run": "execution.gpus_per_run",
    "memory_per_run": "execution.memory_per_run",
    "insecure": "execution.insecure",
    "metrics": "execution.metrics",
}
"""Option: the setting that it overrides."""


def pool_options(command: Command) -> Command:
    """Add the settings file and the options that say which pool a study is about."""
    return _add(
        command,
        click.argument("study", required=False, type=click.Path(dir_okay=False, path_type=Path), metavar="[STUDY.yaml]"),
        click.option("--pool", metavar="NAME|PATH", help="Built-in pool (openclipart, icons) or a Parquet file."),
        click.option("--id", "id_column", metavar="COLUMN", help="Column of unique ids."),
        click.option("--label", metavar="COLUMN", help="Column of class labels."),
        click.option("--modality", "modalities", multiple=True, metavar="NAME=COLUMN", help="A modality and its column; repeat it."),
        click.option("--group-by", metavar="COLUMN", help="Column whose equal values stay on one side of the split."),
        click.option("--min-class-size", type=int, help="Drop classes with fewer objects."),
    )  # fmt: skip


def execution_options(command: Command) -> Command:
    """Add the options that say where a study runs and where its results go."""
    return _add(
        command,
        click.option("--set", "settings", multiple=True, metavar="SETTING=VALUE", help="Any other setting, e.g. training.lr=3e-4; repeat it."),
        click.option("--name", help="The study's folder below --results; named after the pool if not given."),
        click.option("--results", default="results", show_default=True, type=LocationType(folder=True), metavar="DIR|URI", help="Folder for studies: local, or s3://BUCKET/FOLDER, gs://..."),
        click.option("--address", help="A running Ray cluster; if not given, that of RAY_ADDRESS, else a local one."),
        click.option("--parallel", type=int, help="Most runs at a time; as many as CPUs if not given."),
        click.option("--cpus-per-run", type=int, help="Threads of a run."),
        click.option("--gpus-per-run", type=float, help="Share of a GPU for a run."),
        click.option("--memory-per-run", type=float, metavar="GIB", help="Memory that a run needs; Ray then counts it."),
        click.option("--executor", type=click.Choice(["ray", "inline"]), help="Ray, or this process alone."),
        click.option("--insecure", is_flag=True, default=None, help="Join a Ray cluster that asks for no token."),
        click.option("--metrics", is_flag=True, default=None, help="Export the progress as Ray metrics (needs ray[default])."),
        click.option("--dry-run", is_flag=True, help="Check everything, print the plan, run nothing."),
        click.option("--fresh", is_flag=True, help="Throw away an earlier study of the same name."),
    )  # fmt: skip


def _add(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def gather(
    study: Path | None,
    modalities: tuple[str, ...],
    settings: tuple[str, ...],
    simple: Mapping[str, Any],
    own: Mapping[str, str],
) -> dict[str, Any]:
    """Return plain settings: the file's, overridden by the options.

    Args:
        study: The settings file.
        modalities: Texts of `--modality`.
        settings: Texts of `--set`.
        simple: Values of the options that are one setting each, None where not given.
        own: The command's own options: the setting that each overrides.
    """
    from alray.settings.base import assign

    # As with `python -m`: models and strategies of one's own are found in the present folder, in the workers too.
    sys.path.insert(0, str(Path.cwd()))
    values = _from_file(study)
    for option, value in simple.items():
        if value is not None:
            assign(values, {**SETTINGS, **own}[option], value)
    for name, column in pairs("--modality", modalities).items():
        assign(values, f"pool.modalities.{name}", column)
    for key, text in pairs("--set", settings).items():
        assign(values, key, plain(text))
    return values


def origin(study: Path | None) -> str:
    """Say where settings come from, for messages about them."""
    return f"{study} and the command line" if study else "the command line"


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    from alray.settings.files import read_yaml

    return read_yaml(path)


def plain(text: str) -> Any:
    """Read a value as YAML does."""
    import yaml

    return yaml.safe_load(text)


def words(text: str) -> list[str]:
    """Split at commas."""
    return [word.strip() for word in text.split(",") if word.strip()]
