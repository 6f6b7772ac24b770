"""`alray sweep`: run a study."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.pool import pairs
from alray.errors import Interrupted, SpecError

if TYPE_CHECKING:
    from alray.plan import Plan
    from alray.spec import StudySpec

SETTINGS = {
    "pool": "pool.source",
    "id_column": "pool.id",
    "label": "pool.label",
    "group_by": "pool.group_by",
    "min_class_size": "pool.min_class_size",
    "initial": "initial",
    "query": "query",
    "rounds": "rounds",
    "name": "name",
    "executor": "execution.executor",
    "address": "execution.address",
    "parallel": "execution.parallel",
    "cpus_per_run": "execution.cpus_per_run",
    "gpus_per_run": "execution.gpus_per_run",
}
"""Option: the setting that it overrides."""


@click.command()
@click.argument(
    "study",
    required=False,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="[STUDY.yaml]",
)
@click.option(
    "--pool", metavar="NAME|PATH", help="Built-in pool (openclipart, icons) or a Parquet file."
)
@click.option("--id", "id_column", metavar="COLUMN", help="Column of unique ids.")
@click.option("--label", metavar="COLUMN", help="Column of class labels.")
@click.option(
    "--modality",
    "modalities",
    multiple=True,
    metavar="NAME=COLUMN",
    help="A modality and its column; repeat it.",
)
@click.option(
    "--group-by", metavar="COLUMN", help="Column whose equal values stay on one side of the split."
)
@click.option("--min-class-size", type=int, help="Drop classes with fewer objects.")
@click.option(
    "--strategies",
    metavar="A,B:OPTION=VALUE",
    help="Strategies, e.g. random,margin,bald:members=20.",
)
@click.option(
    "--vary",
    multiple=True,
    metavar="SETTING=A,B",
    help="Multiply the arms, e.g. training.batch_norm=live,frozen; repeat it.",
)
@click.option("--seeds", metavar="N|A,B", help="Number of run seeds, or their list (0,3,7).")
@click.option("--initial", type=int, help="Random labels to begin with.")
@click.option("--query", type=int, help="Labels bought in a round.")
@click.option("--rounds", type=int, help="Rounds.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="SETTING=VALUE",
    help="Any other setting, e.g. training.lr=3e-4; repeat it.",
)
@click.option("--name", help="The study's folder below --results; the pool's name if not given.")
@click.option(
    "--results",
    default="results",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for studies.",
)
@click.option("--address", help="A running Ray cluster; a local one if not given.")
@click.option("--parallel", type=int, help="Most runs at a time; as many as CPUs if not given.")
@click.option("--cpus-per-run", type=int, help="Threads of a run.")
@click.option("--gpus-per-run", type=float, help="Share of a GPU for a run.")
@click.option(
    "--executor", type=click.Choice(["ray", "inline"]), help="Ray, or this process alone."
)
@click.option("--dry-run", is_flag=True, help="Check everything, print the plan, run nothing.")
@click.option("--fresh", is_flag=True, help="Throw away an earlier study of the same name.")
def sweep(
    study: Path | None,
    results: Path,
    modalities: tuple[str, ...],
    strategies: str | None,
    vary: tuple[str, ...],
    seeds: str | None,
    settings: tuple[str, ...],
    dry_run: bool,
    fresh: bool,
    **simple: Any,
) -> None:
    """Compare strategies: run each with every seed, in parallel, and say what they save.

    Without arguments: five strategies, six seeds, on the built-in pool openclipart. Settings come from STUDY.yaml, and
    options override them. The same command again goes on where it stopped, and adds what is new.
    """
    from rich.console import Console

    # As with `python -m`: models and strategies of one's own are found in the present folder, in the workers too.
    sys.path.insert(0, str(Path.cwd()))
    values = _from_file(study)
    for option, value in simple.items():
        if value is not None:
            _put(values, SETTINGS[option], value)
    _put_texts(values, modalities, settings, vary)
    if strategies is not None:
        values["strategies"] = _list(strategies)
    if seeds is not None:
        values["seeds"] = _seeds(seeds)
    progress = Console(stderr=True, highlight=False, markup=False)
    spec = _validate(values, study)
    if dry_run:
        _print_plan(spec, results, progress)
    else:
        _run(spec, results, progress, fresh=fresh)


def _put_texts(
    values: dict[str, Any],
    modalities: tuple[str, ...],
    settings: tuple[str, ...],
    vary: tuple[str, ...],
) -> None:
    """Put the options that are NAME=VALUE texts in their places."""
    for name, column in pairs("--modality", modalities).items():
        _put(values, f"pool.modalities.{name}", column)
    for key, text in pairs("--set", settings).items():
        _put(values, key, _plain(text))
    varied = pairs("--vary", vary)
    if varied:
        values["vary"] = {
            key: [_plain(word) for word in _list(text)] for key, text in varied.items()
        }


def _validate(values: Mapping[str, Any], study: Path | None) -> "StudySpec":
    from alray.spec import StudySpec, validate

    return validate(
        StudySpec, values, f"{study} and the command line" if study else "the command line"
    )


def _run(spec: "StudySpec", results: Path, progress: Any, *, fresh: bool) -> None:
    from rich.console import Console

    from alray import api
    from alray.display.lines import LineDisplay
    from alray.display.live import LiveDisplay
    from alray.display.summary import print_summary

    starting = "starting Ray" if spec.execution.executor == "ray" else "starting"
    kind = LiveDisplay if progress.is_terminal else LineDisplay
    command = "alray " + " ".join(sys.argv[1:])
    try:
        found = api.sweep(
            spec,
            results=results,
            fresh=fresh,
            observer=kind(progress, starting),
            command=command,
            warn=progress.print,
        )
    except Interrupted:
        raise Interrupted("stopped; the same command goes on from here") from None
    console = Console(highlight=False, markup=False)
    console.print()
    print_summary(console, found.summary, found.path)
    failed = found.runs[found.runs["status"] == "failed"]
    if len(failed):
        progress.print(
            f"{len(failed)} runs failed; their errors are in {found.path}/runs.parquet",
            style="red",
        )
        sys.exit(1)


def _print_plan(spec: "StudySpec", results: Path, progress: Any) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from alray import api
    from alray.display.facts import headline, size

    plan: Plan = api.plan_study(spec, progress.print)
    console = Console(highlight=False, markup=False)
    for line in headline(plan):
        console.print(line)
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="bold")
    table.add_column("arm")
    table.add_column("runs", justify="right")
    table.add_column("objects scored", justify="right")
    for arm in plan.arms:
        runs = len(spec.seeds)
        oracle = " (oracle)" if arm.strategy.oracle else ""
        table.add_row(
            Text(arm.label + oracle), f"{runs:,}", f"{runs * plan.forward_passes(arm):,}"
        )
    console.print(table)
    console.print(f"pool in shared memory: {size(plan.prepared.nbytes)} on each node")
    console.print(f"results would go to {results / str(plan.study.name)}")


def _from_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    from alray.api import read_yaml

    return read_yaml(path)


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a value at a dotted name."""
    *parents, last = key.split(".")
    place = values
    for parent in parents:
        below = place.setdefault(parent, {})
        if not isinstance(below, dict):
            raise SpecError(f"{key}: {parent} is not a group of settings (it is {below!r})")
        place = below
    place[last] = value


def _plain(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


def _list(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _seeds(text: str) -> int | list[int]:
    words = _list(text)
    try:
        numbers = [int(word) for word in words]
    except ValueError:
        raise SpecError(
            f"--seeds {text}: write a number of seeds (10) or their list (0,3,7)"
        ) from None
    return numbers[0] if len(numbers) == 1 and "," not in text else numbers
