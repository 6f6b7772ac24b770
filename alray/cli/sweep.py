"""`alray sweep`: run a study."""

from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import EXECUTION, POOL, plain, read_settings, study_options
from alray.cli.running import console, exit_if_failed, print_destination, run_study, write_page
from alray.cli.settings_options import Setting, SettingsCommand, pairs, words

if TYPE_CHECKING:
    from alray.cli.next_sweep import Typed
    from alray.settings.location import StudyPath
    from alray.settings.sweep import SweepSpec
    from alray.studies.sweep.results import Sweep

DEFAULT_RESULTS = "results"

OPTIONS = {
    **POOL,
    "strategies": Setting("strategies", "A,B:OPTION=VALUE"),
    "seeds": Setting("seeds", "N|A,B"),
    "initial": Setting("initial"),
    "query": Setting("query"),
    "rounds": Setting("rounds"),
    "evaluate-every": Setting("evaluate_every"),
    "full-data": Setting("full_data"),
    "candidates": Setting("candidates"),
    "screen": Setting("screen"),
    "crowd": Setting("crowd", "NAME=VALUE,..."),
    "questions": Setting("questions", "NAME=VALUE,..."),
    "compat": Setting("compat"),
    **EXECUTION,
    "tracker": Setting("execution.tracker", "NAME[:WHERE]"),
}
"""Options that set one setting each."""


@click.command(cls=SettingsCommand, settings="alray.settings.sweep:SweepSpec", options=OPTIONS)
@click.option(
    "--vary",
    multiple=True,
    metavar="SETTING=A,B",
    help="Multiply the arms, e.g. training.batch_norm=live,frozen. Repeat it.",
)
@study_options
def sweep(
    study: str | None,
    given: dict[str, Any],
    vary: tuple[str, ...],
    settings: tuple[str, ...],
    results: "StudyPath",
    dry_run: bool,
    fresh: bool,
    report: bool,
) -> None:
    """Compare strategies: run each with every seed, in parallel, and say what they save.

    Without arguments: five strategies, six seeds, on the built-in pool openclipart. Settings come from STUDY.yaml, and
    options override them; POOL is the same as --pool POOL. The same command again goes on where it stopped, and adds
    what is new.
    """
    from alray.cli.next_sweep import Typed
    from alray.settings.sweep import SweepSpec

    if vary:
        varied = pairs("--vary", vary)
        given["vary"] = {
            name: [plain(word, "--vary", name) for word in words(text)]
            for name, text in varied.items()
        }
    spec = read_settings(SweepSpec, study, given, settings)
    if dry_run:
        _print_plan(spec, results, fresh=fresh)
    else:
        others = [] if str(results) == DEFAULT_RESULTS else ["--results", str(results)]
        typed = Typed(study, given, settings, [*others, *["--no-report"] * (not report)])
        _run(spec, results, typed, fresh=fresh, report=report)


def _run(
    spec: "SweepSpec", results: "StudyPath", typed: "Typed", *, fresh: bool, report: bool
) -> None:
    from alray import api
    from alray.analysis.sweep.asked_runs import count_failed
    from alray.analysis.sweep.labels_outside import labels_outside
    from alray.analysis.sweep.made_by import made_by
    from alray.analysis.sweep.original import original_intervals, original_said
    from alray.analysis.sweep.references import unmatched_references
    from alray.analysis.sweep.texts import further_said
    from alray.cli.display.next_steps import print_next_steps
    from alray.cli.display.sweep_progress import SweepDisplay
    from alray.cli.display.sweep_summary import print_summary
    from alray.studies import manifest
    from alray.studies.folder import ERRORS, Folder
    from alray.trackers.sweep import keep_page

    progress, out = console(stderr=True), console()
    found = run_study(api.sweep, spec, SweepDisplay, progress, results=results, fresh=fresh)
    out.print()
    written, page = None, None
    if report and found.summary["seeds"].sum() > 0:
        written = write_page(found, progress)
        page = None if written is None else written.page
        if page is not None:
            keep_page(found.settings, found.path, page)
    for line in (made_by(found.runs), *unmatched_references(found.runs)):
        if line:
            out.print(line, style="yellow")
    entries = manifest.read(Folder(found.path))
    if found.settings.rounds == 0 and found.summary["seeds"].sum() > 0:
        _print_choice(found, typed, entries.get(manifest.TRAIN_OBJECTS), page)
    else:
        outside = labels_outside(entries).words
        further: list[str] = []
        if found.settings.compat == "original":
            further = original_said(original_intervals(found.rounds, found.runs))
        if found.summary["seeds"].sum() > 0:
            further += further_said(
                found.rounds, found.runs, found.settings.seed, found.settings.initial_selection
            )
        by_crowd = found.settings.crowd is not None
        print_summary(out, found.summary, found.path, page, outside, further, by_crowd=by_crowd)
        print_next_steps(out, found.next_steps if written is None else written.next_steps)
    exit_if_failed(count_failed(found.runs), "run", found.path / ERRORS, progress)


def _print_choice(
    found: "Sweep", typed: "Typed", train: int | None, page: "StudyPath | None"
) -> None:
    """Print the table of variants, and the command that goes on with the chosen one."""
    from alray.cli.display.choice_summary import print_choice
    from alray.cli.next_sweep import next_command
    from alray.studies.sweep.choice import choice_of
    from alray.studies.sweep.variation import settings_of_variants

    study, plain_settings = found.settings, found.settings.model_dump()
    table = choice_of(found.rounds, found.runs, plain_settings)
    variant = str(table.loc[table["chosen"], "variant"].iloc[0])
    known = settings_of_variants(study)
    following = f"a sweep with {variant}, as an earlier command of this study had it"
    if variant in known:
        following = next_command(typed, OPTIONS, study, known[variant], train)
    print_choice(console(), table, plain_settings, found.path, page, following)


def _print_plan(spec: "SweepSpec", results: "StudyPath", *, fresh: bool) -> None:
    from alray import api
    from alray.analysis.wording import count
    from alray.cli.display.log_lines import logged_to
    from alray.cli.display.sweep_plan import print_plan

    with logged_to(console(stderr=True)):
        plan = api.plan_sweep(spec, results=None if fresh else results)
        finished = api.runs_on_record(plan, results, fresh=fresh)
    out = console()
    print_plan(out, plan)
    folder = results / str(plan.study.name)
    print_destination(out, folder, finished, count(len(plan.runs), "run"))
