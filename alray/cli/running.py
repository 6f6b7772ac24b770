"""What `sweep` and `correlate` do alike: run a study with its progress shown, write its page, name what failed."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from alray.errors import AlrayError, Interrupted

if TYPE_CHECKING:
    from rich.console import Console

    from alray.cli.display.progress import Display
    from alray.reporting.writing import Report
    from alray.settings.common import ExecutionSpec
    from alray.settings.correlation import CorrelationSpec
    from alray.settings.location import StudyPath
    from alray.settings.sweep import SweepSpec
    from alray.studies.correlation.results import Correlation
    from alray.studies.sweep.results import Sweep

Results = TypeVar("Results")


def console(*, stderr: bool = False) -> "Console":
    """Return a console that prints texts as they are."""
    from alray.cli.display.console import PlainConsole

    return PlainConsole(stderr=stderr)


def run_study(
    run: Callable[..., Results],
    spec: "SweepSpec | CorrelationSpec",
    display: "type[Display]",
    progress: "Console",
    **options: Any,
) -> Results:
    """Run a study, or what is left of it, by `api.sweep` or `api.correlate` with these options; return its results.

    Raises:
        Interrupted: Says how to go on.
    """
    from alray.cli.display.log_lines import logged_to
    from alray.cli.output import output_is_kept
    from alray.settings.secrets import without_secrets

    output_is_kept()
    observer = display(progress, _starting_message(spec.execution))
    # Keys are taken out word by word: in the quoted text the end of a quote would go with them.
    command = shlex.join(["alray", *map(without_secrets, sys.argv[1:])])
    try:
        with logged_to(progress):
            return run(spec, observer=observer, command=command, **options)
    except Interrupted:
        raise Interrupted("stopped; the same command goes on from here") from None


@contextmanager
def bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr if it is a terminal; yields a function of the numbers of what is done and of all."""
    from rich.progress import Progress

    shown_on = console(stderr=True)
    with Progress(console=shown_on, transient=True, disable=not shown_on.is_terminal) as shown:
        task = shown.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield advance


def _starting_message(execution: "ExecutionSpec") -> str:
    """Return the line that displays show while workers start."""
    if execution.executor == "inline":
        return "starting"
    from alray.ray_executor.address import starting_message  # imports Ray: seconds

    return starting_message(execution)


def print_destination(out: "Console", folder: "StudyPath", done: int | None, of_all: str) -> None:
    """Print where a study's results would go and, unless `done` is None, how much of it is there already."""
    out.print(f"results would go to {folder}", soft_wrap=True)
    if done is not None:
        out.print(f"goes on there: {done:,} of {of_all} finished", soft_wrap=True)


def write_page(study: "Sweep | Correlation", progress: "Console") -> "Report | None":
    """Write the page of a study that has just ended; if that cannot be done the study is done all the same.

    Returns what was written, None if nothing was.
    """
    from alray.reporting import api

    progress.print("writing the report")
    try:
        return api.report(study, formats=("html",))
    except AlrayError as error:
        progress.print(f"no report: {error}", style="yellow")
        return None


def exit_if_failed(failed: int, noun: str, errors: "StudyPath", progress: "Console") -> None:
    """Exit with 1 if anything has failed, after a line that says where its error is."""
    from alray.analysis.wording import count

    if failed:
        line = f"{count(failed, noun)} failed; why is in {errors}"
        progress.print(line, style="red", soft_wrap=True)
        sys.exit(1)
