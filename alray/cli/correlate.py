"""`alray correlate`: does a score predict how useful an object is?"""

from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import EXECUTION, POOL, read_settings, study_options
from alray.cli.running import console, exit_if_failed, print_destination, run_study, write_page
from alray.cli.settings_options import Setting, SettingsCommand

if TYPE_CHECKING:
    from alray.settings.correlation import CorrelationSpec
    from alray.settings.location import StudyPath

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
    "matters": Setting("matters"),
    "test": Setting("test"),
    "compat": Setting("compat"),
    **EXECUTION,
}
"""Options that set one setting each."""


@click.command(
    cls=SettingsCommand, settings="alray.settings.correlation:CorrelationSpec", options=OPTIONS
)
@study_options
def correlate(
    study: str | None,
    given: dict[str, Any],
    settings: tuple[str, ...],
    results: "StudyPath",
    dry_run: bool,
    fresh: bool,
    report: bool,
) -> None:
    """Ask in minutes what a sweep asks in hours: do objects with a high score teach this model more?

    Groups of unlabelled objects, alike in a score, are fine-tuned on from common weights; does the score predict how
    much a group helps? Without arguments: five scores on the built-in pool openclipart; POOL is the same as --pool
    POOL. The same command again goes on where it stopped.
    """
    from alray.settings.correlation import CorrelationSpec

    spec = read_settings(CorrelationSpec, study, given, settings)
    if dry_run:
        _print_plan(spec, results, fresh=fresh)
    else:
        _run(spec, results, fresh=fresh, report=report)


def _run(spec: "CorrelationSpec", results: "StudyPath", *, fresh: bool, report: bool) -> None:
    from alray import api
    from alray.cli.display.correlation_progress import CorrelationDisplay
    from alray.cli.display.correlation_summary import print_correlation
    from alray.studies.folder import ERRORS

    progress, out = console(stderr=True), console()
    found = run_study(
        api.correlate, spec, CorrelationDisplay, progress, results=results, fresh=fresh
    )
    out.print()
    written = write_page(found, progress) if report else None
    page = None if written is None else written.page
    print_correlation(out, found, page)
    exit_if_failed(len(found.failures), "task", found.path / ERRORS, progress)


def _print_plan(spec: "CorrelationSpec", results: "StudyPath", *, fresh: bool) -> None:
    from alray import api
    from alray.analysis.wording import count
    from alray.cli.display.correlation_progress import correlation_headline
    from alray.cli.display.log_lines import logged_to
    from alray.cli.display.phrases import size
    from alray.studies.correlation.protocol import grouping_names

    with logged_to(console(stderr=True)):
        plan = api.plan_correlation(spec, results=None if fresh else results)
        done = api.tasks_on_record(plan, results, fresh=fresh)
    out = console()
    for line in correlation_headline(plan):
        out.print(line, soft_wrap=True)
    for kind, score in grouping_names(plan.spec):
        out.print(f"  {kind.replace('_', ' ')}{f': {score}' if score else ''}")
    out.print(f"pool in shared memory: {size(plan.prepared.nbytes)} on each node")
    folder = results / str(plan.spec.name)
    print_destination(out, folder, done, count(len(plan.task_names()), "task"))
