"""`alray correlate`: does a score predict how useful an object is?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import execution_options, gather, origin, pool_options
from alray.cli.pages import write_page
from alray.errors import Interrupted, SpecError

if TYPE_CHECKING:
    from alray.settings.correlation import CorrelationSpec
    from alray.storage.location import StudyPath

SETTINGS = {
    name: name
    for name in (
        "scores",
        "sample",
        "group_size",
        "grouping",
        "fine_tune_seeds",
        "bases",
        "initial",
        "epochs",
        "replay",
        "outcome",
        "test",
        "compat",
    )
}
"""Option of this command: the setting that it overrides."""


@click.command()
@pool_options
@click.option(
    "--scores",
    metavar="A,B",
    help="Scores to sort by.  [default: loss,margin,entropy,least_confidence,bald]",
)
@click.option(
    "--sample",
    type=int,
    help="Unlabelled objects to score.  [default: 10000, or as many as fill groups]",
)
@click.option(
    "--group-size",
    type=int,
    help="Objects in a group.  [default: 100, or a hundredth of what is unlabelled]",
)
@click.option(
    "--grouping",
    metavar="A,B",
    help="How the sample is cut: score, within_class, random.  [default: all three]",
)
@click.option("--fine-tune-seeds", type=int, help="Fine-tunes of each group.  [default: 5]")
@click.option("--bases", type=int, help="Base models.  [default: 3]")
@click.option(
    "--initial",
    type=int,
    help="Labels of a base model.  [default: 2000 or a tenth of the train part, and every class]",
)
@click.option("--epochs", metavar="A,B", help="Doses to evaluate at.  [default: 1,2,5,10,20]")
@click.option(
    "--replay",
    type=click.Choice(["none", "initial"]),
    help="Fine-tune on the group alone, or on the initial labels besides.",
)
@click.option(
    "--outcome",
    type=click.Choice(["accuracy", "nll", "macro_f1"]),
    help="What verdicts are about.  [default: accuracy]",
)
@click.option("--test", type=int, help="Most test objects to evaluate on.  [default: 5000]")
@click.option(
    "--compat",
    type=click.Choice(["original"]),
    help="The published protocol's choices, without its sliding window.",
)
@execution_options
@click.option(
    "--report/--no-report", default=True, help="Write a page with the findings.  [default: report]"
)
def correlate(
    study: Path | None,
    results: "StudyPath",
    modalities: tuple[str, ...],
    settings: tuple[str, ...],
    epochs: str | None,
    dry_run: bool,
    fresh: bool,
    report: bool,
    **simple: Any,
) -> None:
    """Ask in minutes what a sweep asks in hours: do objects with a high score teach this model more?

    Groups of unlabelled objects, alike in a score, are fine-tuned on from common weights; does the score predict how
    much a group helps? Without arguments: five scores on the built-in pool openclipart. The same command again goes on
    where it stopped.
    """
    from rich.console import Console

    from alray.settings.base import validate
    from alray.settings.correlation import CorrelationSpec

    values = gather(study, modalities, settings, simple, SETTINGS)
    if epochs is not None:
        values["epochs"] = _numbers("--epochs", epochs)
    progress = Console(stderr=True, highlight=False, markup=False)
    spec = validate(CorrelationSpec, values, origin(study))
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


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise SpecError(f"{option} {text}: write whole numbers, such as 1,2,5") from None
