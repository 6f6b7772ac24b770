"""`alray sweep`: run a study."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import execution_options, gather, origin, plain, pool_options, words
from alray.cli.pages import write_page
from alray.cli.pool import pairs
from alray.errors import Interrupted, SpecError

if TYPE_CHECKING:
    from alray.settings.sweep import SweepSpec
    from alray.storage.location import StudyPath
    from alray.studies.sweep.plan import Plan

SETTINGS = {name: name for name in ("initial", "query", "rounds", "full_data", "candidates")}
"""Option of this command: the setting that it overrides."""


@click.command()
@pool_options
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
    "--full-data/--no-full-data",
    default=None,
    help="Train on all labels too, once per seed: the ceiling of the curves.  [default: no-full-data]",
)
@click.option(
    "--candidates", type=int, help="Score only so many random unlabelled objects a round."
)
@click.option(
    "--screen/--no-screen",
    default=None,
    help="Score exactly only what 8-bit scores rank best: faster, approximate.  [default: no-screen]",
)
@execution_options
@click.option(
    "--report/--no-report", default=True, help="Write a page with the findings.  [default: report]"
)
def sweep(
    study: Path | None,
    results: "StudyPath",
    modalities: tuple[str, ...],
    strategies: str | None,
    vary: tuple[str, ...],
    seeds: str | None,
    settings: tuple[str, ...],
    dry_run: bool,
    fresh: bool,
    report: bool,
    screen: bool | None,
    **simple: Any,
) -> None:
    """Compare strategies: run each with every seed, in parallel, and say what they save.

    Without arguments: five strategies, six seeds, on the built-in pool openclipart. Settings come from STUDY.yaml, and
    options override them. The same command again goes on where it stopped, and adds what is new.
    """
    from rich.console import Console

    values = gather(study, modalities, settings, simple, SETTINGS)
    varied = pairs("--vary", vary)
    if varied:
        values["vary"] = {
            key: [plain(word) for word in words(text)] for key, text in varied.items()
        }
    if strategies is not None:
        values["strategies"] = words(strategies)
    if seeds is not None:
        values["seeds"] = _seeds(seeds)
    if screen is False:
        values["screen"] = None
    elif screen and not values.get("screen"):
        values["screen"] = {}
    progress = Console(stderr=True, highlight=False, markup=False)
    spec = _validate(values, study)
    if dry_run:
        _print_plan(spec, results, progress)
    else:
        _run(spec, results, progress, fresh=fresh, report=report)


def _validate(values: Mapping[str, Any], study: Path | None) -> "SweepSpec":
    from alray.settings.base import validate
    from alray.settings.sweep import SweepSpec

    return validate(SweepSpec, values, origin(study))


def _run(
    spec: "SweepSpec", results: "StudyPath", progress: Any, *, fresh: bool, report: bool
) -> None:
    from rich.console import Console

    from alray import api
    from alray.cli.display.log_lines import logged_to
    from alray.cli.display.phrases import count
    from alray.cli.display.sweep_lines import LineDisplay
    from alray.cli.display.sweep_live import LiveDisplay
    from alray.cli.display.sweep_summary import print_summary
    from alray.ray_executor.address import starting_message

    starting = starting_message(spec.execution)
    kind = LiveDisplay if progress.is_terminal else LineDisplay
    command = "alray " + " ".join(sys.argv[1:])
    try:
        with logged_to(progress):
            found = api.sweep(
                spec,
                results=results,
                fresh=fresh,
                observer=kind(progress, starting),
                command=command,
            )
    except Interrupted:
        raise Interrupted("stopped; the same command goes on from here") from None
    console = Console(highlight=False, markup=False)
    console.print()
    page = None
    if report and found.summary["seeds"].sum() > 0:
        page = write_page(found.path, progress)
    print_summary(console, found.summary, found.path, page)
    failed = found.runs[found.runs["status"] == "failed"]
    if len(failed):
        progress.print(
            f"{count(len(failed), 'run')} failed; why is in {found.path}/runs.parquet",
            style="red",
            soft_wrap=True,
        )
        sys.exit(1)


def _print_plan(spec: "SweepSpec", results: "StudyPath", progress: Any) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from alray import api
    from alray.cli.display.log_lines import logged_to
    from alray.cli.display.phrases import headline, size

    with logged_to(progress):
        plan: Plan = api.plan_sweep(spec)
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


def _seeds(text: str) -> int | list[int]:
    try:
        numbers = [int(word) for word in words(text)]
    except ValueError:
        raise SpecError(
            f"--seeds {text}: write a number of seeds (10) or their list (0,3,7)"
        ) from None
    return numbers[0] if len(numbers) == 1 and "," not in text else numbers
