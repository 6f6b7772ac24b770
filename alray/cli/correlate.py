"""`alray correlate`: does a score predict how useful an object is?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import EXECUTION, POOL, gather, import_from_here, origin, study_options
from alray.cli.running import exit_if_failed, run_study, write_page
from alray.cli.settings_options import Setting, SettingsCommand

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
    from alray.cli.display.correlation_progress import CorrelationDisplay
    from alray.cli.display.correlation_summary import print_correlation

    found = run_study(
        api.correlate, spec, CorrelationDisplay, progress, results=results, fresh=fresh
    )
    console = Console(highlight=False, markup=False)
    console.print()
    page = write_page(found.path, progress) if report else None
    print_correlation(console, found, page)
    exit_if_failed(len(found.failures), "task", found.path / "failures.parquet", progress)


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
