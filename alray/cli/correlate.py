"""`alray correlate`: does a score predict how useful an object is?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import EXECUTION, POOL, gather, import_from_here, origin, study_options
from alray.cli.pages import write_page
from alray.cli.settings_options import Setting, SettingsCommand
from alray.errors import Interrupted

if TYPE_CHECKING:
    from alray.settings.correlation import CorrelationSpec
    from alray.storage.location import StudyPath

OPTIONS = {
    **POOL,
    "scores": Setting("scores", "A,B"),
    "sample": Setting("sample"),
    "group-size": Setting("group_size"),
    "grouping": Setting("grouping", "A,B"),
    "fine-tune-seeds": Setting("fine_tune_seeds"),
    "bases": Setting("bases"),
    "initial": Setting("initial"),
    "epochs": Setting("epochs", "A,B"),
    "replay": Setting("replay"),
    "outcome": Setting("outcome"),
    "test": Setting("test"),
    "compat": Setting("compat"),
    **EXECUTION,
}
"""Options that set one setting each."""


def _settings() -> "type[CorrelationSpec]":
    from alray.settings.correlation import CorrelationSpec

    return CorrelationSpec


@click.command(cls=SettingsCommand, settings=_settings, options=OPTIONS)
@study_options
def correlate(
    study: Path | None,
    given: dict[str, Any],
    settings: tuple[str, ...],
    results: "StudyPath",
    dry_run: bool,
    fresh: bool,
    report: bool,
) -> None:
    """Ask in minutes what a sweep asks in hours: do objects with a high score teach this model more?

    Groups of unlabelled objects, alike in a score, are fine-tuned on from common weights; does the score predict how
    much a group helps? Without arguments: five scores on the built-in pool openclipart. The same command again goes on
    where it stopped.
    """
    from rich.console import Console

    from alray.settings.base import validate

    import_from_here()
    values = gather(study, given, settings)
    progress = Console(stderr=True, highlight=False, markup=False)
    spec = validate(_settings(), values, origin(study))
    if dry_run:
        _print_plan(spec, results, progress)
    else:
        _run(spec, results, progress, fresh=fresh, report=report)


def _run(
    spec: "CorrelationSpec", results: "StudyPath", progress: Any, *, fresh: bool, report: bool
) -> None:
    from rich.console import Console

    from alray import api
    from alray.cli.display.correlation_progress import CorrelationLines, CorrelationLive
    from alray.cli.display.correlation_summary import print_correlation
    from alray.cli.display.log_lines import logged_to
    from alray.cli.display.phrases import count
    from alray.ray_executor.address import starting_message

    starting = starting_message(spec.execution)
    kind = CorrelationLive if progress.is_terminal else CorrelationLines
    try:
        with logged_to(progress):
            found = api.correlate(
                spec,
                results=results,
                fresh=fresh,
                observer=kind(progress, starting),
                command="alray " + " ".join(sys.argv[1:]),
            )
    except Interrupted:
        raise Interrupted("stopped; the same command goes on from here") from None
    console = Console(highlight=False, markup=False)
    console.print()
    page = write_page(found.path, progress) if report else None
    print_correlation(console, found, page)
    if len(found.failures):
        progress.print(
            f"{count(len(found.failures), 'task')} failed; why is in {found.path}/failures.parquet",
            style="red",
            soft_wrap=True,
        )
        sys.exit(1)


def _print_plan(spec: "CorrelationSpec", results: "StudyPath", progress: Any) -> None:
    from rich.console import Console

    from alray import api
    from alray.cli.display.correlation_progress import correlation_headline
    from alray.cli.display.log_lines import logged_to
    from alray.cli.display.phrases import size

    with logged_to(progress):
        plan = api.plan_correlation(spec)
    console = Console(highlight=False, markup=False)
    for line in correlation_headline(plan):
        console.print(line, soft_wrap=True)
    for kind, score in plan.grouping_names():
        console.print(f"  {kind.replace('_', ' ')}{f': {score}' if score else ''}")
    console.print(f"pool in shared memory: {size(plan.prepared.nbytes)} on each node")
    console.print(f"results would go to {results / str(plan.spec.name)}", soft_wrap=True)
